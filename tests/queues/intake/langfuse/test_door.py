import base64
import gzip
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hitl.access import tokens
from hitl.audit.models import AuditEvent
from hitl.models import ApiToken
from queues.models import ScoreName, Signal, Trace
from tests.factories.hitl import TenantFactory

pytestmark = pytest.mark.django_db
BEGAN = timezone.now() - timedelta(minutes=10)


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme", name="Acme")


@pytest.fixture
def secret(tenant):
    return tokens.issue(tenant=tenant, name="Langfuse", scopes=["ingest"])[1]


def basic(secret, public="pk-lf-anything"):
    return {"Authorization": f"Basic {base64.b64encode(f'{public}:{secret}'.encode()).decode()}"}


@pytest.fixture
def send(secret):
    def send(path, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body)
        answer = Client(raise_request_exception=False).post(
            f"/api/public/{path}", data, "application/json", headers={**basic(secret), **headers}
        )
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status_code, answer.json()

    return send


def at(seconds):
    return (BEGAN + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def event(kind, body, seconds=0, name=None):
    return {"id": name or f"e-{kind}-{seconds}", "type": kind, "timestamp": at(seconds), "body": body}


def batch(*events):
    return {"batch": list(events), "metadata": {"sdk_name": "python"}}


class TestIngestion:
    """As the SDKs of version 2 sent it, and those of version 3 their scores."""

    EVENTS = (
        event("trace-create", {
            "id": "t-1", "name": "support", "userId": "u-7", "sessionId": "chat-3", "release": "2026.11",
            "input": {"question": "Was I charged twice?"}, "tags": ["beta"], "metadata": {"topic": "refund"},
        }, 0),
        event("generation-create", {
            "id": "g-1", "traceId": "t-1", "name": "llm", "startTime": at(1), "model": "chat-large",
            "promptName": "support", "promptVersion": 7,
            "input": [{"role": "user", "content": "Was I charged twice?"}],
        }, 1),
        event("generation-update", {"id": "g-1", "traceId": "t-1", "endTime": at(3), "output": "Yes, on 3 October."},
              4),
        event("span-create", {
            "id": "s-1", "traceId": "t-1", "name": "refund tool", "startTime": at(1), "endTime": at(2),
        }, 2),
        event("trace-create", {"id": "t-1", "output": {"answer": "Yes, on 3 October."}}, 5),
        event("score-create", {"id": "sc-1", "traceId": "t-1", "name": "user-feedback", "value": 0}, 9),
        event("sdk-log", {"log": {"note": "x"}}, 9),
    )  # fmt: skip

    def test_a_trace_is_put_together_of_its_events(self, send, tenant):
        status, answer = send("ingestion", batch(*self.EVENTS))
        assert (status, answer["errors"]) == (207, [])
        assert [one["status"] for one in answer["successes"]] == [201] * len(self.EVENTS)
        trace = Trace.objects.get(tenant=tenant, external_id="t-1")
        assert (trace.input, trace.output) == ("Was I charged twice?", "Yes, on 3 October.")
        assert (trace.model, trace.prompt_version, trace.release) == ("chat-large", "support:7", "2026.11")
        assert (trace.session, trace.topic, trace.source) == ("chat-3", "refund", "langfuse")
        assert trace.at == BEGAN
        assert trace.metadata["tags"] == ["beta"]
        assert (trace.signals, trace.is_negative) == (1, True)

    def test_in_any_order_and_twice_it_is_the_same_trace(self, send):
        for one in [*reversed(self.EVENTS), *self.EVENTS]:
            assert send("ingestion", batch(one))[1]["errors"] == []
        trace = Trace.objects.get()
        assert (trace.input, trace.output, trace.model) == ("Was I charged twice?", "Yes, on 3 October.", "chat-large")
        assert Signal.objects.count() == 1

    def test_a_bad_event_is_answered_for_and_the_others_are_kept(self, send):
        status, answer = send("ingestion", batch(
            event("trace-create", {"id": "t-1", "input": "Hello?"}, name="good"),
            event("trace-create", {"input": "Whose?"}, name="no id"),
            event("span-create", {"id": "s", "traceId": "t-1", "startTime": "yesterday"}, name="no time"),
            event("score-create", {"traceId": "t-1", "name": "thumbs", "value": [1]}, name="no value"),
            event("dataset-run-item-create", {}, name="unknown"),
            "nonsense",
        ))  # fmt: skip
        assert status == 207
        assert [one["id"] for one in answer["successes"]] == ["good"]
        assert {one["id"]: one["message"] for one in answer["errors"]} == {
            "no id": "id: is missing.",
            "no time": "startTime: is not a time; write it like 2026-05-09T18:00:00Z.",
            "no value": "value: must be a number or a text.",
            "unknown": "type: dataset-run-item-create is not one that hitl keeps.",
            "": "The event must be an object with id, type, timestamp and body.",
        }
        assert Trace.objects.get().input == "Hello?"

    @pytest.mark.parametrize("body", [b"{", b'{"batch": 1}', b"[]", b'{"batch": [NaN]}', b""])
    def test_a_body_that_cannot_be_read_is_refused_whole(self, send, body):
        status, answer = send("ingestion", body)
        assert status == 400
        assert answer["error"] == "InvalidRequestError"
        assert not Trace.objects.exists()

    def test_what_swells_is_stopped(self, send):
        status, answer = send("ingestion", gzip.compress(b" " * 40_000_000), **{"Content-Encoding": "gzip"})
        assert status == 413
        assert "larger than" in answer["message"]


class TestScores:
    def test_one_alone_is_answered_with_its_id(self, send):
        assert send("scores", {"id": "s-1", "traceId": "t", "name": "thumbs", "value": 1}) == (200, {"id": "s-1"})
        status, answer = send("scores", {"traceId": "t", "name": "stars", "value": 4})
        assert (status, send("scores", {"traceId": "t", "name": "stars", "value": 4})[1]) == (200, answer)
        assert Signal.objects.count() == 2

    def test_several_are_accepted_or_counted(self, send):
        good = {"id": "s-1", "traceId": "t", "name": "thumbs", "value": 1, "timestamp": at(0)}
        assert send("scores", [good]) == (202, {"message": "Accepted"})
        status, answer = send("scores", [good, {"name": "thumbs", "value": 1}, {"traceId": "t", "value": 1}])
        assert (status, answer["accepted"], answer["rejected"]) == (207, 1, 2)
        assert [one["message"] for one in answer["errors"]] == [
            "It names no trace. Feedback is kept by the trace it is on; what is said of a session, a project or a data "
            "set is not.",
            "name: is missing.",
        ]

    def test_the_same_again_later_is_the_same(self, send):
        for seconds in (0, 60):
            sent = {"id": "s-1", "traceId": "t", "name": "thumbs", "value": 1, "timestamp": at(seconds)}
            assert send("scores", [sent])[0] == 202
        assert Signal.objects.count() == 1

    def test_one_alone_that_cannot_be_kept_says_why(self, send):
        status, answer = send("scores", {"traceId": "t", "name": "ok", "value": 2, "dataType": "BOOLEAN"})
        assert (status, answer["message"]) == (400, "value: must be 0 or 1 where dataType is BOOLEAN.")

    def test_its_name_is_noted_once_and_without_what_is_personal(self, send, tenant):
        for name in ("thumbs", "thumbs", "rating by ann@example.org", "bad\x00name"):
            send("scores", {"traceId": "t", "name": name, "value": 1})
        names = list(ScoreName.objects.filter(tenant=tenant).values_list("name", "meaning", "tool"))
        assert ("thumbs", "auto", "langfuse") in names
        assert len(names) == 2
        assert "ann@" not in str(names)


class TestWhoComesIn:
    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}, basic("sk-lf-other"), basic("hitl_0_x")])
    @pytest.mark.parametrize("path", ["scores", "ingestion", "otel/v1/traces"])
    def test_nobody_without_a_token(self, path, headers):
        answer = Client().post(f"/api/public/{path}", "[]", "application/json", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"] == "UnauthorizedError"

    def test_no_token_of_another_scope_and_none_that_was_revoked(self, tenant, secret):
        other = tokens.issue(tenant=tenant, name="Export", scopes=["export"])[1]
        assert Client().post("/api/public/scores", "[]", "application/json", headers=basic(other)).status_code == 403
        ApiToken.objects.update(revoked_at=timezone.now())
        answer = Client().post("/api/public/scores", "[]", "application/json", headers=basic(secret))
        assert (answer.status_code, "was revoked" in answer.json()["message"]) == (401, True)

    def test_what_is_not_done_is_said_in_its_shape(self, secret):
        assert Client().get("/api/public/scores", headers=basic(secret)).json()["error"] == "MethodNotAllowedError"
        answer = Client().get("/api/public/v2/prompts/x")
        assert (answer.status_code, answer.json()["error"]) == (404, "NotFoundError")
        assert Client().get("/api/public/health").json()["status"] == "OK"


def test_what_came_in_is_on_the_audit_record(send, tenant):
    send("scores", {"traceId": "t", "name": "thumbs", "value": 1})
    event = AuditEvent.objects.get(action="signals.received")
    assert event.detail["accepted"] == 1
    assert event.detail["source"].startswith("langfuse token")
