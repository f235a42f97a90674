import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl.statistics import Interval, Weighed, beta_quantile, jeffreys, weighted, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (score).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_gives_the_published_intervals(successes, n, low, high):
    interval = wilson(successes, n)

    assert interval == Interval(successes / n, pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5), n)


def test_nothing_counted_has_no_interval():
    assert wilson(0, 0) is None


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_counts_that_cannot_be_are_refused(successes, n):
    with pytest.raises(ValueError, match="is not a share"):
        wilson(successes, n)


def test_more_cases_narrow_it_and_more_certainty_widens_it():
    few, many = wilson(3, 10), wilson(300, 1000)

    assert few.high - few.low > many.high - many.low
    assert wilson(3, 10, z=2.576).high > few.high


@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_holds_the_share_and_stays_between_0_and_1(counts):
    interval = wilson(*counts)

    assert 0 <= interval.low <= interval.share <= interval.high <= 1


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_failures_mirror_successes(counts):
    successes, n = counts
    interval, mirrored = wilson(successes, n), wilson(n - successes, n)

    assert interval.low == pytest.approx(1 - mirrored.high, abs=1e-12)


class TestJeffreys:
    @pytest.mark.parametrize(("count", "low", "high"), [(0, 0, 0.217), (1, 0.011, 0.381), (2, 0.044, 0.503)])
    def test_gives_the_published_intervals(self, count, low, high):
        # Brown, Cai, DasGupta, Statistical Science 16 (2001), table 5, for ten cases.
        found = jeffreys(count / 10, 10)

        assert (found.low, found.high) == pytest.approx((low, high), abs=6e-4)

    @given(st.floats(0, 1), st.floats(0.01, 1e6))
    def test_holds_the_share_and_mirrors_it(self, share, n):
        found, other = jeffreys(share, n), jeffreys(1 - share, n)

        assert 0 <= found.low <= share <= found.high <= 1
        assert (1 - other.high, 1 - other.low) == pytest.approx((found.low, found.high), abs=1e-6)

    @pytest.mark.parametrize(("share", "n"), [(0.5, 0), (1.1, 3)])
    def test_what_is_no_share_is_refused(self, share, n):
        with pytest.raises(ValueError, match="is not a share"):
            jeffreys(share, n)

    @pytest.mark.parametrize(("p", "b"), [(0.025, 5), (0.5, 0.5), (0.975, 300)])
    def test_the_quantile_agrees_with_the_case_that_has_a_formula(self, p, b):
        assert beta_quantile(p, 1, b) == pytest.approx(1 - (1 - p) ** (1 / b), rel=1e-9)


class TestWeighted:
    def test_a_difference_is_newcombes(self):
        """The first example of Newcombe (1998), table II: 56 of 70 less 48 of 80, method 10."""
        found = weighted([Weighed(1, wilson(56, 70)), Weighed(-1, wilson(48, 80))])
        assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)
        assert found.n == 150

    def test_one_share_alone_keeps_its_interval(self):
        one = wilson(3, 20)
        found = weighted([Weighed(1, one)])
        assert (found.value, found.low, found.high) == pytest.approx((one.share, one.low, one.high))

    def test_nobody_in_any_stratum_still_leaves_room(self):
        found = weighted([Weighed(0.5, wilson(0, 10)), Weighed(0.5, wilson(0, 30))])
        assert (found.value, found.low) == (0, 0)
        assert 0.1 < found.high < 0.2

    def test_nothing_is_no_sum(self):
        with pytest.raises(ValueError, match="Nothing"):
            weighted([])
