from collections import Counter
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues.sampling import mix
from queues.sampling.drawing import Asked, draw
from tests.factories.drawing import pool

MANY = 3000
# Sigmas: of the some hundred shares that are compared, none is further off by chance but once in a thousand runs.
FAR = 5

ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "topic": st.integers(0, 4),
            "user": st.integers(0, 3),
            "weight": st.floats(-2, 2),
            "distance": st.floats(0, 1),
            "slice": st.integers(0, 2),
            "is_negative": st.booleans(),
            "is_edited": st.booleans(),
            "is_fresh": st.booleans(),
            "is_case": st.booleans(),
        },
    ),
    max_size=60,
)
WEIGHTS = st.lists(st.integers(0, 10), min_size=4, max_size=4).filter(any)


def asked(budget=20, slices=(), per_user=3, width=0.15, **shares):
    return Asked(budget, {**mix.DEFAULT, **shares}, per_user, width, slices)


def by(drawn, policy):
    return [pick.place for pick in drawn.picks if pick.policy == policy]


def mixed(weights, random):
    others = [policy.value for policy in mix.POLICIES if policy != "random"]
    return {
        **{name: (1 - random) * one / sum(weights) for name, one in zip(others, weights, strict=True)},
        "random": random,
    }


class TestWhateverTheTraffic:
    @given(rows=ROWS, budget=st.integers(0, 40), weights=WEIGHTS, random=st.integers(10, 100), seed=st.integers(0))
    @settings(max_examples=200, deadline=None)
    def test_the_budget_holds_each_trace_comes_once_and_each_has_its_probability(
        self, rows, budget, weights, random, seed
    ):
        plan = Asked(budget, mixed(weights, random / 100), 2, 0.3, (5, 5))
        drawn = draw(pool(rows), plan, seed=seed)
        places = [pick.place for pick in drawn.picks]
        assert len(places) <= budget
        assert len(set(places)) == len(places)
        assert not any(rows[place].get("is_case") for place in places)
        for one in [*drawn.picks, *drawn.again]:
            assert 0 < one.probability <= 1
            assert max(one.policies.values()) <= one.probability + 1e-12
        assert {one.place for one in drawn.again} <= {n for n, row in enumerate(rows) if row.get("is_case")}

    @given(rows=ROWS, budget=st.integers(0, 40), weights=WEIGHTS, random=st.integers(10, 100), seed=st.integers(0))
    @settings(max_examples=200, deadline=None)
    def test_a_tenth_is_drawn_at_random_while_there_is_anything_to_draw(self, rows, budget, weights, random, seed):
        drawn = draw(pool(rows), Asked(budget, mixed(weights, random / 100), 2, 0.3, (5, 5)), seed=seed)
        elsewhere = len(drawn.picks) - len(by(drawn, "random"))
        left = sum(row.get("is_fresh", True) and not row.get("is_case", False) for row in rows) - elsewhere
        assert len(by(drawn, "random")) >= min(budget * 0.1, left)

    @given(rows=ROWS, seed=st.integers(0))
    @settings(max_examples=50, deadline=None)
    def test_the_same_again_from_the_same_seed(self, rows, seed):
        assert draw(pool(rows), asked(), seed=seed) == draw(pool(rows), asked(), seed=seed)

    @given(rows=ROWS, seed=st.integers(0), random=st.randoms(use_true_random=False))
    @settings(max_examples=50, deadline=None)
    def test_the_order_in_which_traces_are_read_changes_nothing(self, rows, seed, random):
        one = pool(rows)
        order = list(range(len(rows)))
        random.shuffle(order)
        other = type(one)(**{name: getattr(one, name)[order] for name in one.__slots__})
        before = {pick.place: pick.policies for pick in draw(one, asked(), seed=seed).picks}
        after = {order[pick.place]: pick.policies for pick in draw(other, asked(), seed=seed).picks}
        assert before == after

    def test_nothing_at_all_is_drawn_from_nothing(self):
        drawn = draw(pool([]), asked(), seed=1)
        assert (drawn.picks, drawn.again, drawn.population) == ([], [], 0)
        assert {name: count.short for name, count in drawn.counts.items() if name != "random"} == {
            name: count.wanted for name, count in drawn.counts.items() if name != "random"
        }


