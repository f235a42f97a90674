"""How the scrub is measured: what counts as found, as hidden, as right, and what a file must look like."""

import json

import pytest

from queues.masks import measuring as files
from queues.scrub.kinds import WORDS, belongs, ours
from queues.scrub.measuring import Marked, Measured, Span, Unusable, marked, measure

TEXT = "Ann lives at 1 High Street, Leeds"
NAME, STREET, TOWN = Span("PERSON", 0, 3), Span("STREET_ADDRESS", 13, 26), Span("GPE", 28, 33)


def figure(maskings, spans=(NAME, STREET, TOWN), checked=""):
    measured = measure([Marked(TEXT, tuple(spans), checked)], lambda text: maskings)
    return {one.name: one for one in measured.kinds}, {one.name: one for one in measured.types}


class TestTheRule:
    def test_half_of_a_value_masked_as_its_kind_is_found(self):
        kinds, types = figure([Span("address", 13, 20)])
        assert (kinds["address"].marked, kinds["address"].found, kinds["address"].masked, kinds["address"].right) == (
            1, 1, 1, 1,
        )  # fmt: skip
        assert (types["STREET_ADDRESS"].found, types["PERSON"].found) == (1, 0)
        assert figure([Span("address", 13, 19)])[0]["address"].found == 0

    def test_masked_as_something_else_it_is_hidden_and_not_found(self):
        kinds, _ = figure([Span("name", 13, 26)])
        assert (kinds["address"].found, kinds["address"].hidden) == (0, 1)
        assert (kinds["name"].masked, kinds["name"].right) == (1, 0)

    def test_a_mask_that_takes_the_town_along_is_right_and_one_that_takes_more_is_not(self):
        assert figure([Span("address", 13, 33)])[0]["address"].right == 1
        assert figure([Span("address", 0, 33)], spans=[NAME])[0]["address"].right == 0

    def test_what_nothing_looks_for_counts_for_no_kind(self):
        kinds, types = figure([])
        assert (types["GPE"].kind, types["GPE"].marked) == ("", 1)
        assert set(kinds) == {"name", "address"}

    def test_a_text_checked_for_one_type_is_judged_by_that_alone(self):
        kinds, types = figure([Span("name", 0, 3), Span("address", 13, 26)], spans=[], checked="PERSON")
        assert (kinds["name"].masked, kinds["name"].right) == (1, 0)
        assert "address" not in kinds
        assert types["PERSON"].precision.share == 0

    def test_shares_come_with_their_interval(self):
        kinds, _ = figure([Span("name", 0, 3)])
        assert (kinds["name"].recall.share, kinds["name"].recall.n) == (1.0, 1)
        assert kinds["name"].recall.low < 0.3
        assert kinds["address"].precision is None

    def test_figures_survive_being_stored(self):
        measured = measure([Marked(TEXT, (NAME,))], lambda text: [Span("name", 0, 3)])
        assert Measured.from_json(json.loads(json.dumps(measured.to_json()))) == measured


def test_every_kind_has_a_foreign_name_and_neighbours_are_no_kind_of_their_own():
    assert {kind for kind in WORDS if ours(kind) == kind} == set(WORDS)
    assert (ours("US_SSN"), ours("credit-card"), ours("Email Address"), ours("GPE")) == (
        "national_id", "card", "email", None,
    )  # fmt: skip
    assert belongs("GPE", "address")
    assert not belongs("GPE", "name")


@pytest.mark.parametrize(
    "row",
    [
        None, 7, {}, {"text": 1, "spans": []}, {"text": "x"}, {"text": "x", "spans": {}}, {"text": "x", "spans": [1]},
        {"text": "x", "spans": [{"start": 0, "end": 1}]}, {"text": "x", "spans": [{"start": 0, "end": 2, "type": "A"}]},
        {"text": "x", "spans": [{"start": 1, "end": 1, "type": "A"}]},
        {"text": "x", "spans": [{"start": True, "end": 1, "type": "A"}]},
        {"text": "x", "spans": [{"start": 0, "end": 1, "type": "ann@example.org"}]},
        {"text": "x", "spans": [], "checked_type": "Ann Lee +49"}, {"text": "x", "spans": [], "checked_type": ["A"]},
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_says_why(row):
    with pytest.raises(Unusable, match=r"\.$"):
        marked(row)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "holds no text"), (["{"], "Line 1 cannot be used"), (['{"text": "x", "spans": []}', "[]"], "Line 2"),
        (['{"text": "xxxx", "spans": []}'], "longer than 3"), (['{"text": "x", "spans": []}'] * 3, "more than 2"),
        (["[" * 100_000], "Line 1"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_names_the_line(lines, said):
    with pytest.raises(files.Refused, match=said):
        list(files.read(lines, most=2, longest=3))
