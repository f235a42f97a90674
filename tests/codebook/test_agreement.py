import subprocess
import sys
from dataclasses import astuple
from math import isnan

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codebook.agreement.statistics import measure

# K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), C: four observers, twelve units, values missing.
FOUR_OBSERVERS = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def ratings_of(text):
    """One row per rater, one column per item; a dot is missing."""
    return [
        (item, rater, int(value) if value.isdigit() else value)
        for rater, row in enumerate(text.split("\n"))
        for item, value in enumerate(row.split())
        if value != "."
    ]


def two_raters(table):
    """From a two-way table of counts: rows are the first rater's values, columns the second's."""
    return [
        (f"{row}-{column}-{n}", rater, f"v{value}")
        for row, counts in enumerate(table)
        for column, count in enumerate(counts)
        for n in range(count)
        for rater, value in (("first", row), ("second", column))
    ]


def figures_of(agreement):
    alpha = agreement.krippendorff_alpha
    return {
        "percent": agreement.percent_agreement,
        "kappa": agreement.cohen_kappa,
        "ac1": agreement.gwet_ac1,
        "nominal": alpha.nominal,
        "ordinal": alpha.ordinal,
        "interval": alpha.interval,
    }


def random_table(seed, *, items=40, raters=4, values=4, missing=0.3):
    """Raters by items, NaN where missing; the raters follow a truth in some of their ratings."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(values, size=items)
    given_values = np.where(
        draw.random((raters, items)) < 0.5, truth, draw.integers(values, size=(raters, items))
    ).astype(float)
    given_values[draw.random((raters, items)) < missing] = np.nan
    return given_values


def ratings_in(table):
    return [
        (int(item), rater, float(row[item]))
        for rater, row in enumerate(table)
        for item in np.flatnonzero(~np.isnan(row))
    ]


class TestPublishedFigures:
    @pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
    def test_krippendorffs_four_observers(self, level, published):
        figure = getattr(measure(ratings_of(FOUR_OBSERVERS)).krippendorff_alpha, level)

        assert figure.value == pytest.approx(published, abs=5e-4)
        # Of the twelve units the last has one value, which can be compared with none.
        assert figure.n_items == 11

    def test_gwets_ac1_of_the_same_table(self):
        """0.77544 and 0.81818: K. L. Gwet's irrCAC, gwet.ac1.raw(cac.raw4raters)."""
        agreement = measure(ratings_of(FOUR_OBSERVERS))

        assert agreement.gwet_ac1.value == pytest.approx(0.77544, abs=5e-6)
        assert agreement.percent_agreement.value == pytest.approx(0.81818, abs=5e-6)

    def test_cohens_kappa_of_two_raters(self):
        """R. Artstein, M. Poesio, "Inter-coder agreement for computational linguistics" (2008), table 4."""
        agreement = measure(two_raters([[46, 6, 0], [0, 32, 0], [0, 6, 10]]))

        assert agreement.percent_agreement.value == pytest.approx(0.88)
        assert agreement.cohen_kappa.value == pytest.approx(0.8013, abs=5e-5)
        assert agreement.cohen_kappa.n_items == 100

    def test_kappa_falls_and_ac1_stays_where_one_value_is_nearly_all(self):
        """The paradox of kappa: 118 of 125 agreed on the frequent value and none on the other (Gwet 2008)."""
        agreement = measure(two_raters([[118, 5], [2, 0]]))

        assert agreement.cohen_kappa.value == pytest.approx(-0.0234, abs=5e-5)
        assert agreement.gwet_ac1.value == pytest.approx(0.9408, abs=5e-5)

    def test_krippendorffs_two_observers_of_a_binary_variable(self):
        """K. Krippendorff, "Content analysis" (2004), 11.3.1."""
        agreement = measure(ratings_of("0 1 0 0 0 0 0 0 1 0\n1 1 1 0 0 1 0 0 0 0"))

        assert agreement.krippendorff_alpha.nominal.value == pytest.approx(0.095, abs=5e-4)