class TestNegative:
    def test_edits_come_first_then_the_worst_then_the_newest(self):
        rows = [
            {"is_negative": True, "weight": -0.5},
            {"is_negative": True, "weight": -1.0},
            {"is_negative": True, "weight": -0.5},
            {"is_edited": True, "weight": 0.4},
            {},
        ]
        drawn = draw(pool(rows), asked(10, negative=0.4, stratified=0.15), seed=1)
        assert by(drawn, "negative") == [3, 1, 2, 0]

    def test_a_user_with_five_thousand_thumbs_down_fills_no_queue(self):
        rows = [{"is_negative": True, "weight": -1, "user": 7}] * 5000 + [{"is_negative": True, "user": 8}] * 5
        drawn = draw(pool(rows), asked(100), seed=1)
        chosen = by(drawn, "negative")
        assert sum(place < 5000 for place in chosen) == 3
        assert sum(place >= 5000 for place in chosen) == 3
        assert drawn.counts["negative"].short == 24

    def test_users_that_are_not_known_are_not_taken_for_one(self):
        drawn = draw(pool([{"is_negative": True}] * 50), asked(100), seed=1)
        assert len(by(drawn, "negative")) == 30

    def test_what_came_in_long_before_is_still_looked_at_since_users_speak_late(self):
        drawn = draw(pool([{"is_negative": True, "is_fresh": False}]), asked(), seed=1)
        assert by(drawn, "negative") == [0]
        assert drawn.population == 0


class TestUncertain:
    def test_the_nearest_to_the_threshold_first_and_none_beyond_the_width(self):
        rows = [{"distance": 0.1}, {"distance": 0.02}, {"distance": 0.2}, {}, {"distance": 0.02}]
        drawn = draw(pool(rows), asked(10, uncertain=0.3, stratified=0.05), seed=1)
        assert by(drawn, "uncertain") == [4, 1, 0]


class TestDrift:
    def test_reported_slices_come_ahead_of_the_rest(self):
        rows = [{"slice": 1, "is_negative": True, "is_edited": True}] * 3 + [{}] * 50
        drawn = draw(pool(rows), asked(20, (9,)), seed=1)
        assert len(by(drawn, "drift")) == 2
        stamped = [pick for pick in drawn.picks if "drift" in pick.policies]
        assert all(pick.policy == "drift" and pick.policies["negative"] == 1.0 for pick in stamped)
        assert [pick.policy for pick in drawn.picks[:3]] == ["drift", "drift", "negative"]

    def test_no_more_of_a_slice_than_is_still_wanted_and_what_is_left_goes_to_the_next(self):
        rows = [{"slice": 1}] * 30 + [{"slice": 2}] * 30
        drawn = draw(pool(rows), asked(100, (2, 20)), seed=1)
        slices = Counter(rows[place]["slice"] for place in by(drawn, "drift"))
        assert slices == {1: 2, 2: 8}


class TestStratified:
    def test_each_topic_gets_an_equal_share_however_much_of_the_traffic_it_is(self):
        rows = [{"topic": 1}] * 900 + [{"topic": 2}] * 90 + [{"topic": 3}] * 10
        drawn = draw(pool(rows), asked(100, stratified=0.3, negative=0.25), seed=1)
        assert Counter(rows[place]["topic"] for place in by(drawn, "stratified")) == {1: 10, 2: 10, 3: 10}

    def test_what_a_rare_topic_lacks_goes_to_the_others(self):
        rows = [{"topic": 1}] * 500 + [{"topic": 2}] * 500 + [{"topic": 3}] * 2
        drawn = draw(pool(rows), asked(100, stratified=0.3, negative=0.25), seed=1)
        assert Counter(rows[place]["topic"] for place in by(drawn, "stratified")) == {1: 14, 2: 14, 3: 2}

    def test_more_topics_than_cases_take_turns(self):
        rows = [{"topic": n % 40} for n in range(400)]
        drawn = draw(pool(rows), asked(40), seed=1)
        assert max(Counter(rows[place]["topic"] for place in by(drawn, "stratified")).values()) == 1
        again = draw(pool(rows), asked(40), seed=2)
        topics = [{rows[place]["topic"] for place in by(one, "stratified")} for one in (drawn, again)]
        assert topics[0] != topics[1]

    def test_a_trace_is_drawn_once_only_from_what_came_in_since_the_last_draw(self):
        drawn = draw(pool([{"is_fresh": False}] * 50), asked(), seed=1)
        assert drawn.picks == []


class TestShortfalls:
    def test_go_to_random_and_are_said(self):
        drawn = draw(pool([{"topic": n % 4} for n in range(500)]), asked(80), seed=1)
        assert {name: count.picked for name, count in drawn.counts.items()} == {
            "drift": 0, "negative": 0, "uncertain": 0, "stratified": 20, "random": 60,
        }  # fmt: skip
        assert {name: count.short for name, count in drawn.counts.items()} == {
            "drift": 8, "negative": 24, "uncertain": 8, "stratified": 0, "random": 0,
        }  # fmt: skip

    def test_that_random_cannot_fill_are_said_too(self):
        drawn = draw(pool([{}] * 10), asked(80), seed=1)
        assert len(drawn.picks) == 10
        assert drawn.counts["random"].short > 0


