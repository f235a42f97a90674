from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from hitl.audit.models import AuditEvent
from hitl.models import Endpoint, Message, SigningSecret
from hitl.outbox import endpoints, messages, reading, secrets
from hitl.outbox.delivery import deliver_due
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.receiver import receiving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTBOX_ALLOW_PRIVATE = True


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def lead(tenant):
    return grant(UserFactory(), "lead_tenant", tenant)


@pytest.fixture
def client(sign_in, lead):
    return sign_in(lead)


def post(tenant, *urls, key="case:1", case_id="esc-1", topic="case.decided", **fields):
    payload = {"type": topic, "data": {"case_id": case_id}}
    made = messages.post(
        tenant_id=tenant.pk, topic=topic, key=key, payload=payload, not_before=timezone.now(), extra_urls=urls
    )
    Message.objects.filter(pk__in=[m.pk for m in made]).update(**fields)
    return Message.objects.get(pk=made[0].pk)


def deliveries(**query):
    return reverse("deliveries", args=["acme"], query=query)


class TestDeliveries:
    def test_an_empty_screen_says_what_to_do(self, client):
        page = client.get(deliveries()).content.decode()
        assert "Nothing has gone out yet" in page
        assert reverse("endpoints", args=["acme"]) in page

    def test_it_counts_and_shows_each_state_in_words(self, client, tenant):
        now = timezone.now()
        url = "https://app.example/back"
        post(tenant, url, case_id="esc-wait", next_attempt_at=now + timedelta(minutes=5))
        post(tenant, url, case_id="esc-fail", state="failing", attempts=3, last_error="It answered 500 <b>oh</b>.",
             next_attempt_at=now + timedelta(hours=1))  # fmt: skip
        post(tenant, url, case_id="esc-lost", state="given_up", attempts=19, last_error="It did not answer.")
        post(tenant, url, case_id="esc-sent", state="sent", sent_at=now)
        post(tenant, url, case_id="esc-old", state="sent", sent_at=now - timedelta(days=3))
        post(tenant, url, case_id="esc-off", state="cancelled")
        counts = reading.counts(tenant, now)
        assert (counts.waiting, counts.failing, counts.given_up, counts.sent_lately) == (1, 1, 1, 1)

        page = client.get(deliveries()).content.decode()
        for words in ("esc-wait", "when it can no longer be undone", "Next attempt in", "Given up", "Called off",
                      "It answered 500 &lt;b&gt;oh&lt;/b&gt;.", "A case was decided", "every 5s"):  # fmt: skip
            assert words in page

    def test_it_filters_and_pages(self, client, tenant, monkeypatch):
        monkeypatch.setattr(reading, "PAGE", 2)
        for number in range(5):
            post(tenant, "https://app.example/", case_id=f"esc-{number}", state="given_up")
        post(tenant, "https://app.example/", case_id="esc-9", topic="case.breached")
        page = client.get(deliveries(state="given_up", topic="case.decided")).content.decode()
        assert "esc-4" in page
        assert "esc-3" in page
        assert "esc-9" not in page
        assert "esc-2" not in page
        before = Message.objects.get(payload__data__case_id="esc-3").pk
        older = f"?state=given_up&amp;topic=case.decided&amp;before={before}"
        assert older in page
        page = client.get(deliveries(state="given_up", before=before)).content.decode()
        assert "esc-2" in page
        assert "esc-3" not in page
        assert "esc-9" in client.get(deliveries(about="esc-9")).content.decode()
        assert "No message fits" in client.get(deliveries(about="esc-77")).content.decode()

    @pytest.mark.parametrize("query", [{"state": "nonsense"}, {"before": "x"}, {"before": "-1"}, {"about": "\x00"}])
    def test_a_filter_it_does_not_know_shows_all(self, client, tenant, query):
        post(tenant, "https://app.example/", case_id="esc-1")
        answer = client.get(deliveries(**query))
        assert answer.status_code == 200
        assert "esc-1" in answer.content.decode()

    def test_the_table_renews_itself_alone(self, client, tenant):
        post(tenant, "https://app.example/")
        page = client.get(deliveries(), headers={"HX-Request": "true"}).content.decode()
        assert page.lstrip().startswith('<section class="stack" id="messages"')

    def test_nobody_else_sees_or_touches_it(self, sign_in, tenant):
        message = post(tenant, "https://app.example/", state="given_up")
        stranger = grant(UserFactory(), "lead_tenant", TenantFactory())
        for person in (stranger, grant(UserFactory(), "work_in_tenant", tenant)):
            assert sign_in(person).get(deliveries()).status_code == 404
            again = reverse("delivery_again", args=["acme", message.pk])
            assert sign_in(person).post(again).status_code == 404
        other = TenantFactory()
        mixed = reverse("delivery_again", args=[other.slug, message.pk])
        assert sign_in(grant(UserFactory(), "lead_tenant", other)).post(mixed).status_code == 404
        message.refresh_from_db()
        assert message.state == "given_up"


