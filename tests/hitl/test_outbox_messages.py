import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from hitl.models import Endpoint, Message
from hitl.outbox import messages
from tests.factories.hitl import TenantFactory

pytestmark = pytest.mark.django_db


def endpoint(tenant, url="https://example.com/hook", **fields):
    return Endpoint.objects.create(tenant=tenant, url=url, **fields)


def post(tenant, **changes):
    event = {
        "tenant_id": tenant.pk,
        "topic": "case.decided",
        "key": "case:1",
        "payload": {"type": "case.decided", "data": {"answer": "Grüße “an” 東京"}},
        "not_before": timezone.now(),
    }
    return messages.post(**{**event, **changes})


def test_each_endpoint_that_wants_the_topic_gets_its_own_message():
    tenant = TenantFactory()
    every, some = endpoint(tenant), endpoint(tenant, "https://example.org/", topics=["case.decided", "case.breached"])
    endpoint(tenant, "https://other.example/", topics=["case.breached"])
    endpoint(tenant, "https://off.example/", is_active=False)
    endpoint(TenantFactory(), "https://foreign.example/")

    release = timezone.now() + timedelta(minutes=5)
    posted = post(tenant, not_before=release)

    assert {(m.endpoint_id, m.url) for m in posted} == {(every.pk, every.url), (some.pk, some.url)}
    for message in Message.objects.all():
        assert message.state == "waiting"
        assert message.next_attempt_at == release
        assert message.payload["data"]["answer"] == "Grüße “an” 東京"
        assert message.tenant == tenant
    assert len({m.uid for m in posted}) == 2


def test_an_address_given_with_the_case_is_told_too_but_never_twice():
    tenant = TenantFactory()
    endpoint(tenant, "https://example.com/hook")
    posted = post(
        tenant, extra_urls=["https://example.com/hook", "https://app.example/back", "https://app.example/back"]
    )
    assert sorted(m.url for m in posted) == ["https://app.example/back", "https://example.com/hook"]
    assert Message.objects.get(url="https://app.example/back").endpoint is None


def test_posting_takes_one_statement_however_many_endpoints_there_are(django_assert_num_queries):
    tenant = TenantFactory()
    for number in range(3):
        endpoint(tenant, f"https://example.com/{number}")
    with django_assert_num_queries(1):
        post(tenant, extra_urls=["https://app.example/"])
    silent = TenantFactory()
    with django_assert_num_queries(1):
        assert post(silent) == []


def test_the_server_behind_an_address_is_known():
    tenant = TenantFactory()
    (one,) = post(tenant, extra_urls=["https://app.example:8443/back?case=1#x"])
    one.refresh_from_db()
    assert one.destination == "https://app.example:8443"
    (mail,) = messages.email(to=["ada@example.org"], subject="Hello", body="…", key="queue:1", tenant_id=None)
    mail.refresh_from_db()
    assert mail.destination == "mailto:"


def test_only_what_nobody_tried_to_send_can_be_cancelled():
    tenant = TenantFactory()
    (waiting,) = post(tenant, extra_urls=["https://a.example/"])
    (tried,) = post(tenant, extra_urls=["https://b.example/"])
    (other,) = post(tenant, key="case:2", extra_urls=["https://a.example/"])
    Message.objects.filter(pk=tried.pk).update(attempts=1)

    assert messages.cancel(key="case:1", topic="case.decided") == 1
    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {waiting.pk: "cancelled", tried.pk: "waiting", other.pk: "waiting"}


def test_each_person_gets_an_e_mail_of_their_own():
    people = ["ada@example.org", "bo@example.org", "ada@example.org"]
    sent = messages.email(to=people, subject="Two\nlines", body="Text", key="queue:1", tenant_id=None)
    assert [m.payload["to"] for m in sent] == ["ada@example.org", "bo@example.org"]
    assert {m.payload["subject"] for m in sent} == {"Two lines"}


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_message_stands_or_falls_with_what_it_tells_about():
    tenant = TenantFactory()
    with pytest.raises(TransactionManagementError):
        post(tenant)
    with transaction.atomic():
        assert post(tenant, extra_urls=["https://a.example/"])
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_the_body_is_the_same_bytes_at_each_attempt():
    (message,) = post(TenantFactory(), extra_urls=["https://a.example/"])
    first, again = (messages.body_of(Message.objects.get(pk=message.pk).payload) for _ in range(2))
    assert first == again
    assert json.loads(first) == message.payload
