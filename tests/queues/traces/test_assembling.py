from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from queues.traces.assembling import assemble
from queues.traces.steps import Step

START = datetime(2026, 11, 20, tzinfo=UTC)


def step(span, second=0.0, parent="", kind="chain", took=1.0, **content):
    start = START + timedelta(seconds=second)
    end = None if took is None else start + timedelta(seconds=took)
    return Step(span, start, parent, kind, span, end, content)


ROOT = step("root", 0, took=9, input="Asked", output="Answered")
REWRITE = step("rewrite", 1, "root", "llm", input="Asked", output="Rewritten", model="small", conversation=[])
ANSWER = step(
    "answer", 5, "root", "llm", input="Asked", output="Said", model="large",
    conversation=[{"role": "system", "content": "Be kind."}],
)  # fmt: skip
FIND = step("find", 2, "root", "retriever", input="rewritten query", output="documents")


class TestInputAndOutput:
    def test_are_the_roots(self):
        trace = assemble([REWRITE, ANSWER, ROOT, FIND])
        assert (trace.input, trace.output, trace.model) == ("Asked", "Answered", "large")
        assert (trace.at, trace.latency_ms) == (START, 9000)

    def test_are_of_the_first_and_the_last_call_where_the_root_says_nothing(self):
        trace = assemble([ANSWER, REWRITE, FIND, step("root", 0, took=9)])
        assert (trace.input, trace.output, trace.model) == ("Asked", "Said", "large")
        assert trace.conversation == [{"role": "system", "content": "Be kind."}]

    def test_are_there_while_the_root_is_missing(self):
        trace = assemble([REWRITE, ANSWER])
        assert (trace.output, trace.latency_ms) == ("Said", 5000)

    def test_are_never_those_of_a_retriever_or_a_tool(self):
        trace = assemble([FIND, step("tool", 3, "root", "tool", input="x", output="y")])
        assert (trace.input, trace.output) == ("", "")

    def test_are_the_outermost_ones(self):
        agent = step("agent", 0.5, "root", "agent", input="Do it", output="Done")
        inner = step("inner", 1, "agent", "llm", input="Step 1", output="Called a tool")
        trace = assemble([inner, agent, step("root", 0)])
        assert (trace.input, trace.output) == ("Do it", "Done")


class TestDocuments:
    def test_are_all_that_was_retrieved_best_first_each_once(self):
        one = step("one", 1, "root", "retriever", documents=[{"document_id": "a", "quote": "A", "score": 0.1}])
        two = step(
            "two", 2, "root", "retriever",
            documents=[
                {"document_id": "b", "quote": "B", "score": 0.9}, {"document_id": "a", "quote": "A", "score": 0.1},
            ],
        )  # fmt: skip
        assert [it["document_id"] for it in assemble([two, one]).documents] == ["b", "a"]

    def test_are_what_a_reranker_left(self):
        found = step("one", 1, "root", "retriever", documents=[{"document_id": "a"}, {"document_id": "b"}])
        ranked = step("two", 2, "root", "reranker", documents=[{"document_id": "b"}])
        assert assemble([found, ranked]).documents == [{"document_id": "b"}]

    def test_keep_their_order_where_some_have_no_score(self):
        found = step("one", documents=[{"document_id": "a"}, {"document_id": "b", "score": 1.0}])
        assert [it["document_id"] for it in assemble([found]).documents] == ["a", "b"]


class TestTools:
    def test_are_as_their_own_steps_tell_them(self):
        asked = step("llm", 1, "root", "llm", tools=[{"id": "1", "name": "pay", "arguments": {"a": 1}}])
        done = step("tool", 2, "root", "tool", tools=[{"id": "1", "name": "pay", "status": "ok", "output": "paid"}])
        assert assemble([asked, done]).tools == [{"name": "pay", "status": "ok", "output": "paid"}]

    def test_are_as_the_model_asked_for_them_where_they_have_no_step(self):
        first = step("llm", 1, "root", "llm", tools=[{"id": "1", "name": "pay", "arguments": {"a": 1}}])
        again = step(
            "llm2", 2, "root", "llm",
            tools=[{"id": "1", "name": "pay", "status": "ok", "output": "paid"}, {"id": "2", "name": "mail"}],
        )  # fmt: skip
        assert assemble([first, again]).tools == [
            {"name": "pay", "arguments": {"a": 1}, "status": "ok", "output": "paid"}, {"name": "mail"},
        ]  # fmt: skip

    def test_are_counted_once_by_what_was_called(self):
        asked = step("llm", 1, "root", "llm", tools=[{"id": "call_1", "name": "pay", "arguments": {"a": 1}}])
        done = step("tool", 2, "root", "tool", tools=[{"name": "pay", "arguments": {"a": 1}, "status": "failed"}])
        assert assemble([asked, done]).tools == [{"name": "pay", "arguments": {"a": 1}, "status": "failed"}]


