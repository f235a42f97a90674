import math
from dataclasses import astuple

import numpy as np
import pytest

from codebook.agreement import statistics as agreement
from codebook.judges import calibration
from codebook.judges.calibration import Confusion, Pair

TABLE = Confusion(both_fail=40, judge_alone=10, people_alone=20, both_pass=130)


def calibrate(table=TABLE, fails=500, judged=2000, **kwargs):
    return calibration.calibrate(table, fails=fails, judged=judged, **kwargs)


def test_a_table_is_counted_from_pairs():
    pairs = [Pair(True, True)] * 2 + [Pair(True, False)] + [Pair(False, True)] * 3 + [Pair(False, False)] * 4
    assert calibration.confusion(pairs) == Confusion(2, 1, 3, 4)


def test_the_figures_of_a_table():
    found = calibrate()
    assert found.kappa.value == pytest.approx((0.85 - 0.6) / (1 - 0.6))
    assert found.sensitivity.value == pytest.approx(40 / 60)
    assert found.specificity.value == pytest.approx(130 / 140)
    assert (found.raw.value, found.raw.n_items) == (0.25, 2000)
    # (0.25 + 0.92857 - 1) / (0.66667 + 0.92857 - 1)
    assert found.corrected.value == pytest.approx(0.3, abs=1e-9)
    for figure in (found.kappa, found.sensitivity, found.specificity, found.raw, found.corrected):
        assert figure.low < figure.value < figure.high


def test_kappa_is_that_of_two_raters():
    ratings = []
    for item, (judge, human) in enumerate(
        [(1, 1)] * 40 + [(1, 0)] * 10 + [(0, 1)] * 20 + [(0, 0)] * 130
    ):  # fmt: skip
        ratings += [(item, "judge", judge), (item, "people", human)]
    expected = agreement.measure(ratings).cohen_kappa
    found = calibrate().kappa
    assert found.value == pytest.approx(expected.value)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)


def test_the_same_seed_gives_the_same_interval():
    assert calibrate(seed=1) == calibrate(seed=1) != calibrate(seed=2)


def test_a_judge_with_a_good_kappa_may_lean_to_one_side():
    found = calibrate(Confusion(100, 30, 0, 270), fails=130, judged=400)
    assert found.kappa.value > 0.8
    assert (found.sensitivity.value, found.specificity.value) == (1, 0.9)
    assert found.raw.value > found.corrected.value == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("table", "figure", "reason"),
    [
        (Confusion(0, 0, 0, 0), "kappa", calibration.NOTHING),
        (Confusion(0, 0, 0, 9), "kappa", calibration.ONE_SIDED),
        (Confusion(9, 0, 0, 0), "kappa", calibration.ONE_SIDED),
        (Confusion(0, 2, 0, 9), "sensitivity", calibration.NONE_FAILS),
        (Confusion(2, 0, 2, 0), "specificity", calibration.NONE_PASSES),
        (Confusion(0, 2, 0, 9), "corrected", calibration.NO_RATES),
        (Confusion(3, 6, 7, 4), "corrected", calibration.BELOW_CHANCE),
        (Confusion(5, 5, 5, 5), "corrected", calibration.BELOW_CHANCE),
    ],
)
def test_what_is_undefined_is_said_and_never_shown_as_a_number(table, figure, reason):
    found = getattr(calibrate(table), figure)
    assert (found.value, found.low, found.high, found.reason) == (None, None, None, reason)


def test_a_judge_that_judged_nothing_has_no_rate():
    found = calibrate(fails=0, judged=0)
    assert found.raw.reason == found.corrected.reason == calibration.NONE_JUDGED


def test_a_corrected_rate_stays_a_rate():
    assert calibrate(fails=0).corrected.value == 0
    assert calibrate(fails=2000).corrected.value == 1


