import pytest

from queues.models import Signal
from queues.traces.weights import DEFAULTS, Weights, kind

RATING, REASON = Signal.Type.USER_RATING, Signal.Type.USER_REASON


def test_without_weights_of_its_own_a_kind_counts_as_its_type_does():
    weights = Weights(0, DEFAULTS)
    assert weights.of(RATING, 5) == -weights.of(RATING, 1) == DEFAULTS[RATING]
    assert weights.of(RATING, 2) == weights.of(RATING, 1) / 2
    assert weights.of(RATING, 3) == 0
    assert weights.of(REASON, None, None, "refused") == DEFAULTS[REASON]


def test_the_halves_of_a_rating_and_single_reasons_may_be_weighed_on_their_own():
    weights = Weights(1, {**DEFAULTS, "user_rating:down": -0.9, "user_reason:formatting": -0.1})
    assert (weights.of(RATING, 1), weights.of(RATING, 2)) == (-0.9, -0.45)
    assert weights.of(RATING, 5) == DEFAULTS[RATING]
    assert weights.of(REASON, None, None, "formatting") == -0.1
    assert weights.of(REASON, None, None, "refused") == DEFAULTS[REASON]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ((RATING, 1.0), "user_rating:down"),
        ((RATING, 4.0), "user_rating:up"),
        ((REASON, None, "too_long"), "user_reason:too_long"),
        ((Signal.Type.COPY, None), "implicit_copy"),
    ],
)
def test_each_kind_has_a_name(said, named):
    assert kind(*said) == named
