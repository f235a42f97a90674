import socket
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from hitl.audit.models import AuditEvent
from hitl.models import Endpoint, Message, SigningSecret
from hitl.outbox import delivery, endpoints, messages, secrets
from hitl.outbox.delivery import Courier, deliver_due
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.receiver import receiving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTBOX_ALLOW_PRIVATE = True


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


def post(tenant, *urls, key="case:1", now=None, **data):
    return messages.post(
        tenant_id=tenant.pk,
        topic="case.decided",
        key=key,
        payload={"type": "case.decided", "data": data},
        not_before=now or timezone.now(),
        extra_urls=urls,
    )


def states():
    return list(Message.objects.order_by("pk").values_list("state", flat=True))


def test_a_message_arrives_signed_with_the_endpoints_secret(receiver):
    tenant = TenantFactory()
    _, secret = endpoints.create(tenant=tenant, url=receiver.url("/hook?a=1"), topics=[], by=None)
    (message,) = post(tenant, answer="Grüße “an” 東京")

    assert deliver_due(timezone.now()) == 1

    (got,) = receiver.got
    assert got.path == "/hook?a=1"
    assert got.headers["content-type"] == "application/json"
    assert got.verified(secret)["data"]["answer"] == "Grüße “an” 東京"
    with pytest.raises(WebhookVerificationError):
        got.verified(secrets.new())
    message.refresh_from_db()
    assert (message.state, message.attempts, message.last_error) == ("sent", 1, "")
    assert message.sent_at


def test_a_callback_is_signed_with_the_tenants_own_secret(receiver):
    tenant = TenantFactory()
    secret = endpoints.rotate(tenant=tenant, endpoint=None, by=None)
    post(tenant, receiver.url())
    deliver_due(timezone.now())
    assert receiver.got[0].verified(secret)


def test_nothing_ever_goes_out_unsigned(receiver):
    tenant = TenantFactory()
    post(tenant, receiver.url())
    deliver_due(timezone.now())
    made = SigningSecret.objects.get(tenant=tenant, endpoint=None)
    assert receiver.got[0].verified(secrets.unseal(bytes(made.sealed)))


def test_while_a_secret_is_replaced_both_fit(receiver):
    tenant = TenantFactory()
    endpoint, old = endpoints.create(tenant=tenant, url=receiver.url(), topics=[], by=None)
    new = endpoints.rotate(tenant=tenant, endpoint=endpoint, by=None)
    post(tenant)
    deliver_due(timezone.now())
    assert receiver.got[0].verified(old)
    assert receiver.got[0].verified(new)

    post(tenant)
    deliver_due(timezone.now() + endpoints.OVERLAP + timedelta(seconds=1))
    assert receiver.got[1].verified(new)
    with pytest.raises(WebhookVerificationError):
        receiver.got[1].verified(old)


def test_it_is_not_sent_before_its_time(receiver):
    now = timezone.now()
    post(TenantFactory(), receiver.url(), now=now + timedelta(minutes=5))
    assert deliver_due(now) == 0
    assert receiver.connections == 0
    assert deliver_due(now + timedelta(minutes=5)) == 1


