import pytest

from codebook.drift.figures import Answer, Pair, compare, is_alarming
from codebook.standing import standing
from tests.factories.codebook import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return published(keys=("tone", "source"))


def pairs_of(version, rows):
    """`rows`: (verdict then, keys then, verdict now, keys now)."""
    ids = dict(version.categories.values_list("key", "pk"))

    def answer(verdict, keys):
        return Answer(verdict, version.pk, frozenset(ids[key] for key in keys))

    return [
        Pair(number, answer(then, before), answer(now, after)) for number, (then, before, now, after) in enumerate(rows)
    ]


def compared(version, rows):
    return compare(pairs_of(version, rows), standing(version.codebook_id))


def kappa_of(result, key):
    return next(one for one in result["categories"] if one["key"] == key)


def test_kappa_of_then_and_now_by_hand(version):
    # 20 accepted both times, 5 then only, 10 now only, 15 neither: 0.7 observed, 0.5 by chance.
    rows = (
        [("accept", (), "accept", ())] * 20
        + [("accept", (), "edit", ())] * 5
        + [("edit", (), "accept", ())] * 10
        + [("edit", (), "edit", ())] * 15
    )
    verdict = compared(version, rows)["verdict"]
    assert verdict["percent"]["value"] == pytest.approx(0.7)
    assert verdict["kappa"]["value"] == pytest.approx(0.4)
    assert verdict["kappa"]["low"] < 0.4 < verdict["kappa"]["high"]
    assert verdict["kappa"]["n"] == 50


def test_a_category_is_given_or_not_in_both_answers(version):
    rows = [("edit", ("tone",), "edit", ("tone",))] * 6 + [("edit", ("tone",), "edit", ())] * 2
    rows += [("accept", (), "accept", ())] * 12
    tone = kappa_of(compared(version, rows), "tone")
    assert (tone["given_then"], tone["given_now"], tone["kappa"]["n"]) == (8, 6, 20)
    assert tone["kappa"]["value"] == pytest.approx((20 * 18 - (8 * 6 + 12 * 14)) / (400 - (8 * 6 + 12 * 14)))


def test_rejecting_without_a_category_says_nothing_of_the_categories(version):
    rows = [("reject", (), "reject", ("tone",)), ("reject", ("tone",), "reject", ("tone",))]
    result = compared(version, rows)
    assert kappa_of(result, "tone")["kappa"]["n"] == 1
    assert result["verdict"]["kappa"]["n"] == 2


def test_what_was_said_in_words_that_no_longer_stand_is_not_counted(version):
    before = pairs_of(version, [("edit", ("tone",), "edit", ("tone",))])
    newest = published(codebook=version.codebook, keys=("source", "manners"))
    result = compare(before, standing(newest.codebook_id))
    assert kappa_of(result, "manners")["kappa"]["n"] == 0
    assert "no old case" in kappa_of(result, "manners")["kappa"]["reason"]
    assert kappa_of(result, "source")["kappa"]["n"] == 1
    assert result["verdict"]["kappa"]["n"] == 1
    assert result["versions"] == [1]


def test_undefined_is_said_in_words_and_never_a_number(version):
    verdict = compared(version, [("accept", (), "accept", ())] * 30)["verdict"]
    assert verdict["kappa"]["value"] is None
    assert "the same, then and now" in verdict["kappa"]["reason"]
    assert verdict["percent"]["value"] == 1
    assert not verdict["alarm"]
    assert compared(version, [])["verdict"]["kappa"]["value"] is None


class TestAlarm:
    @pytest.mark.parametrize(
        ("value", "high", "n", "alarms"),
        [
            (0.59, 0.9, 20, True),
            (0.6, 0.9, 200, False),
            (0.1, 0.59, 10, True),
            (0.1, 0.6, 19, False),
            (-0.5, 0.0, 9, False),
            (None, None, 50, False),
        ],
    )
    def test_it_takes_enough_cases_or_an_interval_that_ends_below(self, value, high, n, alarms):
        assert is_alarming({"value": value, "low": -1, "high": high, "n": n}) is alarms

    def test_a_category_given_twice_raises_none(self, version):
        rows = [("accept", (), "accept", ())] * 38 + [("edit", ("tone",), "edit", ()), ("edit", (), "edit", ("tone",))]
        tone = kappa_of(compared(version, rows), "tone")
        assert tone["kappa"]["value"] < 0
        assert not tone["alarm"]

    def test_a_category_given_often_and_differently_does(self, version):
        rows = [("edit", ("tone",), "edit", ()), ("edit", (), "edit", ("tone",))] * 10
        assert kappa_of(compared(version, rows), "tone")["alarm"]


def test_the_same_pairs_give_the_same_intervals(version):
    rows = [("accept", (), "accept", ()), ("edit", (), "accept", ()), ("edit", (), "edit", ())] * 5
    assert compared(version, rows) == compared(version, rows)