class TestWhatIsACaseAlready:
    def test_is_stamped_with_what_would_have_picked_it_and_takes_nobodys_room(self):
        rows = [{"is_negative": True, "weight": -1, "is_case": True, "is_fresh": False}] + [
            {"is_negative": True, "weight": -0.5} for _ in range(30)
        ]
        drawn = draw(pool(rows), asked(20), seed=1)
        (again,) = drawn.again
        assert (again.place, again.policies, again.probability) == (0, {"negative": 1.0}, 1.0)
        assert len(by(drawn, "negative")) == 6

    def test_is_not_stamped_where_the_rank_would_not_have_done(self):
        rows = [{"is_negative": True, "weight": -0.1, "is_case": True, "is_fresh": False}] + [
            {"is_negative": True, "weight": -0.5} for _ in range(30)
        ]
        assert draw(pool(rows), asked(20), seed=1).again == []


TRAFFIC = (
    [{"topic": 1, "is_negative": True, "weight": -1.0, "user": n} for n in range(4)]
    + [{"topic": 2, "distance": 0.05}] * 2
    + [{"topic": 3, "slice": 1}] * 3
    + [{"topic": 1}] * 40
    + [{"topic": 2}] * 9
    + [{"topic": 3}] * 3
    + [{"topic": 4}] * 1
    + [{"topic": 4, "is_case": True}] * 1
    + [{"topic": 5, "is_fresh": False, "is_negative": True}] * 2
    + [{"topic": 1, "is_fresh": False}] * 5
)


@pytest.fixture(scope="module")
def draws():
    traces = pool(TRAFFIC)
    plan = asked(25, (2,), stratified=0.32, random=0.18)
    return [draw(traces, plan, seed=seed) for seed in range(MANY)]


class TestProbabilities:
    """What is stamped is how often it happens: drawn many times over, with seeds 0, 1, 2 …"""

    def test_of_being_picked_at_all(self, draws):
        stamped: dict[int, set[float]] = {}
        times: Counter[int] = Counter()
        for drawn in draws:
            for one in [*drawn.picks, *drawn.again]:
                stamped.setdefault(one.place, set()).add(round(one.probability, 12))
                times[one.place] += 1
        assert all(len(found) == 1 for found in stamped.values())
        for place, (probability,) in stamped.items():
            spread = sqrt(probability * (1 - probability) / MANY)
            assert abs(times[place] / MANY - probability) <= FAR * spread + 1e-12, TRAFFIC[place]
        never = [row for place, row in enumerate(TRAFFIC) if place not in times]
        assert never == [{"topic": 1, "is_fresh": False}] * 5

    @pytest.mark.parametrize("policy", [policy.value for policy in mix.POLICIES])
    def test_of_being_picked_by_each_policy(self, draws, policy):
        stamped: dict[int, set[float]] = {}
        times: Counter[int] = Counter()
        for drawn in draws:
            for one in [*drawn.picks, *drawn.again]:
                if policy in one.policies:
                    stamped.setdefault(one.place, set()).add(round(one.policies[policy], 12))
                    times[one.place] += 1
        assert stamped
        for place, found in stamped.items():
            (probability,) = found
            spread = sqrt(probability * (1 - probability) / MANY)
            assert abs(times[place] / MANY - probability) <= FAR * spread + 1e-12, TRAFFIC[place]

    def test_at_random_every_fresh_trace_has_the_same_whoever_else_picks_it(self, draws):
        found = {one.policies["random"] for drawn in draws for one in drawn.picks if "random" in one.policies}
        assert len({round(probability, 12) for probability in found}) == 1
        times = Counter(
            one.place for drawn in draws for one in [*drawn.picks, *drawn.again] if "random" in one.policies
        )
        negative = [place for place, row in enumerate(TRAFFIC) if row.get("is_negative") and row.get("is_fresh", True)]
        plain = [place for place, row in enumerate(TRAFFIC) if row == {"topic": 1}]
        rates = [np.mean([times[place] for place in places]) / MANY for places in (negative, plain)]
        assert rates[0] == pytest.approx(rates[1], abs=0.02)

    def test_an_estimate_weighted_by_them_is_right_on_average(self, draws):
        """The failures are known here: every complaint but one, and each fifth of the rest of what is fresh."""
        fails = np.array(
            [
                (row.get("is_negative", False) and place != 0) or (not row.get("is_negative") and place % 5 == 0)
                for place, row in enumerate(TRAFFIC)
            ]
        )
        reached = np.array([row.get("is_fresh", True) or row.get("is_negative", False) for row in TRAFFIC])
        truth = int((fails & reached).sum())
        sums = [sum(fails[one.place] / one.probability for one in [*drawn.picks, *drawn.again]) for drawn in draws]
        assert np.mean(sums) == pytest.approx(truth, abs=FAR * float(np.std(sums)) / sqrt(MANY))
