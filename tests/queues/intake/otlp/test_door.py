import gzip
import json
import zlib

import pytest
from django.test import Client
from django.utils import timezone
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from hitl.access import tokens
from queues.intake.signals import signals
from queues.models import JudgeVerdict, Signal, Span, Trace
from tests.factories.hitl import TenantFactory

pytestmark = pytest.mark.django_db

PROTOBUF = "application/x-protobuf"
TRACE, ROOT, CHILD = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"
NOW = int(timezone.now().timestamp())


@pytest.fixture
def tenant():
    return TenantFactory()


@pytest.fixture
def send(tenant):
    secret = tokens.issue(tenant=tenant, name="otel", scopes=["ingest"])[1]

    def post(body, kind=PROTOBUF, **headers):
        return Client().generic(
            "POST", "/v1/traces", body, CONTENT_TYPE=kind, headers={"Authorization": f"Bearer {secret}", **headers}
        )

    return post


def attribute(key, value):
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    if isinstance(value, list):
        return {"key": key, "value": {"arrayValue": {"values": [attribute("", one)["value"] for one in value]}}}
    return {"key": key, "value": {kinds[type(value)]: str(value) if type(value) is int else value}}


def span(number=ROOT, parent="", started=0.0, took=1.0, name="chat", attributes=(), **more):
    start = int((NOW - 60 + started) * 1e9)
    return {
        "traceId": TRACE, "spanId": number, "parentSpanId": parent, "name": name, "kind": 3,
        "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + int(took * 1e9)),
        "attributes": [attribute(*pair) for pair in dict(attributes).items()], **more,
    }  # fmt: skip


def request(*spans, resource=None):
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [attribute(*pair) for pair in (resource or {}).items()]},
                "scopeSpans": [{"scope": {"name": "tests"}, "spans": list(spans)}],
            }
        ]
    }


def protobuf(sent):
    """The same request in the other encoding, made by hand: protobuf's own JSON reader takes ids for base64."""
    made = ExportTraceServiceRequest()
    for resource in sent["resourceSpans"]:
        made_resource = made.resource_spans.add()
        _attributes(made_resource.resource.attributes, resource["resource"]["attributes"])
        for scope in resource["scopeSpans"]:
            made_scope = made_resource.scope_spans.add()
            for one in scope["spans"]:
                new = made_scope.spans.add(
                    trace_id=bytes.fromhex(one["traceId"]), span_id=bytes.fromhex(one["spanId"]),
                    parent_span_id=bytes.fromhex(one["parentSpanId"]), name=one["name"],
                    start_time_unix_nano=int(one["startTimeUnixNano"]), end_time_unix_nano=int(one["endTimeUnixNano"]),
                )  # fmt: skip
                _attributes(new.attributes, one["attributes"])
                for event in one.get("events", ()):
                    at = new.events.add(name=event["name"], time_unix_nano=int(event["timeUnixNano"]))
                    _attributes(at.attributes, event["attributes"])
    return made.SerializeToString()


def _attributes(target, given):
    for pair in given:
        _value(target.add(key=pair["key"]).value, pair["value"])


def _value(target, given):
    ((kind, held),) = given.items()
    if kind == "arrayValue":
        target.array_value.SetInParent()
        for one in held["values"]:
            _value(target.array_value.values.add(), one)
    else:
        setattr(target, kind.replace("Value", "_value"), int(held) if kind == "intValue" else held)


CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "chat-large",
    "gen_ai.input.messages": json.dumps(
        [
            {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
            {"role": "user", "parts": [{"type": "text", "content": "Was I charged twice?"}]},
        ]
    ),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "You were."}], "finish_reason": "stop"}]
    ),
}
EVALUATED = {
    "name": "gen_ai.evaluation.result", "timeUnixNano": str(NOW * 10**9),
    "attributes": [
        attribute("gen_ai.evaluation.name", "Relevance"), attribute("gen_ai.evaluation.score.value", 0.4),
        attribute("gen_ai.evaluation.score.label", "fail"),
    ],
}  # fmt: skip


def encoded(sent, kind):
    return protobuf(sent) if kind == PROTOBUF else json.dumps(sent).encode()


