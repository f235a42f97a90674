from itertools import pairwise, product

import pytest

from queues.priority import priority
from queues.risk import Risk

MINUTES = (-10, 0, 10, 30, 120, 600, 3000, 10_000, None)


def test_more_risk_is_sooner():
    for minutes in MINUTES:
        points = [priority(risk=risk, minutes_left=minutes) for risk in sorted(Risk, reverse=True)]
        assert points == sorted(points)
        assert len(set(points)) == len(points)


def test_less_time_is_never_later():
    for risk in Risk:
        for sooner, later in pairwise(MINUTES):
            assert priority(risk=risk, minutes_left=sooner) <= priority(risk=risk, minutes_left=later)


def test_a_users_edit_comes_first_then_unhappy_users_then_silent_then_happy_ones():
    said = [{"user_edited": True}, {"signal_weight": -0.4}, {}, {"signal_weight": 1.0}]

    points = [priority(risk=Risk.MEDIUM, **one) for one in said]

    assert points == sorted(set(points))
    assert priority(risk=Risk.MEDIUM, user_edited=True, signal_weight=5) == points[0]


def test_what_users_say_never_outweighs_a_step_of_risk():
    assert priority(risk=Risk.HIGH, signal_weight=1.0) < priority(risk=Risk.MEDIUM, user_edited=True)


def test_a_low_risk_about_to_be_late_comes_before_a_medium_one_with_days_to_go():
    assert priority(risk=Risk.LOW, minutes_left=5) < priority(risk=Risk.MEDIUM, minutes_left=4000)


@pytest.mark.parametrize("risk", list(Risk))
def test_fits_the_column_it_is_stored_in(risk):
    for minutes, weight, edited in product(MINUTES, (-1e9, 0, 1e9), (False, True)):
        assert 0 <= priority(risk=risk, minutes_left=minutes, signal_weight=weight, user_edited=edited) <= 87