def test_the_interval_of_the_corrected_rate_is_lang_and_reiczigels():
    """By hand from the paper's formula, for 100 of 500, sensitivity 45 of 50, specificity 190 of 200."""
    found = calibration.prevalence(Confusion(45, 10, 5, 190), fails=100, judged=500)
    z2 = calibration.Z**2
    raw, se, sp = (100 + z2 / 2) / (500 + z2), 46 / 52, 191 / 202
    p = (raw + sp - 1) / (se + sp - 1)
    of_se, of_sp = se * (1 - se) / 52, sp * (1 - sp) / 202
    spread = math.sqrt(raw * (1 - raw) / (500 + z2) + p**2 * of_se + (1 - p) ** 2 * of_sp) / (se + sp - 1)
    shift = 2 * z2 * (p * of_se - (1 - p) * of_sp)
    assert found.value == pytest.approx((0.2 + 0.95 - 1) / 0.85)
    assert found.low == pytest.approx(p + shift - calibration.Z * spread)
    assert found.high == pytest.approx(p + shift + calibration.Z * spread)


def test_its_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(2000):
        seen, passed = rng.binomial(60, 0.8), rng.binomial(140, 0.9)
        fails = rng.binomial(1000, 0.3 * 0.8 + 0.7 * 0.1)
        found = calibration.prevalence(Confusion(seen, 140 - passed, 60 - seen, passed), fails=fails, judged=1000)
        held += found.low <= 0.3 <= found.high
    assert 0.93 <= held / 2000 <= 0.98


class TestLength:
    def test_a_judge_that_likes_long_drafts_is_seen_at_equal_verdicts_of_people(self):
        short = [Pair(n < 30, False, 100) for n in range(50)]
        long = [Pair(n < 5, False, 900) for n in range(50)]
        passes, fails = calibration.length_bias([*short, *long])
        assert (passes.human, passes.short.value, passes.long.value) == (False, 0.6, 0.1)
        assert passes.difference.value == pytest.approx(-0.5)
        assert passes.difference.high < -0.3
        assert fails.difference.value is None
        assert fails.difference.reason

    def test_drafts_of_one_length_say_nothing(self):
        assert all(one.difference.value is None for one in calibration.length_bias([Pair(True, True, 5)] * 9))
        assert calibration.length_bias([]) == []


class TestPosition:
    def test_flips_and_which_way_they_go(self):
        first_liked = {"first": False, "second": True}
        found = calibration.position_bias(
            [first_liked] * 6 + [{"first": True, "second": False}] * 2 + [{"first": True, "second": True}] * 12
        )
        assert (found.flips.value, found.flips.n_items) == (0.4, 20)
        assert (found.prefers.value, found.prefers.n_items) == (0.75, 8)
        assert found.prefers.low < 0.5

    def test_positions_of_other_names_flip_but_have_no_side(self):
        found = calibration.position_bias([{"left": True, "right": False}, {"left": True}])
        assert (found.flips.value, found.prefers.value) == (1, None)
        assert found.prefers.reason

    def test_without_a_case_judged_twice_there_is_nothing_to_say(self):
        assert calibration.position_bias([{"": True}, {"first": True}]) is None


class TestDisagreement:
    def test_each_stratum_counts_by_its_labels(self):
        found = calibration.disagreement([(900, 10, 1), (100, 10, 5)])
        assert found.value == pytest.approx(0.9 * 0.1 + 0.1 * 0.5)
        assert found.low < found.value < found.high
        assert found.n_items == 20

    def test_nobody_disagreeing_still_leaves_room(self):
        found = calibration.disagreement([(900, 20, 0), (100, 20, 0)])
        assert (found.value, found.low) == (0, 0)
        assert found.high > 0.05

    def test_a_stratum_that_nobody_decided_is_left_out_and_said(self):
        found = calibration.disagreement([(900, 10, 1), (100, 0, 0)])
        assert found.value == pytest.approx(0.1)
        assert found.reason == "Without 100 of 1,000 labels, of kinds that nobody has decided yet."
        assert calibration.disagreement([(5, 0, 0)]).value is None

    def test_its_interval_holds_the_truth_about_as_often_as_it_says(self):
        rng = np.random.default_rng(3)
        strata = [(8000, 100, 0.05), (1500, 40, 0.1), (500, 30, 0.4)]
        truth = sum(labels * rate for labels, _, rate in strata) / 10_000
        held = 0
        for _ in range(2000):
            found = calibration.disagreement([(labels, n, rng.binomial(n, rate)) for labels, n, rate in strata])
            held += found.low <= truth <= found.high
        assert 0.93 <= held / 2000 <= 0.97


def test_every_figure_can_be_kept_as_json():
    assert all(isinstance(value, float | int | str | None) for value in astuple(calibrate().kappa))
