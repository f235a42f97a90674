import json
import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from hitl.audit.models import AuditEvent
from hitl.models import Message, SigningSecret
from hitl.outbox import addresses, endpoints, messages, resending, tools
from hitl.outbox.delivery import deliver_due
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.receiver import receiving

pytestmark = pytest.mark.django_db

KEY = "lsv2_pt_5e3c2e7t"
TRACE = "11112222-3333-4444-5555-666677778888"


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTBOX_ALLOW_PRIVATE = True


@pytest.fixture
def receiver():
    with receiving() as one:
        one.answer = 200
        yield one


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


@pytest.fixture
def tool(tenant, receiver):
    return tools.connect(
        tenant=tenant, kind="langsmith", url=receiver.url("/langsmith/"), key=KEY, project="", by=UserFactory()
    )


def decided(tenant, trace=TRACE, **more):
    data = {
        "case_id": "esc-1", "trace_id": trace, "tenant": "acme", "verdict": "reject", "categories": ["tone"],
        "codebook": "support", "codebook_version": 3, "revision": 1, "decided_by": "person", "url": "https://h/1",
        "decided_at": "2026-11-20T10:00:00+00:00", "received_at": "2026-11-20T09:00:00+00:00", **more,
    }  # fmt: skip
    (message,) = messages.post(
        tenant_id=tenant.pk, topic="case.decided", key="case:1", payload={"data": data}, not_before=timezone.now()
    )
    return message


def deliver(after=timedelta(seconds=1)):
    deliver_due(timezone.now() + after)
    return Message.objects.order_by("-pk").first()


def test_it_goes_as_the_tool_wants_it_with_its_key(tenant, tool, receiver):
    decided(tenant)
    assert deliver().state == "sent"
    (got,) = receiver.got
    assert (got.path, got.headers["x-api-key"]) == ("/langsmith/feedback", KEY)
    assert (got.payload["run_id"], got.payload["value"]) == (TRACE, "reject")
    assert "webhook-signature" not in got.headers


def test_what_it_has_already_is_changed(tenant, tool, receiver):
    receiver.answers.append(409)
    decided(tenant)
    message = deliver()
    # The receiver of webhooks answers no PATCH, which shows that one came.
    assert (message.state, "501" in message.last_error) == ("failing", True)


def test_what_it_does_not_take_is_tried_again_and_no_key_is_shown(tenant, tool, receiver, caplog):
    receiver.answer = (403, {}, f"the key {KEY} may not".encode())
    decided(tenant)
    with caplog.at_level(logging.DEBUG):
        message = deliver()
    assert (message.state, message.last_error) == ("failing", "It answered 403 Forbidden: “the key … may not”")
    receiver.answer = 200
    assert deliver(timedelta(minutes=1)).state == "sent"
    kept = json.dumps(
        [*Message.objects.values_list("payload", "last_error"), *AuditEvent.objects.values_list("detail")]
    )
    assert KEY not in kept + caplog.text
    assert KEY.encode() not in bytes(SigningSecret.objects.get().sealed)


def test_what_it_would_never_take_is_given_up_at_once(tenant, tool, receiver):
    decided(tenant, trace="t-1")
    message = deliver()
    assert (message.state, message.attempts) == ("given_up", 1)
    assert "knows its traces by a UUID" in message.last_error
    assert receiver.got == []


def test_what_has_no_trace_is_not_told(tenant, tool):
    posted = messages.post(
        tenant_id=tenant.pk, topic="case.decided", key="case:1", payload={"data": {"case_id": "x"}},
        not_before=timezone.now(),
    )  # fmt: skip
    assert posted == []


def test_while_it_is_paused_nothing_is_written_and_what_waits_stays(tenant, tool, receiver):
    decided(tenant)
    endpoints.switch(endpoint=tool, on=False, by=UserFactory())
    assert deliver().state == "waiting"
    endpoints.switch(endpoint=tool, on=True, by=UserFactory())
    assert deliver().state == "sent"


def test_removed_its_key_is_gone_and_what_waited_is_called_off(tenant, tool, receiver):
    message = decided(tenant)
    assert tools.remove(endpoint=tool, by=UserFactory()) == 1
    assert deliver().state == "cancelled"
    assert not SigningSecret.objects.exists()
    message.refresh_from_db()
    with pytest.raises(resending.CannotSend):
        resending.send_again(message=message, by=UserFactory())
    again = tools.connect(tenant=tenant, kind="langsmith", url=tool.url, key="k", project="", by=None)
    assert again.pk != tool.pk


def test_one_address_is_one_tool_and_none_may_be_private(tenant, tool, settings):
    with pytest.raises(tools.Taken):
        tools.connect(tenant=tenant, kind="langsmith", url=tool.url, key="k", project="", by=None)
    settings.OUTBOX_ALLOW_PRIVATE = False
    with pytest.raises(addresses.Refused):
        tools.connect(tenant=tenant, kind="phoenix", url="http://127.0.0.1:6006", key="", project="", by=None)
    decided(tenant)
    assert "where hitl does not send" in deliver().last_error


class TestTryingTheConnection:
    """To a server of the tool's own kind: that a hitl behind the same address answers well is tested with the SDKs."""

    def test_an_answer_that_is_none_of_the_tools_is_said(self, tool):
        # The receiver of webhooks answers no GET.
        assert tools.attempt(endpoint=tool, by=UserFactory()).startswith("It answered 501")

    def test_nobody_there(self, tenant, receiver):
        gone = tools.connect(tenant=tenant, kind="phoenix", url="http://127.0.0.1:1024", key="", project="", by=None)
        assert "The connection failed" in tools.attempt(endpoint=gone, by=UserFactory())
        assert AuditEvent.objects.filter(action="tool.tried").count() == 1
