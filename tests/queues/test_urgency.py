from datetime import timedelta

import pytest
from django.utils import timezone

from queues import urgency
from queues.models import Slot
from queues.priority import priority
from queues.risk import Risk
from tests.factories.queues import CaseFactory, LaneFactory, SlotFactory

pytestmark = pytest.mark.django_db

FAR = timedelta(days=30)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def lane():
    return LaneFactory()


def slot(lane, now, left, *, risk=Risk.MEDIUM, rating=None, **fields):
    assessment = {} if rating is None else {"sent": {"user_rating": rating}}
    case = CaseFactory(tenant=lane.tenant, queue=lane.queue, risk=risk, assessment=assessment)
    mood = 0.0 if rating is None else rating - 3
    first = priority(risk=risk, minutes_left=FAR.total_seconds() / 60, signal_weight=mood)
    return SlotFactory(lane=lane, case=case, **{"priority": first, "due_at": now + left, **fields})


def now_at(one):
    return Slot.objects.get(pk=one.pk).priority


@pytest.mark.parametrize("minutes", [1, 15, 16, 60, 61, 240, 241, 1440, 4320])
@pytest.mark.parametrize("rating", [None, 1, 3, 5])
def test_a_slot_stands_where_it_would_if_it_came_in_now(lane, now, minutes, rating):
    one = slot(lane, now, timedelta(minutes=minutes), risk=Risk.HIGH, rating=rating)
    urgency.catch_up(now)
    mood = 0.0 if rating is None else rating - 3
    assert now_at(one) == priority(risk=Risk.HIGH, minutes_left=minutes, signal_weight=mood)


def test_a_round_moves_those_that_came_nearer_than_a_step_just_now(lane, now):
    just, long_ago = slot(lane, now, timedelta(minutes=59)), slot(lane, now, timedelta(minutes=30))
    assert urgency.move_forward(now) == 1
    assert now_at(just) == priority(risk=Risk.MEDIUM, minutes_left=59)
    assert now_at(long_ago) == long_ago.priority
    assert urgency.catch_up(now) == 1


def test_what_is_far_off_without_deadline_held_or_decided_stays(lane, now):
    far, none = slot(lane, now, FAR), slot(lane, now, FAR, due_at=None)
    overdue = slot(lane, now, timedelta(minutes=-5), overdue=True)
    assert urgency.catch_up(now) == 0
    for one in (far, none, overdue):
        assert now_at(one) == one.priority


def test_nothing_ever_moves_back(lane, now):
    one = slot(lane, now, timedelta(minutes=59), priority=1)
    assert urgency.catch_up(now) == 0
    assert now_at(one) == 1


def test_more_than_a_chunk_is_done_in_one_go_and_only_once(lane, now, monkeypatch):
    monkeypatch.setattr(urgency, "CHUNK", 2)
    for _ in range(5):
        slot(lane, now, timedelta(minutes=59))
    assert urgency.move_forward(now) == 5
    assert urgency.move_forward(now) == 0
