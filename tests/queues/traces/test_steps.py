from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from queues.traces.steps import Step, merged

START = datetime(2026, 11, 20, tzinfo=UTC)
moments = st.integers(0, 100).map(lambda seconds: START + timedelta(seconds=seconds))
texts = st.text(max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=6,
)
steps = st.builds(
    Step, st.just("s"), moments, texts, texts, texts, st.none() | moments,
    st.dictionaries(st.sampled_from(["input", "output", "scores", "metadata"]), values, max_size=4),
)  # fmt: skip


@given(steps, steps)
def test_it_does_not_matter_which_word_came_first(one, other):
    assert merged(one, other) == merged(other, one)


@given(steps, steps, steps)
def test_nor_which_two_met_first(one, other, third):
    assert merged(merged(one, other), third) == merged(one, merged(other, third))


@given(steps, steps)
def test_the_same_word_again_changes_nothing(one, other):
    both = merged(one, other)
    assert merged(both, one) == both
    assert merged(one, one) == one


def test_what_only_one_of_them_says_is_kept():
    first = Step("s", START, kind="llm", content={"input": "How?", "scores": {"a": 1.0}})
    later = Step("s", START, ended_at=START + timedelta(seconds=1), content={"output": "So.", "scores": {"b": 2.0}})
    both = merged(first, later)
    assert both.content == {"input": "How?", "output": "So.", "scores": {"a": 1.0, "b": 2.0}}
    assert (both.kind, both.ended_at) == ("llm", later.ended_at)


def test_a_longer_text_stays():
    short, long = (Step("s", START, content={"output": text}) for text in ("So it", "So it is."))
    assert merged(long, short).content == {"output": "So it is."}