def test_what_was_not_taken_comes_back_under_the_same_id(receiver):
    receiver.answers.extend([500, 404, (200, {}, b"ok")])
    (message,) = post(TenantFactory(), receiver.url())
    now = timezone.now()
    for wait in (0, 10, 60):
        now += timedelta(seconds=wait)
        deliver_due(now)
    assert len(receiver.got) == 3
    assert len({got.id for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 3)


def test_after_five_days_it_is_given_up(receiver):
    receiver.answer = (500, {}, b"no room\x00 <b>here</b> " + b"x" * 5000)
    (message,) = post(TenantFactory(), receiver.url())
    start = now = timezone.now()
    while message.state != "given_up":
        deliver_due(now)
        message.refresh_from_db()
        now = message.next_attempt_at
    assert timedelta(days=4) < now - start < timedelta(days=6)
    assert len(receiver.got) == message.attempts == 19
    assert message.last_error.startswith("It answered 500 Internal Server Error: “no room <b>here</b> xxx")
    assert len(message.last_error) < 260
    assert deliver_due(now + timedelta(days=30)) == 0


def test_a_later_message_waits_for_the_earlier_one_of_its_key(receiver):
    receiver.answers.append(500)
    tenant = TenantFactory()
    for revision in (1, 2, 3):
        post(tenant, receiver.url(), revision=revision)
    deliver_due(now := timezone.now())
    post(tenant, receiver.url(), key="case:2", revision=9, now=now)
    deliver_due(now)
    assert sorted(p["data"]["revision"] for p in receiver.payloads) == [1, 9]
    deliver_due(now + timedelta(seconds=10))
    assert [p["data"]["revision"] for p in receiver.payloads if p["data"]["revision"] != 9] == [1, 1, 2, 3]


def test_one_that_was_given_up_or_called_off_holds_nobody_up(receiver):
    tenant = TenantFactory()
    (first,) = post(tenant, receiver.url(), revision=1)
    post(tenant, receiver.url(), revision=2)
    Message.objects.filter(pk=first.pk).update(state="given_up")
    deliver_due(timezone.now())
    assert [p["data"]["revision"] for p in receiver.payloads] == [2]


def test_a_failing_address_does_not_hold_up_the_others(receiver):
    tenant = TenantFactory()
    with receiving() as failing:
        failing.answer = 500
        for revision in (1, 2):
            post(tenant, receiver.url(), failing.url(), revision=revision)
        deliver_due(timezone.now())
        assert [p["data"]["revision"] for p in receiver.payloads] == [1, 2]
        assert [p["data"]["revision"] for p in failing.payloads] == [1]


def test_whoever_dies_before_marking_has_it_sent_again(receiver):
    """The crash: a process claims and sends, and is gone before it writes down that it did."""
    post(TenantFactory(), receiver.url(), revision=1)
    now = timezone.now()
    dying = Courier()
    dying._launch(now)
    _wait_for(lambda: len(receiver.got) == 1)

    assert deliver_due(now + timedelta(seconds=30)) == 0
    assert deliver_due(now + delivery.LEASE) == 1
    assert [got.id for got in receiver.got] == [receiver.got[0].id] * 2
    assert states() == ["sent"]


def test_a_result_that_comes_after_the_lease_changes_nothing(receiver):
    receiver.answers.extend([500, 200])
    (message,) = post(TenantFactory(), receiver.url())
    now = timezone.now()
    late = Courier()
    late._launch(now)
    _wait_for(lambda: not late.back.empty())
    deliver_due(now + delivery.LEASE)
    assert states() == ["sent"]

    late.round(now + delivery.LEASE + timedelta(seconds=1))
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 2)


def test_a_result_that_comes_late_does_not_end_the_next_attempts_lease(receiver):
    receiver.answers.extend([500, 200])
    (message,) = post(TenantFactory(), receiver.url())
    now = timezone.now()
    late, second = Courier(), Courier()
    late._launch(now)
    _wait_for(lambda: not late.back.empty())
    second._launch(now + delivery.LEASE)
    message.refresh_from_db()
    lease = message.next_attempt_at

    late._settle(now + delivery.LEASE)
    message.refresh_from_db()
    assert (message.state, message.next_attempt_at) == ("waiting", lease)
    second.round(now + delivery.LEASE, patience=10)
    assert states() == ["sent"]


def test_a_slow_receiver_gets_a_few_at_once_and_leaves_room_for_others(receiver):
    receiver.takes = 1.0
    tenant = TenantFactory()
    for number in range(12):
        post(tenant, receiver.url(), key=f"case:{number}")
    with receiving() as quick:
        post(tenant, quick.url(), key="case:99")
        courier = Courier()
        courier.round(timezone.now(), patience=0.5)
        assert len(quick.got) == 1
        assert receiver.most_at_once == delivery.EACH
        courier.round(timezone.now(), patience=30)
    assert len(receiver.got) == 12
    assert set(states()) == {"sent"}


def test_a_receiver_that_is_not_there_is_tried_with_one_message_ever_less_often():
    with receiving() as gone:
        url = gone.url()
    tenant = TenantFactory()
    for number in range(50):
        post(tenant, url, key=f"case:{number}")
    courier, now = Courier(), timezone.now()
    for _ in range(600):
        courier.round(now, patience=5)
        now += timedelta(seconds=1)
    tried = sum(Message.objects.values_list("attempts", flat=True))
    # Four at once at first, then one after pauses of 5, 10, 20, ... 300 seconds.
    assert 4 <= tried <= 14
    assert "refused" in Message.objects.filter(attempts__gt=0)[0].last_error

    with receiving() as back:
        Message.objects.update(url=back.url())
        courier.troubles = {back.url("").rstrip("/"): delivery.Trouble(5, now + timedelta(minutes=5))}
        courier.round(now, patience=5)
        assert back.connections == 0
        courier.round(now + timedelta(hours=1), patience=30)
        assert len(back.got) == 50


def test_410_switches_the_endpoint_off_on_the_record(receiver):
    receiver.answer = 410
    tenant = TenantFactory()
    endpoint, _ = endpoints.create(tenant=tenant, url=receiver.url(), topics=[], by=None)
    post(tenant, key="case:1")
    deliver_due(timezone.now())
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert "410" in endpoint.off_because
    assert states() == ["given_up"]
    assert AuditEvent.objects.filter(action="endpoint.switched_off", subject=f"endpoint:{endpoint.pk}").exists()


def test_what_waits_for_an_endpoint_that_is_off_goes_out_when_it_is_on_again(receiver):
    tenant, lead = TenantFactory(), UserFactory()
    endpoint, _ = endpoints.create(tenant=tenant, url=receiver.url(), topics=[], by=lead)
    post(tenant)
    endpoints.switch(endpoint=endpoint, on=False, by=lead)
    assert deliver_due(timezone.now()) == 0
    endpoints.switch(endpoint=endpoint, on=True, by=lead)
    assert deliver_due(timezone.now()) == 1