class TestSendingAgain:
    def test_one_that_was_given_up_goes_out_under_its_old_id(self, client, tenant, lead):
        with receiving(500) as receiver:
            message = post(tenant, receiver.url())
            deliver_due(timezone.now())
            Message.objects.update(state="given_up", attempts=19)
            client.post(reverse("delivery_again", args=["acme", message.pk]))
            deliver_due(timezone.now())
            assert len({got.id for got in receiver.got}) == 1
        message.refresh_from_db()
        assert (message.state, message.attempts) == ("sent", 1)
        event = AuditEvent.objects.get(action="message.sent_again")
        assert (event.subject, event.actor_id) == (f"message:{message.pk}", lead.pk)

    def test_even_one_that_arrived(self, client, tenant):
        with receiving() as receiver:
            message = post(tenant, receiver.url())
            deliver_due(timezone.now())
            client.post(reverse("delivery_again", args=["acme", message.pk]))
            deliver_due(timezone.now())
            assert len(receiver.got) == 2

    def test_not_one_that_was_overtaken(self, client, tenant):
        old = post(tenant, "https://app.example/", state="given_up")
        post(tenant, "https://app.example/", state="sent", sent_at=timezone.now())
        answer = client.post(reverse("delivery_again", args=["acme", old.pk]), follow=True)
        assert "A later message on the same matter has arrived" in answer.content.decode()
        assert Message.objects.get(pk=old.pk).state == "given_up"

    @pytest.mark.parametrize("state", ["waiting", "cancelled"])
    def test_not_one_that_may_still_be_undone_or_was_called_off(self, client, tenant, state):
        later = timezone.now() + timedelta(minutes=5)
        message = post(tenant, "https://app.example/", state=state, next_attempt_at=later)
        client.post(reverse("delivery_again", args=["acme", message.pk]))
        message.refresh_from_db()
        assert (message.state, message.next_attempt_at) == (state, later)

    def test_all_that_failed_but_what_was_overtaken_or_is_off(self, client, tenant, lead):
        later = timezone.now() + timedelta(hours=3)
        url = "https://app.example/"
        for number, state in enumerate(("failing", "given_up", "waiting", "cancelled")):
            post(tenant, url, key=f"case:{number}", state=state, next_attempt_at=later, attempts=7)
        overtaken = post(tenant, url, key="case:9", state="given_up")
        post(tenant, url, key="case:9", state="sent", sent_at=timezone.now())
        off = Endpoint.objects.create(tenant=tenant, url="https://off.example/")
        held = post(tenant, key="case:10", state="failing")
        Endpoint.objects.filter(pk=off.pk).update(is_active=False)
        foreign = post(TenantFactory(), url, state="given_up")

        page = client.post(reverse("deliveries_again", args=["acme"]), follow=True).content.decode()

        assert "2 messages go out again now." in page
        again = Message.objects.filter(attempts=0, next_attempt_at__lt=later, state="waiting")
        assert sorted(again.values_list("key", flat=True)) == ["case:0", "case:1"]
        for untouched, state in ((overtaken, "given_up"), (held, "failing"), (foreign, "given_up")):
            assert Message.objects.get(pk=untouched.pk).state == state
        assert AuditEvent.objects.get(action="message.all_sent_again").detail == {"count": 2}

    def test_one_can_be_called_off(self, client, tenant):
        message = post(tenant, "https://app.example/")
        client.post(reverse("delivery_call_off", args=["acme", message.pk]))
        assert Message.objects.get(pk=message.pk).state == "cancelled"
        answer = client.post(reverse("delivery_call_off", args=["acme", message.pk]), follow=True)
        assert "It is settled already." in answer.content.decode()


