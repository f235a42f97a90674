"""What an edit changed, as a reader would say it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl.textdiff import Op, diff, edit_ratio, to_html, tokens


def shorthand(a: str, b: str) -> str:
    sign = {"same": "{}", "removed": "[-{}-]", "added": "[+{}+]"}
    return "".join(sign[op.kind].format(op.text) for op in diff(a, b))


@pytest.mark.parametrize(
    ("a", "b", "read_as"),
    [
        ("The fee is 10 EUR.", "The fee is 12.50 EUR.", "The fee is [-10-][+12.50+] EUR."),
        ("one two three", "one three", "one [-two -]three"),
        ("one three", "one two three", "one [+two +]three"),
        ("the old red car", "the new blue car", "the [-old red-][+new blue+] car"),
        ("don't go", "don’t go", "[-don't-][+don’t+] go"),
        ("a b", "a  b", "a[- -][+  +]b"),
        ("a\nb", "a\n\nb", "a[-\n-][+\n\n+]b"),
        ("same", "same", "same"),
        ("", "new", "[+new+]"),
        ("old", "", "[-old-]"),
        ("", "", ""),
        ("مرحبا يا صديقي", "مرحبا يا أخي", "مرحبا يا [-صديقي-][+أخي+]"),
        ("שלום עולם טוב", "שלום עולם רע", "שלום עולם [-טוב-][+רע+]"),
        ("今日は晴れです", "今日は雨です", "今日は[-晴れ-][+雨+]です"),
        ("हिन्दी में लिखा", "हिन्दी में पढ़ा", "हिन्दी में [-लिखा-][+पढ़ा+]"),
        ("ok 👩\u200d👩\u200d👧 yes", "ok 👩\u200d👧 yes", "ok [-👩\u200d👩\u200d👧-][+👩\u200d👧+] yes"),
        ("👍🏽 fine", "👍🏿 fine", "[-👍🏽-][+👍🏿+] fine"),
        ("🇩🇪 and 🇫🇷", "🇩🇪 and 🇬🇧", "🇩🇪 and [-🇫🇷-][+🇬🇧+]"),
        ("cafe\u0301 noir", "cafe noir", "[-cafe\u0301-][+cafe+] noir"),
        ("می\u200cخواهم", "می\u200cخواهی", "[-می\u200cخواهم-][+می\u200cخواهی+]"),
    ],
)
def test_a_difference_reads_as_a_person_would_say_it(a, b, read_as):
    assert shorthand(a, b) == read_as


def test_two_additions_stay_two():
    assert diff(" ", "b c") == (Op("added", "b"), Op("same", " "), Op("added", "c"))
    assert diff("a c", "a b c d") == (Op("same", "a "), Op("added", "b "), Op("same", "c"), Op("added", " d"))


PIECES = ["a", "b", "c ", " ", "\n", "été", "e\u0301", "晴", "👩\u200d👧", "\ud800", "\x00", "١", "\r\n", ", "]
TEXT = st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)


@given(TEXT, TEXT)
@settings(max_examples=300, deadline=None)
def test_both_texts_can_be_read_out_of_the_difference(a, b):
    ops = diff(a, b)
    assert "".join(op.text for op in ops if op.kind != "added") == a
    assert "".join(op.text for op in ops if op.kind != "removed") == b
    assert all(op.text for op in ops)
    assert all(one.kind != two.kind for one, two in pairwise(ops))
    assert 0 <= edit_ratio(a, b) <= 1
    to_html(ops).encode()


@given(TEXT)
@settings(max_examples=200, deadline=None)
def test_the_words_of_a_text_are_the_text(text):
    assert "".join(tokens(text)) == text


def test_texts_too_long_to_compare_word_by_word_are_compared_by_lines():
    a = "\n".join(f"line {n} of it" for n in range(6_000))
    b = a.replace("line 77 of it", "line seventy-seven of it")
    assert [op.kind for op in diff(a, b)] == ["same", "removed", "added", "same"]
    assert Op("added", "line seventy-seven of it\n") in diff(a, b)


def test_texts_too_long_even_for_that_are_one_and_the_other():
    a, b = "a\n" * 30_000, "b\n" * 30_000
    assert diff(a, b) == (Op("removed", a), Op("added", b))


@pytest.mark.parametrize(
    ("a", "b", "ratio"),
    [
        ("", "", 0),
        ("a b c d", "a b c d", 0),
        ("a b c d", "a b  c\nd", 0),
        ("a b c d", "a b c x", 0.25),
        ("a b", "c d", 1),
        ("", "a", 1),
        ("a", "", 1),
    ],
)
def test_the_ratio_is_the_share_of_words_that_changed(a, b, ratio):
    assert edit_ratio(a, b) == ratio


def test_on_a_page_changes_are_marked_for_the_eye_and_the_ear_and_nothing_runs():
    assert to_html(diff("<b>old</b>", "<b>new</b>")) == (
        '&lt;b&gt;<del><span class="sr-only"> removed: </span>old'
        '<span class="sr-only"> end of what was removed </span></del>'
        '<ins><span class="sr-only"> added: </span>new'
        '<span class="sr-only"> end of what was added </span></ins>&lt;/b&gt;'
    )


def test_on_a_page_a_new_line_and_a_hidden_character_are_seen():
    assert "↵" in to_html(diff("a b", "a\nb"))
    assert "⟦U+202E⟧" in to_html(diff("a", "a \u202eb"))
