from random import Random

import pytest

from hitl.statistics import jeffreys
from reviews.traffic.rates import State, Tally, rate


def tally(*cases):
    """Cases as (group, weight, state, how many)."""
    found = Tally()
    for group, weight, state, times in cases:
        for _ in range(times):
            found.add(group, weight, State(state))
    return found


class TestByHand:
    def test_a_case_drawn_with_a_chance_of_one_in_ten_stands_for_ten(self):
        # 10 flagged ones drawn for certain, 6 fail; of 1,000 others one in ten drawn, 5 of 100 fail.
        found = rate(tally(("negative", 1, "fails", 6), ("negative", 1, "passes", 4),
                           ("random", 10, "fails", 5), ("random", 10, "passes", 95)))  # fmt: skip
        assert found.value == pytest.approx((6 + 50) / 1010)
        assert (found.labels, found.failures, found.stands_for) == (110, 11, 1010)

    def test_of_one_weight_it_is_the_interval_of_a_plain_share(self):
        found = rate(tally(("random", 1e9, "fails", 7), ("random", 1e9, "passes", 93)))
        plain = jeffreys(0.07, 100)
        assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=1e-6)
        assert found.like == pytest.approx(100, rel=1e-4)

    def test_where_everything_was_looked_at_nothing_is_uncertain(self):
        found = rate(tally(("uncertain", 1, "fails", 5), ("uncertain", 1, "passes", 15)))
        assert (found.value, found.low, found.high, found.like) == (0.25, 0.25, 0.25, None)

    def test_no_failure_found_does_not_mean_that_there_is_none(self):
        found = rate(tally(("negative", 1, "fails", 30), ("random", 500, "passes", 20)))
        assert found.value == pytest.approx(30 / 10_030)
        assert found.high > 0.1

    def test_too_little_says_how_much_is_missing(self):
        found = rate(tally(("random", 10, "fails", 1), ("random", 10, "passes", 2)))
        assert (found.value, found.more) == (None, 7)
        assert found.reason == "7 labels too few to say anything."
        assert rate(Tally()).value is None

    def test_a_wide_interval_says_how_many_labels_would_narrow_it(self):
        found = rate(tally(("random", 1000, "fails", 10), ("random", 1000, "passes", 10)))
        assert found.high - found.low > 0.2
        each = 10 + found.more // 2
        narrower = rate(tally(("random", 1000, "fails", each), ("random", 1000, "passes", each)))
        assert narrower.high - narrower.low == pytest.approx(0.2, abs=0.02)

    def test_labelled_cases_stand_in_for_those_of_their_policy_that_wait(self):
        waiting = rate(
            tally(("negative", 2, "fails", 20), ("negative", 2, "waiting", 20), ("random", 20, "passes", 50))
        )
        decided = rate(tally(("negative", 2, "fails", 40), ("random", 20, "passes", 50)))
        assert waiting.value == pytest.approx(decided.value)
        assert waiting.high - waiting.low > decided.high - decided.low
        assert (waiting.waiting, waiting.at_least) == (20, None)

    def test_of_dropped_ones_it_is_said_how_far_they_could_move_it(self):
        found = rate(tally(("negative", 2, "fails", 10), ("negative", 2, "passes", 10), ("negative", 2, "dropped", 10),
                           ("random", 20, "passes", 47)))  # fmt: skip
        # 60 of 1,000 by weight are negative feedback, 20 of them dropped.
        assert found.value == pytest.approx(0.03)
        assert (found.at_least, found.at_most) == pytest.approx((20 / 1000, 40 / 1000))

    def test_a_policy_without_any_label_counts_as_unknown(self):
        found = rate(tally(("drift", 5, "waiting", 20), ("random", 20, "fails", 5), ("random", 20, "passes", 40)))
        assert found.value == pytest.approx(5 / 45)
        assert (found.at_least, found.at_most) == pytest.approx((100 / 1000, 200 / 1000))

    def test_those_in_quarantine_say_nothing(self):
        found = rate(tally(("random", 2, "fails", 10), ("random", 2, "passes", 10), ("random", 2, "unclear", 80)))
        assert (found.value, found.unclear, found.labels) == (0.5, 80, 20)


