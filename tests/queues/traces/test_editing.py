from hypothesis import given
from hypothesis import strategies as st

from hitl import textdiff
from queues.traces.editing import difference, ops

WORDS = st.lists(st.sampled_from(["a", "bee", " ", "\n", "c.", "é", "日本", "12"]), max_size=20).map("".join)


def test_what_stays_is_counted_and_what_changed_is_written():
    found = difference("Your order comes on Monday.", "Your order comes on Tuesday.")
    assert found.steps == [["=", 20], ["-", "Monday"], ["+", "Tuesday"], ["=", 1]]
    assert 0 < found.share < 0.5


def test_nothing_changed_is_nothing():
    assert (difference("a", "a").share, difference("", "").steps) == (0, [])


@given(WORDS, WORDS)
def test_with_the_output_it_is_the_whole_difference_again(output, edited):
    found = difference(output, edited)
    made = ops(output, found.steps)
    assert made == textdiff.diff(output, edited)
    assert "".join(op.text for op in made if op.kind != "removed") == edited
    assert 0 <= found.share <= 1
