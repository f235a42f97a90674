"""OpenTelemetry's own SDK and exporter: an address and a header are all that changes on a product's side."""

import json

import pytest
from opentelemetry import trace as otel
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Status, StatusCode

from queues.models import JudgeVerdict, Span, Trace

pytestmark = [pytest.mark.sdk, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]


@pytest.fixture(params=[Compression.Gzip, Compression.Deflate, Compression.NoCompression], ids=lambda it: it.value)
def exporter(request, live_server, secret):
    headers = {"Authorization": f"Bearer {secret}"}
    return OTLPSpanExporter(f"{live_server.url}/v1/traces", headers=headers, compression=request.param)


@pytest.fixture
def tracer(exporter):
    provider = TracerProvider(
        resource=Resource.create({"service.name": "support", "service.version": "2026.11.2", "hitl.domain": "billing"})
    )
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=60_000))
    yield provider.get_tracer("tests")
    provider.shutdown()


def flush(tracer):
    assert tracer.span_processor.force_flush(20_000)


def chat(question, answer, **more):
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "chat-large",
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be kind."}]),
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": question}]}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": answer}]}]),
        **more,
    }


def test_a_product_with_genai_spans_is_seen_whole(tracer, kept):
    with tracer.start_as_current_span("POST /ask", attributes={"user.id": "u-7", "session.id": "s-1"}) as root:
        found = {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "refund twice",
            "gen_ai.retrieval.documents": json.dumps([{"id": "refunds-4.2", "score": 0.9, "content": "An error."}]),
        }
        tracer.start_span("retrieval refunds", attributes=found).end()
        called = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "payments",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": '{"month": 10}',
        }
        with tracer.start_as_current_span("execute_tool payments", attributes=called) as tool:
            tool.set_status(Status(StatusCode.ERROR, "timed out"))
        with tracer.start_as_current_span(
            "chat chat-large", attributes=chat("Was I charged twice?", "You were.")
        ) as llm:
            result = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.4}
            llm.add_event("gen_ai.evaluation.result", result)
    flush(tracer)

    trace = kept(otel.format_trace_id(root.get_span_context().trace_id))
    assert (trace.input, trace.output, trace.source) == ("Was I charged twice?", "You were.", "otlp")
    assert trace.conversation == [{"role": "system", "content": "Be kind."}]
    assert trace.documents == [{"document_id": "refunds-4.2", "score": 0.9, "quote": "An error."}]
    assert trace.tools == [{"name": "payments", "status": "failed", "arguments": {"month": 10}, "output": "timed out"}]
    assert (trace.model, trace.release, trace.domain) == ("chat-large", "2026.11.2", "billing")
    assert (trace.user_key, trace.session, trace.scores) == ("u-7", "s-1", {"relevance": 0.4})
    assert JudgeVerdict.objects.get().trace_id == trace.external_id
    assert trace.latency_ms is not None


def test_spans_that_are_sent_one_by_one_grow_into_the_same_trace(tracer, kept):
    with tracer.start_as_current_span("ask") as root:
        tracer.start_span("chat", attributes=chat("Hello?", "Yes?")).end()
        flush(tracer)
        name = otel.format_trace_id(root.get_span_context().trace_id)
        assert kept(name).output == "Yes?"
        root.set_attribute("user.id", "u-9")
    flush(tracer)
    assert kept(name).user_key == "u-9"
    assert Span.objects.count() == 2


def test_spans_in_the_old_way_of_events(tracer, kept):
    with tracer.start_as_current_span(
        "chat", attributes={"gen_ai.system": "openai", "gen_ai.request.model": "m"}
    ) as span:
        span.add_event("gen_ai.system.message", {"content": "Be kind."})
        span.add_event("gen_ai.user.message", {"content": "Hello?"})
        span.add_event("gen_ai.choice", {"index": 0, "message": json.dumps({"content": "Yes?"})})
    flush(tracer)
    trace = kept(otel.format_trace_id(span.get_span_context().trace_id))
    assert (trace.input, trace.output, trace.conversation) == (
        "Hello?", "Yes?", [{"role": "system", "content": "Be kind."}],
    )  # fmt: skip


def test_a_wrong_token_is_said_and_not_tried_again(live_server, tenant, caplog):
    exporter = OTLPSpanExporter(f"{live_server.url}/v1/traces", headers={"Authorization": "Bearer hitl_wrong"})
    provider = TracerProvider()
    span = provider.get_tracer("tests").start_span("ask")
    span.end()
    assert exporter.export([span]) is SpanExportResult.FAILURE
    assert "401" in caplog.text
    assert not Trace.objects.exists()