class TestOracle:
    @pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
    @pytest.mark.parametrize("seed", range(12))
    def test_alpha_is_that_of_the_krippendorff_package(self, seed, level):
        table = random_table(seed, items=20 + 5 * seed, raters=2 + seed % 4, values=2 + seed % 5, missing=seed / 20)
        ours = getattr(measure(ratings_in(table), resamples=10).krippendorff_alpha, level)

        assert ours.value == pytest.approx(krippendorff.alpha(reliability_data=table, level_of_measurement=level))
        assert ours.n_items == int(((~np.isnan(table)).sum(axis=0) >= 2).sum())

    def test_distances_between_numbers_that_are_far_from_nought(self):
        near = random_table(3)
        far = near * 0.25 + 1e9

        ours, theirs = (measure(ratings_in(table), resamples=10).krippendorff_alpha for table in (far, near))
        assert ours.interval.value == pytest.approx(theirs.interval.value, abs=1e-9)

    def test_words_are_ordered_as_told(self):
        words = dict(enumerate(["bad", "poor", "fair", "good"]))
        table = random_table(5)
        ratings = [(item, rater, words[int(value)]) for item, rater, value in ratings_in(table)]

        alpha = measure(ratings, order=list(words.values()), resamples=10).krippendorff_alpha
        assert alpha.ordinal.value == pytest.approx(
            krippendorff.alpha(reliability_data=table, level_of_measurement="ordinal")
        )


class TestSeveralRaters:
    def test_kappa_is_the_mean_over_the_pairs_who_share_items(self):
        table = random_table(7, raters=4, missing=0.2)
        table[0, :20], table[1, 20:] = np.nan, np.nan
        ratings = ratings_in(table)

        pairs = [(a, b) for a in range(4) for b in range(a + 1, 4) if (a, b) != (0, 1)]
        of_two = [measure([one for one in ratings if one[1] in pair], resamples=2).cohen_kappa.value for pair in pairs]
        together = measure(ratings)

        assert together.pairs == 5
        assert together.cohen_kappa.value == pytest.approx(np.mean(of_two))

    def test_it_is_not_told_from_some_pairs_alone(self):
        """Of three pairs one said 'no' throughout: a mean of the others would leave out the pair that agrees."""
        agreement = measure(ratings_of("n n n n . .\nn n n n y n\n. . . y y y\n"))

        assert agreement.cohen_kappa.value is None
        assert "1 of 3 pairs" in agreement.cohen_kappa.reason
        assert agreement.krippendorff_alpha.nominal.value is not None

    def test_what_was_in_the_table_is_told(self):
        agreement = measure(ratings_of(FOUR_OBSERVERS))

        assert (agreement.items, agreement.raters, agreement.ratings, agreement.pairs) == (12, 4, 41, 6)


@pytest.fixture(scope="module")
def many_tables():
    """Figures of a large table, and of 150 small ones from the same source."""
    truth = figures_of(measure(ratings_in(random_table(0, items=40_000, raters=3)), resamples=2))
    small = (ratings_in(random_table(seed, items=120, raters=3)) for seed in range(1, 151))
    return truth, [figures_of(measure(ratings, resamples=200)) for ratings in small]


class TestIntervals:
    def test_the_same_seed_gives_the_same_interval_and_another_gives_another(self):
        ratings = ratings_in(random_table(1))

        assert measure(ratings, seed=1) == measure(ratings, seed=1)
        assert measure(ratings, seed=1).gwet_ac1 != measure(ratings, seed=2).gwet_ac1

    @pytest.mark.parametrize("name", ["percent", "kappa", "ac1", "nominal", "ordinal", "interval"])
    def test_they_hold_the_true_figure_about_as_often_as_they_say(self, name, many_tables):
        truth, measured = many_tables
        covered = [figures[name].low <= truth[name].value <= figures[name].high for figures in measured]

        assert 0.88 <= np.mean(covered) <= 0.995

    def test_more_items_narrow_them(self):
        few, many = (figures_of(measure(ratings_in(random_table(2, items=n)))) for n in (50, 2_000))

        for name, figure in few.items():
            assert many[name].high - many[name].low < (figure.high - figure.low) / 3

    def test_one_item_gives_a_figure_but_no_interval(self):
        figure = measure([("i", "a", "x"), ("i", "b", "y"), ("j", "a", "x")]).percent_agreement

        assert (figure.value, figure.low, figure.high, figure.n_items) == (0, None, None, 1)
        assert "at least two" in figure.reason

    def test_progress_is_told_up_to_the_end(self):
        told = []
        measure(ratings_of(FOUR_OBSERVERS), progress=lambda done, total: told.append((done, total)))

        assert told[0] == (50, 2_000)
        assert told[-1] == (2_000, 2_000)


