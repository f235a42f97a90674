"""OpenInference's instrumentation: its decorators and attribute makers, exported over OTLP to the door of Phoenix."""

import pytest
from openinference.instrumentation import (
    TracerProvider,
    get_annotation_attributes,
    get_llm_attributes,
    get_reranker_attributes,
    get_retriever_attributes,
    using_attributes,
)
from openinference.semconv.resource import ResourceAttributes
from opentelemetry import trace as otel
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from queues.models import JudgeVerdict, Signal, Trace

pytestmark = [pytest.mark.sdk, pytest.mark.django_db(transaction=True, databases=["default", "owner"])]


@pytest.fixture
def tracer(live_server, secret):
    provider = TracerProvider(resource=Resource.create({ResourceAttributes.PROJECT_NAME: "support"}))
    headers = {"authorization": f"Bearer {secret}", "x-project-name": "support"}
    provider.add_span_processor(
        SimpleSpanProcessor(OTLPSpanExporter(f"{live_server.url}/phoenix/v1/traces", headers=headers))
    )
    yield provider.get_tracer("tests")
    provider.shutdown()


def name_of(span):
    return otel.format_trace_id(span.get_span_context().trace_id)


@pytest.fixture
def ask(tracer):
    """A product as somebody decorates it."""

    @tracer.tool(name="payments", description="What was paid.")
    def payments(month: int) -> dict:
        return {"payments": 2}

    def retrieve(question):
        with tracer.start_as_current_span("retrieve", openinference_span_kind="retriever") as span:
            span.set_input(question)
            span.set_attributes(
                get_retriever_attributes(
                    documents=[
                        {"id": "refunds-4.1", "content": "Ask first.", "score": 0.2, "metadata": {"title": "Asking"}},
                        {"id": "refunds-4.2", "content": "Need an error.", "score": 0.9},
                    ]
                )
            )

    @tracer.llm(
        process_input=lambda question: get_llm_attributes(
            model_name="chat-large",
            input_messages=[
                {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi."},
                {"role": "assistant", "content": "Hello."}, {"role": "user", "content": question},
            ],
        ),
        process_output=lambda answer: get_llm_attributes(output_messages=[{"role": "assistant", "content": answer}]),
    )  # fmt: skip
    def answer(question: str) -> str:
        otel.get_current_span().set_attributes(
            get_annotation_attributes(
                annotations=[
                    {"name": "groundedness", "score": 0.3, "label": "fail", "annotator_kind": "LLM",
                     "metadata": {"version": "7"}},
                    {"name": "user_feedback", "label": "thumbs-down", "annotator_kind": "HUMAN"},
                ]
            )
        )  # fmt: skip
        return "You were."

    @tracer.chain
    def run(question: str) -> str:
        run.span = otel.get_current_span()
        retrieve(question)
        payments(month=10)
        return answer(question)

    return run


def test_a_decorated_product_is_seen_whole(ask, kept):
    with using_attributes(session_id="s-1", user_id="u-7", metadata={"plan": "pro"}, tags=["beta"]):
        ask("Was I charged twice?")
    trace = kept(name_of(ask.span))
    assert (trace.source, trace.input, trace.output) == ("phoenix", "Was I charged twice?", "You were.")
    assert [turn["content"] for turn in trace.conversation] == ["Be kind.", "Hi.", "Hello."]
    assert trace.documents == [
        {"document_id": "refunds-4.2", "quote": "Need an error.", "score": 0.9},
        {"document_id": "refunds-4.1", "quote": "Ask first.", "score": 0.2, "title": "Asking"},
    ]
    (tool,) = trace.tools
    assert (tool["name"], tool["status"], tool["arguments"], tool["output"]) == (
        "payments", "ok", {"month": 10}, {"payments": 2},
    )  # fmt: skip
    assert (trace.model, trace.user_key, trace.session) == ("chat-large", "u-7", "s-1")
    assert trace.metadata["plan"] == "pro"
    assert trace.metadata["tags"] == ["beta"]
    assert trace.metadata["project"] == "support"


def test_annotations_in_spans_are_signals_and_scores(ask, kept):
    ask("Was I charged twice?")
    trace = kept(name_of(ask.span))
    assert trace.scores["groundedness"] == 0.3
    verdict = JudgeVerdict.objects.get()
    assert (verdict.judge, verdict.judge_version, verdict.verdict) == ("groundedness", "7", "reject")
    assert (Signal.objects.get().value, trace.is_negative) == (1.0, True)


def test_a_reranker_has_the_last_word_on_documents(tracer, kept):
    found = [{"id": "a", "content": "A", "score": 0.9}, {"id": "b", "content": "B", "score": 0.5}]
    with tracer.start_as_current_span("ask", openinference_span_kind="chain") as root:
        with tracer.start_as_current_span("find", openinference_span_kind="retriever") as span:
            span.set_attributes(get_retriever_attributes(documents=found))
        with tracer.start_as_current_span("rank", openinference_span_kind="reranker") as span:
            ranked = [{"id": "b", "content": "B", "score": 7.5}]
            span.set_attributes(get_reranker_attributes(query="q", input_documents=found, output_documents=ranked))
    assert [one["document_id"] for one in kept(name_of(root)).documents] == ["b"]


def test_an_evaluator_that_links_to_a_span_speaks_of_its_trace(ask, tracer, kept):
    ask("Was I charged twice?")
    link = otel.Link(ask.span.get_span_context())
    told = get_annotation_attributes(annotations=[{"name": "tone", "score": 0.8, "annotator_kind": "LLM"}])
    with tracer.start_as_current_span("judge", openinference_span_kind="evaluator", links=[link]) as judging:
        judging.set_attributes(told)
    assert kept(name_of(ask.span)).scores["tone"] == 0.8
    assert not Trace.objects.filter(external_id=name_of(judging)).exists()