class TestEndpoints:
    def test_a_new_address_shows_its_secret_once(self, client, tenant):
        with receiving() as receiver:
            answer = client.post(
                reverse("endpoints", args=["acme"]), {"url": receiver.url(), "topics": ["case.decided"]}
            )
            page = answer.content.decode()
            secret = page.partition('value="whsec_')[2].partition('"')[0].replace("&#x2B;", "+")
            assert "no-store" in answer.headers["Cache-Control"]
            endpoint = Endpoint.objects.get(tenant=tenant)
            assert endpoint.topics == ["case.decided"]
            for again in (reverse("endpoints", args=["acme"]), reverse("endpoint", args=["acme", endpoint.pk])):
                assert "whsec_" not in client.get(again).content.decode()
            client.post(reverse("endpoint_test", args=["acme", endpoint.pk]))
            deliver_due(timezone.now())
            assert receiver.got[0].verified(f"whsec_{secret}")["type"] == "test"
        assert AuditEvent.objects.filter(action="endpoint.created", tenant_id=tenant.pk).exists()
        assert not AuditEvent.objects.filter(detail__icontains="whsec").exists()

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("http://10.0.0.7/hook", "a private address"),
            ("http://169.254.169.254/latest", "for machinery"),
            ("https://ada:secret@example.com/", "holds a name or password"),
            ("gopher://example.com/", "starts with https://"),
            ("", "This field is required"),
        ],
    )
    def test_an_address_that_must_not_be_called_is_refused_with_the_reason(self, client, settings, url, why):
        settings.OUTBOX_ALLOW_PRIVATE = False
        answer = client.post(reverse("endpoints", args=["acme"]), {"url": url})
        assert answer.status_code == 422
        assert why in answer.content.decode()
        assert not Endpoint.objects.exists()

    def test_the_same_address_twice_is_refused(self, client, tenant):
        for _ in range(2):
            answer = client.post(reverse("endpoints", args=["acme"]), {"url": "http://127.0.0.1:9999/hook"})
        assert "is there already" in answer.content.decode()
        assert Endpoint.objects.count() == SigningSecret.objects.count() == 1

    def test_it_can_be_changed_switched_and_given_a_new_secret(self, client, tenant):
        endpoint, first = endpoints.create(tenant=tenant, url="http://127.0.0.1:9999/", topics=[], by=None)
        address = reverse("endpoint", args=["acme", endpoint.pk])
        client.post(address, {"url": "http://127.0.0.1:9998/new", "topics": ["case.breached"]})
        endpoint.refresh_from_db()
        assert (endpoint.url, endpoint.topics) == ("http://127.0.0.1:9998/new", ["case.breached"])

        page = client.post(reverse("endpoint_secret", args=["acme", endpoint.pk])).content.decode()
        assert "whsec_" in page
        kept = {secrets.unseal(bytes(one.sealed)): one.until for one in endpoint.secrets.all()}
        assert len(kept) == 2
        assert kept[first] is not None

        client.post(reverse("endpoint_switch", args=["acme", endpoint.pk]), {"on": "0"})
        endpoint.refresh_from_db()
        assert not endpoint.is_active
        assert "Switch it on" in client.get(address).content.decode()
        actions = set(AuditEvent.objects.filter(tenant_id=tenant.pk).values_list("action", flat=True))
        assert {"endpoint.changed", "secret.replaced", "endpoint.switched_off"} <= actions

    def test_the_secret_of_callbacks_is_shown_when_it_is_made(self, client, tenant):
        page = client.post(reverse("callback_secret", args=["acme"])).content.decode()
        made = SigningSecret.objects.get(tenant=tenant, endpoint=None)
        assert secrets.unseal(bytes(made.sealed)).replace("+", "&#x2B;") in page.replace("+", "&#x2B;")
        assert "Its predecessor" not in page
        assert "Its predecessor" in client.post(reverse("callback_secret", args=["acme"])).content.decode()