class TestAnExport:
    @pytest.mark.parametrize("kind", [PROTOBUF, "application/json"])
    def test_becomes_a_trace_in_either_encoding(self, send, tenant, kind):
        sent = request(
            span(name="POST /ask", attributes={"user.id": "u-7"}),
            span(CHILD, ROOT, 0.2, 0.6, attributes=CHAT, events=[EVALUATED]),
            resource={"service.name": "support", "service.version": "2026.11"},
        )
        answer = send(encoded(sent, kind), kind)

        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
        if kind == PROTOBUF:
            assert not ExportTraceServiceResponse.FromString(answer.content).HasField("partial_success")
        else:
            assert answer.json() == {"partialSuccess": {}}
        trace = Trace.objects.get(tenant=tenant)
        assert (trace.external_id, trace.source, trace.latency_ms) == (TRACE, "otlp", 1000)
        assert (trace.input, trace.output) == ("Was I charged twice?", "You were.")
        assert (trace.model, trace.release, trace.user_key) == ("chat-large", "2026.11", "u-7")
        assert trace.conversation == [{"role": "system", "content": "Be kind."}]
        assert trace.scores == {"Relevance": 0.4}
        assert trace.metadata == {"service": "support", "Relevance": "fail"}
        verdict = JudgeVerdict.objects.get(tenant=tenant)
        assert (verdict.judge, verdict.score, verdict.verdict, verdict.trace_id) == ("Relevance", 0.4, "reject", TRACE)

    @pytest.mark.parametrize(("packing", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
    def test_may_be_packed(self, send, packing, pack):
        body = pack(protobuf(request(span(attributes=CHAT))))
        assert send(body, **{"Content-Encoding": packing}).status_code == 200
        assert Trace.objects.get().output == "You were."

    def test_of_which_some_spans_are_unfit_is_taken_but_for_those(self, send, tenant):
        ahead = span(CHILD, started=7200)
        answer = send(protobuf(request(ahead, span("00" * 8), span(attributes=CHAT))))
        assert answer.status_code == 200
        said = ExportTraceServiceResponse.FromString(answer.content).partial_success
        assert said.rejected_spans == 2
        assert "in the future" in said.error_message
        assert "no span id" in said.error_message
        assert Span.objects.filter(tenant=tenant).count() == 1

    def test_sent_again_changes_nothing(self, send):
        body = protobuf(request(span(attributes=CHAT), span(CHILD, ROOT)))
        for _ in range(2):
            answer = send(body)
            assert answer.content == b""
        assert (Trace.objects.count(), Span.objects.count()) == (1, 2)

    def test_with_nothing_in_it_is_fine(self, send):
        assert send(b"").status_code == 200
        assert send(b"{}", "application/json").status_code == 200

    def test_in_json_may_hold_one_span_that_is_wrong(self, send):
        sent = request(
            {**span(), "traceId": "not hex"}, {**span(), "startTimeUnixNano": {}}, "x", span(attributes=CHAT)
        )
        answer = send(json.dumps(sent).encode(), "application/json").json()
        assert answer["partialSuccess"]["rejectedSpans"] == "3"
        assert "hexadecimal" in answer["partialSuccess"]["errorMessage"]
        assert Trace.objects.get().output == "You were."

    def test_gives_waiting_signals_to_its_traces(self, send, tenant):
        down = {"type": "user_rating", "trace_id": TRACE, "thumbs": "down"}
        signals([down], tenant=tenant, now=timezone.now(), source="api")
        assert Signal.objects.get().trace_id is None
        send(protobuf(request(span(attributes=CHAT))))
        trace = Trace.objects.get()
        assert Signal.objects.get().trace_id == trace.id
        assert (trace.signals, trace.is_negative) == (1, True)


class TestWhatIsRefused:
    def test_without_a_token_that_may_ingest(self, tenant):
        feedback = tokens.issue(tenant=tenant, name="x", scopes=["feedback"])[1]
        assert Client().post("/v1/traces", b"", PROTOBUF).status_code == 401
        answer = Client().post("/v1/traces", b"x", PROTOBUF, headers={"Authorization": f"Bearer {feedback}"})
        assert answer.status_code == 403
        assert b"needs one for ingest" in answer.content
        assert answer.headers["Content-Type"] == PROTOBUF

    @pytest.mark.parametrize(
        ("body", "kind", "headers", "status", "words"),
        [
            (protobuf(request(span(attributes=CHAT)))[:-7], PROTOBUF, {}, 400, "cut off"),
            (b'{"resourceSpans": [', "application/json", {}, 400, "not JSON"),
            (b'{"resourceSpans": 7}', "application/json", {}, 400, "resourceSpans"),
            (b"[]", "application/json", {}, 400, "resourceSpans"),
            (b'{"a":' * 5000, "application/json", {}, 400, "not JSON"),
            (b"x", "text/plain", {}, 415, "Content-Type"),
            (b"x", PROTOBUF, {"Content-Encoding": "br"}, 415, "br"),
            (b"xyz" * 9, PROTOBUF, {"Content-Encoding": "gzip"}, 400, "gzip"),
            (gzip.compress(b"abc", mtime=0)[:-9], PROTOBUF, {"Content-Encoding": "gzip"}, 400, "cut off"),
            (
                gzip.compress(bytes(200_000_000), 1, mtime=0),
                PROTOBUF,
                {"Content-Encoding": "gzip"},
                413,
                "MAX_EXPORT_BATCH_SIZE",
            ),
            (bytes(33 * 1024 * 1024), PROTOBUF, {}, 413, "32 MB"),
        ],
    )
    def test_says_why_in_the_protocols_own_shape(self, send, body, kind, headers, status, words):
        answer = send(body, kind, **headers)
        assert answer.status_code == status
        if kind == PROTOBUF:
            assert answer.content[:1] == b"\x12"
            assert words in answer.content.decode(errors="replace")
        else:
            assert words in answer.json()["message"]
        assert not Trace.objects.exists()

    def test_other_methods(self, send):
        answer = Client().get("/v1/traces")
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/json")

    def test_a_span_of_twenty_megabytes_alone(self, send):
        huge = span(CHILD, ROOT, attributes={**CHAT, "gen_ai.output.messages": "x" * 20_000_000})
        answer = send(protobuf(request(huge, span(attributes=CHAT))))
        said = ExportTraceServiceResponse.FromString(answer.content).partial_success
        assert (answer.status_code, said.rejected_spans) == (200, 1)
        assert "20,000," in said.error_message
        assert Trace.objects.get().output == "You were."
