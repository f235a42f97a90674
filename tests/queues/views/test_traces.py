from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from hitl.models import AuditEvent
from queues.models import Case, Sampled
from queues.traces.consent import cleaned_key
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import CaseFactory, LaneFactory, QueueFactory, RoutingRuleFactory, lead_of
from tests.factories.traces import SignalFactory, TraceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _count_anew():
    cache.clear()


@pytest.fixture
def lane():
    return LaneFactory(queue=QueueFactory(slug="billing", name="Billing"), tenant=TenantFactory(slug="acme"))


@pytest.fixture
def lead(sign_in, lane):
    return sign_in(lead_of(lane))


URL, SEND = "/tenants/acme/traces/", "/tenants/acme/traces/send/"


def shown(client, query=""):
    answer = client.get(f"{URL}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


class TestTheWayThere:
    def test_leads_straight_to_the_one_tenant_and_asks_which_of_several(self, sign_in, lane):
        person = lead_of(lane)
        assert sign_in(person).get("/traces/").headers["Location"] == URL
        grant(person, "lead_tenant", TenantFactory(slug="other", name="Other"))
        page = sign_in(person).get("/traces/").content.decode()
        assert URL in page
        assert "/tenants/other/traces/" in page

    def test_says_so_where_the_person_runs_none(self, sign_in):
        assert "You run no tenant" in sign_in(UserFactory()).get("/traces/").content.decode()

    def test_is_marked_in_the_navigation(self, lead):
        page = shown(lead)
        assert 'href="/traces/" aria-current="page"' in page
        assert 'href="/tenants/" aria-current="page"' not in page


class TestTheList:
    def test_shows_what_was_asked_what_users_made_of_it_and_how_many_there_are(self, lead, lane):
        bad = TraceFactory(tenant=lane.tenant, signals=2, weight=-1.5, is_negative=True, input="Where is my money?")
        SignalFactory(trace=bad, type="user_rating", value=1, weight=-0.8)
        SignalFactory(trace=bad, type="user_reason", reason="missed_the_point", value=None, weight=-0.7)
        TraceFactory(tenant=lane.tenant, input="Nobody spoke of this")
        page = shown(lead)
        for words in ("Where is my money?", "Rated 1 of 5", "Missed the point", "−1.50", "<strong>2</strong>"):
            assert words in page
        assert "Nobody spoke of this" not in page
        assert "Nobody spoke of this" in shown(lead, "?order=time")

    def test_says_which_are_cases_and_links_to_those_the_person_may_open(self, lead, lane):
        mine = CaseFactory(tenant=lane.tenant, queue=lane.queue, trace_id="mine")
        CaseFactory(tenant=lane.tenant, queue=QueueFactory(), trace_id="elsewhere")
        for name in ("mine", "elsewhere"):
            TraceFactory(tenant=lane.tenant, external_id=name)
        page = shown(lead, "?order=time")
        assert reverse("case", args=[mine.pk]) in page
        assert page.count("a case elsewhere") == 1

    def test_takes_as_many_statements_for_fifty_as_for_one(self, lead, lane, django_assert_max_num_queries):
        for number in range(52):
            trace = TraceFactory(tenant=lane.tenant, signals=1, weight=-number)
            SignalFactory(trace=trace)
            CaseFactory(tenant=lane.tenant, trace_id=trace.external_id)
        with django_assert_max_num_queries(16):
            assert shown(lead).count('name="trace"') == 50

    def test_finds_a_user_by_the_key_as_the_product_has_it(self, lead, lane):
        key = cleaned_key("jane.doe@example.org", lane.tenant)
        TraceFactory(tenant=lane.tenant, user_key=key, input="Hers")
        TraceFactory(tenant=lane.tenant, user_key="u-2", input="His")
        page = shown(lead, "?order=time&user_key=jane.doe@example.org")
        assert "Hers" in page
        assert "His" not in page

    @pytest.mark.parametrize(
        "query", ["?days=x", "?until=yesterday", "?order=best", "?signal=none", "?after=%00", "?words=%25%25&topic=%00"]
    )
    def test_is_shown_whatever_stands_in_its_address(self, lead, lane, query):
        TraceFactory(tenant=lane.tenant, signals=1)
        shown(lead, query)

    def test_says_what_to_do_where_it_is_empty(self, lead, lane):
        assert "No trace in this period" in shown(lead)
        assert "No such trace" in shown(lead, "?topic=none")
        TraceFactory(tenant=lane.tenant)
        cache.clear()
        assert "No user has said anything" in shown(lead)

    def test_has_nothing_that_runs(self, lead, lane):
        hostile = "<script>alert(1)</script>"
        trace = TraceFactory(tenant=lane.tenant, input=hostile, output=hostile, topic=hostile, release=hostile)
        SignalFactory(trace=trace, text=hostile)
        assert hostile not in shown(lead, "?order=time")


class TestWaitingSignals:
    def test_are_counted_on_the_list_and_shown_with_their_age(self, lead, lane):
        SignalFactory(tenant=lane.tenant, trace_ref="to-come", received_at=timezone.now() - timedelta(hours=3))
        assert "/traces/waiting/" in shown(lead)
        page = lead.get(f"{URL}waiting/").content.decode()
        assert "to-come" in page
        assert "3 h" in page

    def test_are_none_once_each_found_its_trace(self, lead, lane):
        assert "Every signal found its trace" in lead.get(f"{URL}waiting/").content.decode()


class TestSending:
    def test_opens_a_case_in_the_queue_chosen_on_record_and_says_so(self, lead, lane):
        traces = TraceFactory.create_batch(2, tenant=lane.tenant)
        answer = lead.post(SEND, {"trace": [one.pk for one in traces], "queue": lane.queue.pk}, follow=True)
        assert "2 cases opened in Billing" in answer.content.decode()
        assert {case.queue for case in Case.objects.all()} == {lane.queue}
        assert {one.policy for one in Sampled.objects.all()} == {"by_hand"}
        event = AuditEvent.objects.get(action="traces.sent")
        assert (event.queue_id, event.detail) == (
            lane.queue.pk, {"cases": list(Case.objects.order_by("pk").values_list("pk", flat=True))}
        )  # fmt: skip

    def test_goes_by_the_rules_where_no_queue_is_chosen(self, lead, lane):
        RoutingRuleFactory(queue=lane.queue, domains=["billing"])
        found, lost = TraceFactory(tenant=lane.tenant), TraceFactory(tenant=lane.tenant, domain="nobody's")
        page = lead.post(SEND, {"trace": [found.pk, lost.pk]}, follow=True).content.decode()
        assert "2 cases opened" in page
        assert "No rule takes 1 of them" in page
        assert Case.objects.get(trace_id=found.external_id).queue == lane.queue

    def test_leaves_what_is_a_case_already(self, lead, lane):
        trace = TraceFactory(tenant=lane.tenant)
        lead.post(SEND, {"trace": trace.pk, "queue": lane.queue.pk})
        escalated = TraceFactory(tenant=lane.tenant)
        CaseFactory(tenant=lane.tenant, trace_id=escalated.external_id)
        page = lead.post(SEND, {"trace": [trace.pk, escalated.pk]}, follow=True).content.decode()
        assert "2 were cases already" in page
        assert Case.objects.count() == 2
        assert AuditEvent.objects.filter(action="traces.sent").count() == 1

    def test_takes_neither_a_strangers_trace_nor_their_queue(self, lead, lane):
        strangers = TraceFactory()
        assert "not here any more" in lead.post(SEND, {"trace": strangers.pk}, follow=True).content.decode()
        mine = TraceFactory(tenant=lane.tenant)
        page = lead.post(SEND, {"trace": mine.pk, "queue": QueueFactory().pk}, follow=True).content.decode()
        assert "Nothing was sent" in page
        assert not Case.objects.exists()

    def test_wants_one_ticked_and_goes_back_to_where_it_was_but_never_elsewhere(self, lead):
        answer = lead.post(SEND, {"back": f"{URL}?order=time", "trace": "x"})
        assert answer.headers["Location"] == f"{URL}?order=time"
        for elsewhere in ("https://evil.example/", "//evil.example/", r"/\evil.example"):
            assert lead.post(SEND, {"back": elsewhere}).headers["Location"] == URL
