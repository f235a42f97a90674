from datetime import timedelta

import pytest
from django.utils import timezone

from hitl.models import AuditEvent
from queues.models import Complaint, IntakeSettings
from queues.views import complaints
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.traces import ComplaintFactory, TraceFactory

pytestmark = pytest.mark.django_db

URL = "/tenants/acme/complaints/"


@pytest.fixture
def tenant():
    tenant = TenantFactory(slug="acme", name="Acme")
    IntakeSettings.objects.create(tenant=tenant, takes_complaints=True)
    return tenant


@pytest.fixture
def lead(sign_in, tenant):
    return sign_in(grant(UserFactory(name="Ada"), "lead_tenant", tenant))


def shown(client, address=URL):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


class TestTheList:
    def test_says_that_none_come_in_and_where_that_is_changed(self, lead, tenant):
        IntakeSettings.objects.update(takes_complaints=False)
        page = shown(lead)
        assert "takes no complaints" in page
        assert "/tenants/acme/intake/" in page
        assert "takes no complaints" in shown(lead, f"{URL}new/")

    def test_has_the_open_ones_and_apart_from_them_what_was_settled_by_whom(self, lead, tenant):
        ComplaintFactory(tenant=tenant, text="Still open")
        ComplaintFactory(
            tenant=tenant, text="All done", state="dismissed", because="About the app", settled_at=timezone.now(),
            settled_by=UserFactory(name="Ada Okafor"),
        )  # fmt: skip
        assert "Still open" in shown(lead)
        assert "All done" not in shown(lead)
        settled = shown(lead, f"{URL}?state=settled")
        for words in ("All done", "About the app", "Ada Okafor"):
            assert words in settled
        assert "Still open" not in settled

    def test_takes_as_many_statements_for_many_as_for_one(self, lead, tenant, django_assert_max_num_queries):
        ComplaintFactory.create_batch(20, tenant=tenant)
        with django_assert_max_num_queries(10):
            shown(lead)


class TestANewOne:
    def test_comes_by_the_same_door_scrubbed_and_on_record_under_the_persons_name(self, lead, tenant):
        sent = {"text": "Mail me at jane@example.org", "channel": "ticket", "about": "2026-11-01T10:00"}
        assert "It is here" in lead.post(f"{URL}new/", sent, follow=True).content.decode()
        stored = Complaint.objects.get()
        assert "jane" not in stored.text
        assert stored.about is not None
        assert AuditEvent.objects.get(action="complaints.received").actor_id is not None
        assert "here already" in lead.post(f"{URL}new/", sent, follow=True).content.decode()

    @pytest.mark.parametrize("sent", [{"text": " "}, {"text": "x", "complaint_id": "jane@example.org"}])
    def test_that_cannot_be_taken_stays_in_the_form_with_the_reason(self, lead, tenant, sent):
        assert lead.post(f"{URL}new/", sent).status_code == 422
        assert not Complaint.objects.exists()


class TestOne:
    def test_is_shown_with_the_likeliest_traces_and_why(self, lead, tenant):
        complaint = ComplaintFactory(tenant=tenant, user_key="u-1", text="My second debit never came back")
        TraceFactory(tenant=tenant, user_key="u-1", input="Is my second debit refunded?")
        page = shown(lead, f"{URL}{complaint.pk}/")
        for words in (complaint.text, "Is my second debit refunded?", "the same user", "“second”", "It is this one"):
            assert words in page
        seen = AuditEvent.objects.get(action="complaint.seen")
        assert seen.subject == f"complaint:{complaint.pk}"

    def test_says_what_was_looked_at_where_nothing_is_proposed(self, lead, tenant):
        complaint = ComplaintFactory(tenant=tenant)
        assert "No trace is here from" in shown(lead, f"{URL}{complaint.pk}/")

    def test_other_traces_are_looked_for_by_words_user_number_and_day(self, lead, tenant):
        complaint = ComplaintFactory(tenant=tenant, text="Nothing in common")
        day = timezone.now() - timedelta(days=2)
        TraceFactory(tenant=tenant, external_id="t-77", at=day, input="About a zebra", user_key="u-9")
        url = f"{URL}{complaint.pk}/"
        for query in ("words=zebra", "user_key=u-9", "trace_id=t-77", f"words=zebra&around={day:%Y-%m-%d}"):
            assert "About a zebra" in shown(lead, f"{url}?{query}")
        for query in ("words=horse", "user_key=u-8", "trace_id=t-78", "words=zebra&around=2026-01-01"):
            assert "Nothing like it" in shown(lead, f"{url}?{query}")
        shown(lead, f"{url}?around=x&words=%00")

    def test_is_linked_dismissed_and_opened_again(self, lead, tenant):
        complaint, trace = ComplaintFactory(tenant=tenant), TraceFactory(tenant=tenant)
        url = f"{URL}{complaint.pk}/"
        page = lead.post(f"{url}link/", {"trace": trace.pk, "reason": "refused"}, follow=True).content.decode()
        assert "Linked." in page
        assert "Open it again" in shown(lead, url)
        assert trace.external_id in shown(lead, url)
        lead.post(f"{url}reopen/")
        assert "Dismissed." in lead.post(f"{url}dismiss/", {"because": "Spam"}, follow=True).content.decode()
        assert "Spam" in shown(lead, url)
        assert "settled it" in lead.post(f"{url}dismiss/", {"because": "x"}, follow=True).content.decode()

    @pytest.mark.parametrize("sent", [{}, {"trace": "x", "reason": "other"}, {"trace": "", "reason": "none"}])
    def test_is_linked_to_nothing_that_is_no_trace(self, lead, tenant, sent):
        complaint = ComplaintFactory(tenant=tenant)
        page = lead.post(f"{URL}{complaint.pk}/link/", sent, follow=True).content.decode()
        assert "Nothing was changed" in page

    def test_is_never_linked_to_a_strangers_trace(self, lead, tenant):
        complaint = ComplaintFactory(tenant=tenant)
        sent = {"trace": TraceFactory().pk, "reason": "other"}
        assert lead.post(f"{URL}{complaint.pk}/link/", sent).status_code == 404

    def test_has_nothing_that_runs(self, lead, tenant):
        hostile = "<script>alert(1)</script>"
        complaint = ComplaintFactory(tenant=tenant, text=hostile, channel=hostile, user_key="u", tags=[hostile])
        TraceFactory(tenant=tenant, user_key="u", input=hostile, output=hostile, topic=hostile)
        for page in (
            shown(lead, f"{URL}{complaint.pk}/"),
            shown(lead),
            shown(lead, f"{URL}{complaint.pk}/?words=script"),
        ):
            assert hostile not in page

    def test_takes_few_statements(self, lead, tenant, django_assert_max_num_queries):
        complaint = ComplaintFactory(tenant=tenant, user_key="u")
        TraceFactory.create_batch(8, tenant=tenant, user_key="u")
        with django_assert_max_num_queries(13):
            shown(lead, f"{URL}{complaint.pk}/")


def test_a_long_list_says_where_it_ends(lead, tenant, monkeypatch):
    monkeypatch.setattr(complaints, "LISTED", 2)
    ComplaintFactory.create_batch(3, tenant=tenant)
    assert "The newest 2." in shown(lead)


def test_the_record_leads_to_it(lead, tenant):
    complaint = ComplaintFactory(tenant=tenant)
    shown(lead, f"{URL}{complaint.pk}/")
    assert f'href="{URL}{complaint.pk}/"' in shown(lead, "/audit/")