def traffic(random, size, *, base, of_flagged, flagged=0.06):
    """Answers as (flagged, topic, fails, judge's score); the rare topics fail oftener."""
    rows = []
    for _ in range(size):
        is_flagged, topic = random.random() < flagged, random.choices((0, 1, 2), (0.7, 0.25, 0.05))[0]
        chance = (of_flagged if is_flagged else base) * (1, 1.5, 3)[topic]
        rows.append((is_flagged, topic, random.random() < chance, random.random()))
    return rows


def sampled(random, rows, budget, dropped=0.0):
    """A draw of the five kinds: random, an equal share of each topic, of the flagged, the surest ones for certain.

    With the tally of all, and of the random draw alone.
    """
    size = len(rows)
    of_topic = [sum(topic == one for _, topic, *_ in rows) for one in (0, 1, 2)]
    flagged = sum(one for one, *_ in rows)
    bar = sorted((score for *_, score in rows), reverse=True)[budget // 10]
    everything, alone = Tally(), Tally()
    for is_flagged, topic, fails, score in rows:
        chances = {
            "uncertain": 1.0 if score > bar else 0.0,
            "negative": min(1.0, 0.3 * budget / flagged) if is_flagged else 0.0,
            "stratified": min(1.0, 0.3 * budget / 3 / of_topic[topic]),
            "random": 0.3 * budget / size,
        }
        picked = [policy for policy, chance in chances.items() if random.random() < chance]
        if not picked:
            continue
        missed = 1.0
        for chance in chances.values():
            missed *= 1 - chance
        state = State.FAILS if fails else State.PASSES
        if picked[0] != "random" and random.random() < dropped:
            state = State.DROPPED
        everything.add(picked[0], 1 / (1 - missed), state)
        if "random" in picked:
            alone.add("random", 1 / chances["random"], State.FAILS if fails else State.PASSES)
    return everything, alone


class TestAgainstAKnownTruth:
    """Whole weeks of traffic whose every answer is known, sampled over and over, with fixed seeds."""

    @pytest.mark.parametrize(
        ("size", "base", "of_flagged", "budget", "dropped"),
        [
            (6000, 0.03, 0.4, 400, 0.0),
            (6000, 0.005, 0.1, 400, 0.0),
            (6000, 0.03, 0.4, 80, 0.0),
            (600, 0.05, 0.4, 120, 0.0),
            (6000, 0.03, 0.4, 400, 0.4),
        ],
        ids=["usual", "rare failures", "few labels", "most of it looked at", "dropped by chance"],
    )
    def test_the_rate_is_not_skewed_and_its_interval_holds_the_truth(self, size, base, of_flagged, budget, dropped):
        random = Random(7)
        rows = traffic(random, size, base=base, of_flagged=of_flagged)
        truth = sum(fails for *_, fails, _ in rows) / size
        found, alone, naive = [], [], []
        for _ in range(150):
            everything, by_chance = sampled(random, rows, budget, dropped)
            found.append(rate(everything))
            alone.append(rate(by_chance, fewest=1))
            naive.append(found[-1].failures / found[-1].labels)
        mean = sum(one.value for one in found) / len(found)
        spread = (sum((one.value - truth) ** 2 for one in found) / len(found)) ** 0.5
        assert abs(mean - truth) < 3 * spread / len(found) ** 0.5
        assert sum(one.low <= truth <= one.high for one in found) / len(found) > 0.91
        # What the weights are for: the plain share is far off, and the random draw alone tells less.
        assert sum(naive) / len(naive) > 1.5 * truth
        assert sum(one.high - one.low for one in found) < sum(one.high - one.low for one in alone)