class TestTheRest:
    def test_a_score_is_what_it_was_last(self):
        scored = step("s", scores={"tone": {"2026-11-20T10:00:00": 0.9, "2026-11-20T11:00:00": 0.2}, "n": 1})
        assert assemble([scored]).scores == {"tone": 0.2, "n": 1.0}

    def test_what_the_root_says_counts_before_what_lies_in_it(self):
        root = step("root", metadata={"plan": "pro"}, user_key="u", scores={"a": 1})
        inner = step("inner", 1, "root", metadata={"plan": "x", "k": 1}, user_key="v", topic="t", scores={"a": 2})
        trace = assemble([inner, root])
        assert (trace.metadata, trace.user_key, trace.topic, trace.scores) == (
            {"plan": "pro", "k": 1},
            "u",
            "t",
            {"a": 1},
        )

    def test_steps_in_a_circle_are_put_together_all_the_same(self):
        trace = assemble([step("a", 0, "b", input="Asked"), step("b", 1, "a", output="Said"), step("c", 2, "c")])
        assert (trace.input, trace.output) == ("Asked", "Said")

    def test_a_circle_is_cut_at_the_same_place_whatever_came_first(self):
        circle = [step("a", 0, "b", output="A"), step("b", 1, "c", output="B"), step("c", 2, "a", output="C")]
        assert assemble(circle) == assemble(circle[::-1]) == assemble([circle[1], circle[0], circle[2]])

    def test_a_chain_of_thousands_is_no_depth(self):
        deep = [step(f"s{n}", n, f"s{n - 1}" if n else "") for n in range(5_000)]
        assert assemble(deep).at == START

    def test_texts_of_more_than_a_megabyte_are_cut_and_named(self):
        turns = [{"role": "user", "content": f"{n} " + "x" * 100_000} for n in range(20)]
        trace = assemble([step("s", kind="llm", input="Asked", output="Said", conversation=turns)])
        assert len(to_json(trace.conversation)) < 1_000_000
        assert trace.conversation[-1]["content"].startswith("19 ")
        assert (trace.input, trace.metadata["shortened"]) == ("Asked", ["conversation"])


names = st.sampled_from(["a", "b", "c", "d"])
document = st.fixed_dictionaries({"document_id": names}, optional={"score": st.floats(0, 1)})
tool = st.fixed_dictionaries({"name": names}, optional={"id": names, "output": names})
contents = st.fixed_dictionaries(
    {},
    optional={
        "input": st.sampled_from(["one", "two"]), "output": st.sampled_from(["x", "y"]), "model": names,
        "documents": st.lists(document, max_size=3), "tools": st.lists(tool, max_size=3),
        "scores": st.dictionaries(names, st.floats(0, 1), max_size=2), "metadata": st.dictionaries(names, names),
    },
)  # fmt: skip
kinds = st.sampled_from(["llm", "tool", "retriever", "", "agent"])
made = st.builds(
    lambda span, second, parent, kind, content: step(span, second, parent, kind, **content),
    names, st.integers(0, 3), st.sampled_from(["", "a", "b", "z"]), kinds, contents,
)  # fmt: skip
some = st.lists(made, min_size=1, max_size=4, unique_by=lambda step: step.span)


@given(some, st.randoms())
def test_the_order_in_which_steps_are_known_does_not_matter(steps, random):
    other = steps[:]
    random.shuffle(other)
    assert assemble(other) == assemble(steps)
