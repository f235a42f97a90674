from random import Random

import pytest

from queues.traces.weights import DEFAULTS, Weights, kind
from reviews.traffic.priors import KINDS, Measured, changed, weigh, weight_of
from reviews.traffic.rates import Rate, State, Tally, rate


def measured(fails, labels, name="implicit_regenerate", came=1000):
    return Measured(name, came, rate_of(fails, labels))


def rate_of(fails, labels):
    tally = Tally()
    for number in range(labels):
        tally.add("random", 100.0, State.FAILS if number < fails else State.PASSES)
    return rate(tally, is_whole=False, fewest=1)


BASE = rate_of(100, 1000)


class TestTheWeight:
    @pytest.mark.parametrize(
        ("precision", "base", "weight"),
        [(1.0, 0.1, -1.0), (0.55, 0.1, -0.5), (0.1, 0.1, 0.0), (0.05, 0.1, 0.5), (0.0, 0.1, 1.0), (0.4, 0.0, 0.0)],
    )
    def test_is_how_far_the_signal_moves_the_rate_toward_certainty(self, precision, base, weight):
        assert weight_of(precision, base) == pytest.approx(weight)

    def test_many_labels_say_what_it_is_worth(self):
        found = weigh(measured(2200, 4000), base=BASE, now=-0.7, default=-0.7)
        assert found.proposed == pytest.approx(-0.5, abs=0.01)
        assert found.because.startswith("55% of its traces fail, 10% of all traffic. Alone that is worth -0.50.")

    def test_few_move_it_by_little(self):
        few, more = (weigh(measured(n // 2, n), base=BASE, now=0.7, default=0.7) for n in (2, 40))
        assert 0.3 > more.proposed > -0.45
        assert 0.7 > few.proposed > more.proposed
        assert "the default +0.7 the rest" in few.because

    def test_a_signal_may_turn_out_to_mean_the_opposite(self):
        assert weigh(measured(500, 1000), base=BASE, now=0.7, default=0.7).proposed < 0

    def test_without_labels_it_stays_as_it_is(self):
        found = weigh(measured(0, 0, came=0), base=BASE, now=-0.4, default=-0.7)
        assert (found.proposed, found.moves) == (-0.4, False)
        assert found.because == "It never came. It stays as it is."
        nothing = rate(Tally(), fewest=1)
        assert weigh(measured(5, 9), base=nothing, now=-0.4, default=-0.7).proposed == -0.4

    def test_only_what_moves_is_written_down(self):
        same = weigh(measured(2200, 4000), base=BASE, now=-0.5, default=-0.7)
        other = weigh(measured(2200, 4000, "implicit_copy"), base=BASE, now=0.7, default=0.7)
        assert changed([same, other]) == {"implicit_copy": other.proposed}
        assert changed([same, other], ["implicit_regenerate"]) == {}

    def test_it_comes_near_the_truth_and_on_average_nearer_than_the_default_or_the_labels_alone(self):
        random = Random(3)
        off = {"proposed": 0.0, "default": 0.0, "labels": 0.0}
        for _ in range(300):
            truth = max(-0.95, min(0.95, random.gauss(-0.5, 0.3)))
            precision = 0.1 - truth * 0.9 if truth < 0 else 0.1 * (1 - truth)
            fails = sum(random.random() < precision for _ in range(15))
            found = weigh(measured(fails, 15), base=BASE, now=-0.5, default=-0.5)
            for name, weight in (
                ("proposed", found.proposed),
                ("default", -0.5),
                ("labels", weight_of(fails / 15, 0.1)),
            ):
                off[name] += (weight - truth) ** 2
        assert off["proposed"] < min(off["default"], off["labels"])


def test_every_kind_that_may_be_weighed_has_words_and_a_default():
    weights = Weights(0, DEFAULTS)
    types = {name.partition(":")[0] for name in KINDS}
    assert types == set(DEFAULTS)
    assert all(-1 <= weights.of_kind(name) <= 1 and weights.of_kind(name) for name in KINDS)
    assert kind("user_reason", None, "refused") in KINDS
    assert isinstance(BASE, Rate)