def test_what_waits_follows_its_endpoint_to_the_new_address(receiver):
    tenant, lead = TenantFactory(), UserFactory()
    with receiving() as gone:
        endpoint, _ = endpoints.create(tenant=tenant, url=gone.url("/wrong"), topics=[], by=lead)
    post(tenant)
    deliver_due(timezone.now())
    assert states() == ["failing"]
    endpoints.change(endpoint=endpoint, url=receiver.url("/right"), topics=[], by=lead)
    deliver_due(timezone.now())
    assert [got.path for got in receiver.got] == ["/right"]
    assert states() == ["sent"]


def test_a_redirect_is_not_followed_and_says_so(receiver):
    with receiving() as elsewhere:
        receiver.answer = (302, {"Location": elsewhere.url()}, b"")
        (message,) = post(TenantFactory(), receiver.url())
        deliver_due(timezone.now())
        assert elsewhere.connections == 0
    message.refresh_from_db()
    assert message.state == "failing"
    assert "redirect, which is not followed" in message.last_error


@pytest.mark.parametrize("answer", [None, (200, {"Content-Length": "nonsense"}, b"")])
def test_an_answer_that_is_none_is_a_failure_in_words(receiver, answer):
    receiver.answer = answer
    (message,) = post(TenantFactory(), receiver.url())
    deliver_due(timezone.now())
    message.refresh_from_db()
    assert message.state == "failing"
    assert message.last_error.startswith("It did not speak HTTP as expected")


def test_a_receiver_that_drips_is_left_at_the_deadline(monkeypatch):
    monkeypatch.setattr("hitl.outbox.http.TIMEOUT", 1.0)
    monkeypatch.setattr("hitl.outbox.http.post.__kwdefaults__", {"timeout": 1.0})
    listener = socket.create_server(("127.0.0.1", 0))
    (message,) = post(TenantFactory(), f"http://127.0.0.1:{listener.getsockname()[1]}/")
    courier = Courier()
    courier._launch(timezone.now())
    dripping, _ = listener.accept()
    for _ in range(30):
        try:
            dripping.send(b"H")
        except OSError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("hitl was still listening after three times its deadline")
    courier.round(timezone.now(), patience=5)
    message.refresh_from_db()
    assert message.state == "failing"
    listener.close()


def test_a_secret_of_another_installation_key_stops_nothing_but_its_own(receiver, settings):
    tenant, other = TenantFactory(), TenantFactory()
    endpoints.create(tenant=tenant, url=receiver.url(), topics=[], by=None)
    (unreadable,) = post(tenant)
    settings.SECRET_KEY = "changed"
    post(other, receiver.url(), key="case:2")
    deliver_due(timezone.now())
    assert states() == ["failing", "sent"]
    unreadable.refresh_from_db()
    assert "Make a new secret" in unreadable.last_error


def test_e_mails_go_out_as_messages_do(settings):
    people = ["ada@example.org", "bo@example.org"]
    messages.email(to=people, subject="Late", body="Three cases.", key="queue:1", tenant_id=None)
    deliver_due(timezone.now())
    assert sorted((m.to[0], m.subject, m.body) for m in mail.outbox) == [
        ("ada@example.org", "Late", "Three cases."),
        ("bo@example.org", "Late", "Three cases."),
    ]
    assert states() == ["sent", "sent"]


def test_a_mail_server_that_is_not_there_is_a_failure_in_words(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    messages.email(to=["ada@example.org"], subject="Late", body="", key="queue:1", tenant_id=None)
    deliver_due(timezone.now())
    (message,) = Message.objects.all()
    assert message.state == "failing"
    assert message.last_error.startswith("The mail server can't be used:")


def test_the_test_event_goes_to_its_endpoint_alone(receiver):
    tenant, lead = TenantFactory(), UserFactory()
    endpoint, secret = endpoints.create(tenant=tenant, url=receiver.url(), topics=["case.breached"], by=lead)
    with receiving() as other:
        endpoints.create(tenant=tenant, url=other.url(), topics=[], by=lead)
        endpoints.test(endpoint=endpoint, by=lead)
        deliver_due(timezone.now())
        assert other.connections == 0
    assert receiver.got[0].verified(secret)["type"] == "test"


def test_a_server_of_many_tenants_has_its_few_at_once_in_all():
    with receiving() as shared:
        shared.takes = 0.3
        for number in range(8):
            tenant = TenantFactory()
            Endpoint.objects.create(tenant=tenant, url=shared.url(f"/{number}"))
            post(tenant)
        deliver_due(timezone.now())
        assert len(shared.got) == 8
        assert shared.most_at_once <= delivery.EACH


def _wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.05)
