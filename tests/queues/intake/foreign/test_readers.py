"""What tracing tools write on spans, as far as it is known of them, and what is read out of it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.intake.foreign.readers import READERS
from queues.intake.foreign.said import Event, Said, Sent, read

START = datetime(2026, 11, 20, tzinfo=UTC)


def sent(*events, name="span", links=(), failed="", resource=None, **attributes):
    attributes = {key.replace("__", "."): value for key, value in attributes.pop("has", {}).items()} | attributes
    return Sent(
        "t", "s", "", name, START, START, attributes,
        tuple(Event(called, START, given) for called, given in events), tuple(links), failed, resource or {},
    )  # fmt: skip


def content(one):
    return read(one, READERS).span.content


def said(one, *names):
    found = content(one)
    return {name: found[name] for name in names or found if name in found}


def turn(role, text):
    return {"role": role, "parts": [{"type": "text", "content": text}]}


SYSTEM = [{"role": "system", "content": "Be kind."}]
ASKED = {"role": "user", "content": "How?"}


class TestModelCalls:
    """The same exchange as each of the conventions writes it."""

    @pytest.mark.parametrize(
        "one",
        [
            pytest.param(
                sent(has={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be kind."}]),
                    "gen_ai.input.messages": json.dumps([turn("user", "How?")]),
                    "gen_ai.output.messages": [turn("assistant", "So.")],
                    "gen_ai.response.model": "m",
                }), id="GenAI"),
            pytest.param(
                sent(
                    ("gen_ai.client.inference.operation.details", {
                        "gen_ai.input.messages": json.dumps([turn("system", "Be kind."), turn("user", "How?")]),
                        "gen_ai.output.messages": json.dumps([turn("assistant", "So.")]),
                    }),
                    has={"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"},
                ), id="GenAI, details in an event"),
            pytest.param(
                sent(has={
                    "gen_ai.request.model": "m",
                    "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be kind.",
                    "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "How?",
                    "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "So.",
                }), id="numbered attributes"),
            pytest.param(
                sent(
                    ("gen_ai.system.message", {"content": "Be kind."}), ("gen_ai.user.message", {"content": "How?"}),
                    ("gen_ai.choice", {"message": '{"role": "assistant", "content": "So."}'}),
                    has={"gen_ai.request.model": "m"},
                ), id="an event a message"),
            pytest.param(
                sent(
                    ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps([*SYSTEM, ASKED])}),
                    ("gen_ai.content.completion", {"gen_ai.completion": '[{"role": "assistant", "content": "So."}]'}),
                    has={"gen_ai.request.model": "m"},
                ), id="two events"),
            pytest.param(
                sent(has={
                    "openinference.span.kind": "LLM", "llm.model_name": "m",
                    "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be kind.",
                    "llm.input_messages.1.message.role": "user",
                    "llm.input_messages.1.message.contents.0.message_content.type": "text",
                    "llm.input_messages.1.message.contents.0.message_content.text": "How?",
                    "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "So.",
                    "input.value": '{"messages": "raw"}', "output.value": '{"raw": 1}',
                }), id="OpenInference"),
            pytest.param(
                sent(has={
                    "ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "m",
                    "ai.prompt.messages": json.dumps(
                        [*SYSTEM, {"role": "user", "content": [{"type": "text", "text": "How?"}]}]),
                    "ai.response.text": "So.",
                }), id="Vercel's AI SDK"),
        ],
    )  # fmt: skip
    def test_say_what_was_asked_and_answered(self, one):
        made = read(one, READERS).span
        assert made.kind == "llm"
        assert said(one, "input", "output", "conversation", "model") == {
            "input": "How?", "output": "So.", "conversation": SYSTEM, "model": "m",
        }  # fmt: skip

    def test_the_last_question_is_the_input_and_what_came_before_the_conversation(self):
        turns = [
            {"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "How?"},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}]},
            {"role": "tool", "tool_call_id": "1", "content": '{"found": 2}'},
        ]  # fmt: skip
        one = sent(has={"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(turns)})
        assert said(one, "input", "conversation", "tools") == {
            "input": "How?",
            "conversation": [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}],
            "tools": [{"id": "1", "name": "look", "arguments": {"a": 1}, "output": {"found": 2}, "status": "ok"}],
        }

    def test_tools_that_are_only_asked_for_have_no_result(self):
        parts = [{"type": "tool_call", "id": "1", "name": "look", "arguments": {"a": 1}}]
        one = sent(
            has={"gen_ai.operation.name": "chat", "gen_ai.output.messages": [{"role": "assistant", "parts": parts}]}
        )
        assert said(one, "output", "tools") == {"tools": [{"id": "1", "name": "look", "arguments": {"a": 1}}]}

    @pytest.mark.parametrize("name", ["response", "result"])
    def test_a_tools_answer_goes_by_two_names(self, name):
        parts = [{"type": "tool_call_response", "id": "1", name: "done"}]
        turns = [{"role": "user", "content": "How?"}, {"role": "tool", "parts": parts}]
        one = sent(has={"gen_ai.operation.name": "chat", "gen_ai.input.messages": turns})
        assert said(one, "tools") == {"tools": [{"id": "1", "output": "done", "status": "ok"}]}

    def test_pictures_and_thoughts_are_no_text(self):
        parts = [
            {"type": "reasoning", "content": "Hm."},
            {"type": "uri", "uri": "x"},
            {"type": "text", "content": "How?"},
        ]
        one = sent(has={"gen_ai.operation.name": "chat", "gen_ai.input.messages": [{"role": "user", "parts": parts}]})
        assert content(one)["input"] == "[uri]\n\nHow?"


class TestOtherSteps:
    def test_retrievals(self):
        found = [{"id": "a", "score": 0.5, "text": "A"}, '{"id": "b", "score": 0.4, "title": "B"}']
        one = sent(has={"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": found})
        assert read(one, READERS).span.kind == "retriever"
        assert [(it["document_id"], it["quote"], it["title"]) for it in content(one)["documents"]] == [
            ("a", "A", None), ("b", None, "B"),
        ]  # fmt: skip

    def test_documents_without_an_id_keep_their_place(self):
        one = sent(has={
            "openinference.span.kind": "RETRIEVER",
            "retrieval.documents.0.document.content": "A",
            "retrieval.documents.1.document.content": "B",
            "retrieval.documents.1.document.metadata": '{"source": "b.md", "title": "Bee"}',
            "retrieval.documents.10.document.content": "K",
        })  # fmt: skip
        assert [(it["document_id"], it["quote"], it["title"]) for it in content(one)["documents"]] == [
            ("document 1", "A", None), ("b.md", "B", "Bee"), ("document 3", "K", None),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "one",
        [
            sent(name="execute_tool pay", failed="timed out", has={
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": '{"a": 1}'}),
            sent(name="pay", failed="timed out", has={"openinference.span.kind": "TOOL", "input.value": '{"a": 1}'}),
            sent(name="x", failed="timed out", has={
                "traceloop.span.kind": "tool", "traceloop.entity.name": "pay", "traceloop.entity.input": '{"a": 1}'}),
            sent(name="pay", failed="timed out", has={"mlflow.spanType": '"TOOL"', "mlflow.spanInputs": '{"a": 1}'}),
        ],
    )  # fmt: skip
    def test_tools_that_failed(self, one):
        assert read(one, READERS).span.kind == "tool"
        (tool,) = content(one)["tools"]
        assert (tool["name"], tool["status"], tool["arguments"], tool["output"]) == (
            "pay",
            "failed",
            {"a": 1},
            "timed out",
        )

    @pytest.mark.parametrize(
        ("given", "made", "asked", "answered"),
        [
            ("How?", "So.", "How?", "So."),
            ('{"question": "How?", "k": 3}', '{"answer": "So.", "sources": []}', "How?", "So."),
            ('{"messages": [{"role": "user", "content": "How?"}]}', '{"messages": [{"type": "ai", "content": "So."}]}',
             "How?", "So."),
            ('{"args": ["How?"]}', '{"generations": [[{"text": "So."}]]}', "How?", "So."),
            ('{"a": 1, "b": 2}', "[1, 2]", '{"a": 1, "b": 2}', "[1, 2]"),
            ("{broken", "", "{broken", None),
        ],
    )  # fmt: skip
    def test_chains_take_and_give_what_is_meant_in_them(self, given, made, asked, answered):
        for keys in (("input.value", "output.value"), ("traceloop.entity.input", "traceloop.entity.output")):
            found = content(sent(has=dict(zip(keys, (given, made), strict=True))))
            assert (found.get("input"), found.get("output")) == (asked, answered)

    def test_our_own_attributes_count_before_all(self):
        one = sent(
            has={"hitl.topic": "refund", "hitl.user_key": "u-1", "user.id": "u-2"},
            resource={"hitl.domain": "billing", "service.version": "7", "deployment.environment": "test"},
        )
        assert said(one) == {
            "topic": "refund", "user_key": "u-1", "domain": "billing", "release": "7",
            "metadata": {"environment": "test"},
        }  # fmt: skip

    def test_a_reader_of_another_door_comes_first(self):
        def langfuse(_):
            return Said("agent", {"input": "Theirs", "metadata": {"a": 1}})

        one = sent(has={"openinference.span.kind": "LLM", "input.value": "Ours", "metadata": '{"a": 2, "b": 3}'})
        found = read(one, (langfuse, *READERS)).span
        assert (found.kind, found.content["input"], found.content["metadata"]) == ("agent", "Theirs", {"a": 1, "b": 3})

    def test_an_evaluator_speaks_of_what_it_links_to(self):
        one = sent(
            links=[("other", "target")],
            has={
                "openinference.span.kind": "EVALUATOR", "input.value": "prompt",
                "annotations.0.annotation.name": "tone", "annotations.0.annotation.score": 0.5,
            },
        )  # fmt: skip
        found = read(one, READERS)
        assert (found.span.trace, found.span.parent, found.span.content.get("input")) == ("other", "target", None)
        (word,) = found.words
        assert (word.trace, word.span, word.name, word.number, word.by_machine) == (
            "other",
            "target",
            "tone",
            0.5,
            True,
        )

    def test_a_span_of_something_else_says_nothing(self):
        assert content(sent(has={"http.request.method": "GET"})) == {}


FIELDS = st.sampled_from(["role", "content", "parts", "type", "id", "messages", "function", "kwargs"])
hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(['{"role": 1}', "[[[]]]", '[{"type": "text"}]', '{"messages": 7}', '[{"content": [null]}]', "{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
KEYS = [
    "gen_ai.operation.name", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions",
    "gen_ai.prompt", "gen_ai.prompt.0.content", "gen_ai.prompt.0.tool_calls.0.name", "gen_ai.retrieval.documents",
    "gen_ai.tool.call.arguments", "openinference.span.kind", "input.value", "output.value", "metadata", "tag.tags",
    "llm.input_messages.0.message.role", "llm.input_messages.0.message.contents.0.message_content.text",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name", "retrieval.documents.0.document.content",
    "retrieval.documents.0.document", "annotations.0.annotation.name", "annotations.0.annotation.score",
    "traceloop.entity.input", "traceloop.span.kind", "ai.operationId", "ai.prompt", "ai.response.toolCalls",
    "mlflow.spanType", "mlflow.spanOutputs", "pydantic_ai.all_messages", "user.id",
]  # fmt: skip
KINDS = st.sampled_from(
    ["chat", "retrieval", "execute_tool", "LLM", "TOOL", "RETRIEVER", "ai.toolCall", "ai.streamText"]
)


@given(st.dictionaries(st.sampled_from(KEYS), KINDS | hostile, max_size=8))
def test_no_attribute_breaks_a_reader(has):
    events = [("gen_ai.choice", has), ("gen_ai.tool.message", has), ("gen_ai.evaluation.result", has)]
    read(sent(*events, has=has), READERS)