class TestUndefined:
    @pytest.mark.parametrize("ratings", [[], [("i", "a", "x"), ("j", "b", "y")], [("i", "a", None), ("i", "b", "x")]])
    def test_where_no_item_has_two_ratings_nothing_is_told(self, ratings):
        for figure in figures_of(measure(ratings)).values():
            assert astuple(figure)[:-1] == (None, None, None, 0)
            assert "No item has ratings by two raters" in figure.reason

    @pytest.mark.parametrize("order", [None, [0, 1, 2]])
    def test_one_value_throughout_is_full_agreement_that_tells_nothing(self, order):
        figures = figures_of(measure(ratings_of("1 1 1 1\n1 1 1 .\n"), order=order))

        assert figures.pop("percent").value == 1
        for figure in figures.values():
            assert (figure.value, figure.low, figure.high, figure.n_items) == (None, None, None, 3)
            assert "cannot be told from chance" in figure.reason

    def test_one_value_where_it_can_be_compared_leaves_alpha_undefined(self):
        """The other value is an item's only rating: it counts for how frequent the values are, which AC1 asks."""
        agreement = measure(ratings_of("1 1 1 2\n1 1 1 .\n"))

        assert "two ratings or more" in agreement.krippendorff_alpha.nominal.reason
        assert agreement.cohen_kappa.value is None
        assert agreement.gwet_ac1.value == 1

    def test_words_have_no_order_and_no_distance_of_their_own(self):
        alpha = measure(ratings_of("a b c a\na b b c\n")).krippendorff_alpha

        assert alpha.nominal.value is not None
        assert (alpha.ordinal.value, alpha.interval.value) == (None, None)
        assert "order was not given" in alpha.ordinal.reason
        assert "no distance" in alpha.interval.reason

    def test_a_number_that_is_not_finite_is_no_number(self):
        alpha = measure([(i, r, v) for i, v in enumerate((1.0, float("inf"))) for r in "ab"]).krippendorff_alpha

        assert (alpha.ordinal.value, alpha.interval.value) == (None, None)

    @given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.integers(0, 2)), max_size=14))
    @settings(max_examples=60, deadline=None)
    def test_no_figure_is_ever_nan_and_each_without_a_value_or_interval_says_why(self, rows):
        unique = {(item, rater): value for item, rater, value in rows}
        for figure in figures_of(measure([(*key, value) for key, value in unique.items()], resamples=40)).values():
            assert not any(isinstance(part, float) and isnan(part) for part in astuple(figure))
            if figure.value is None or figure.low is None:
                assert figure.reason
            else:
                assert figure.low <= figure.value <= figure.high
                assert figure.value <= 1
                assert not figure.reason


class TestWhatDoesNotMatter:
    @given(st.permutations(range(4)), st.integers(0, 50))
    @settings(max_examples=25, deadline=None)
    def test_the_names_of_the_values_to_nominal_alpha_kappa_and_ac1(self, names, seed):
        ratings = ratings_in(random_table(seed))
        renamed = [(item, rater, names[int(value)]) for item, rater, value in ratings]

        before, after = (figures_of(measure(each, resamples=2)) for each in (ratings, renamed))
        for name in ("nominal", "kappa", "ac1", "percent"):
            assert after[name].value == pytest.approx(before[name].value)

    def test_the_order_of_the_rows_and_the_names_of_the_raters(self):
        ratings = ratings_in(random_table(4))
        other = [(f"item {item}", "dcba"[rater], value) for item, rater, value in reversed(ratings)]

        before, after = (figures_of(measure(each, resamples=2)) for each in (ratings, other))
        for name, figure in before.items():
            assert after[name].value == pytest.approx(figure.value)
            assert after[name].n_items == figure.n_items

    def test_the_unit_to_the_interval_alpha(self):
        ratings = ratings_in(random_table(6))
        in_tenths = [(item, rater, -10 * value) for item, rater, value in ratings]

        before, after = (measure(each, resamples=2).krippendorff_alpha for each in (ratings, in_tenths))
        assert after.interval.value == pytest.approx(before.interval.value)
        assert after.ordinal.value == pytest.approx(before.ordinal.value)

    def test_values_of_the_scale_that_nobody_used_but_to_ac1(self):
        ratings = ratings_in(random_table(8))
        used, whole = (figures_of(measure(ratings, order=order)) for order in ([0, 1, 2, 3], [0, 0.5, 1, 2, 3, "n/a"]))

        assert whole.pop("ac1").value > used.pop("ac1").value
        for name, figure in used.items():
            assert whole[name].value == pytest.approx(figure.value)


class TestBadInput:
    @pytest.mark.parametrize(
        ("ratings", "order", "said"),
        [
            ([("i", "a", "x"), ("i", "a", "y")], None, "same item twice"),
            ([("i", "a", "x"), ("i", "b", "z")], ["x", "y"], "leaves out the value 'z'"),
            ([], ["x", "x"], "names a value twice"),
        ],
    )
    def test_is_refused(self, ratings, order, said):
        with pytest.raises(ValueError, match=said):
            measure(ratings, order=order)


def test_the_web_is_loaded_without_it():
    """numpy would slow each start of the web for figures that the worker makes."""
    code = "import django; django.setup(); import hitl.urls, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
