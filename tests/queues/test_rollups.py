from datetime import timedelta

import pytest
from django.utils import timezone

from hitl.models import AuthorityGrant
from queues.models import LaneRollup, Slot
from queues.rollups import refresh_rollups
from tests.factories.hitl import UserFactory, grant
from tests.factories.queues import LaneFactory, SlotFactory, reviewer_of

pytestmark = pytest.mark.django_db


def rollup(lane, now=None):
    refresh_rollups(now=now or timezone.now())
    return LaneRollup.objects.get(lane=lane)


def change(slot, **fields):
    Slot.objects.filter(pk=slot.pk).update(**fields)


def test_each_slot_counts_where_it_stands():
    now = timezone.now()
    lane = LaneFactory()
    user = reviewer_of(lane)
    due = {"soon": now + timedelta(minutes=30), "late": now - timedelta(minutes=1), "far": now + timedelta(days=1)}
    oldest = SlotFactory(lane=lane, due_at=due["far"], created_at=now - timedelta(days=3))
    SlotFactory(lane=lane, due_at=due["late"])
    passed_on, with_someone, forgotten, aside, done, other = (
        SlotFactory(lane=lane, due_at=due["soon"], created_at=now) for _ in range(6)
    )
    change(passed_on, reserved_for=user)
    change(with_someone, state="held", holder=user, lease_until=now + timedelta(minutes=5))
    change(forgotten, state="held", holder=user, lease_until=now - timedelta(minutes=5))
    change(aside, state="deferred", deferred_until=due["far"])
    change(done, state="decided", decided_by=user, decided_at=now)
    change(other, lane=LaneFactory())

    one = rollup(lane, now)

    assert (one.waiting, one.held, one.deferred) == (4, 1, 1)
    assert (one.overdue, one.due_soon) == (1, 4)
    assert (one.oldest_at, one.next_due_at) == (oldest.created_at, due["soon"])
    assert one.at == now


def test_an_empty_lane_says_so():
    one = rollup(LaneFactory())
    assert (one.waiting, one.oldest_at, one.next_due_at, one.untakeable) == (0, None, None, 0)


def test_an_older_count_never_replaces_a_newer_one():
    now = timezone.now()
    lane = LaneFactory()
    SlotFactory(lane=lane)
    rollup(lane, now)
    SlotFactory(lane=lane)
    assert rollup(lane, now - timedelta(seconds=5)).waiting == 1
    assert rollup(lane, now + timedelta(seconds=5)).waiting == 2


class TestSlotsThatNobodyMayTake:
    def test_without_a_person_for_the_lane_all_of_them(self):
        lane = LaneFactory(language="pl")
        SlotFactory(lane=lane)
        SlotFactory(lane=lane)
        elsewhere = reviewer_of(LaneFactory(language="pl"))
        assert rollup(lane).untakeable == 2
        grant(elsewhere, "review_queue", lane.queue)
        assert rollup(lane).untakeable == 2
        grant(elsewhere, "work_in_tenant", lane.tenant)
        assert rollup(lane).untakeable == 0
        elsewhere.is_active = False
        elsewhere.save()
        assert rollup(lane).untakeable == 2

    def test_languages_fall_back(self):
        lane = LaneFactory(language="de-AT")
        SlotFactory(lane=lane)
        user = UserFactory(languages=["en"])
        grant(user, "review_queue", lane.queue)
        grant(user, "work_in_tenant", lane.tenant)
        assert rollup(lane).untakeable == 1
        user.languages = ["en", "de"]
        user.save()
        assert rollup(lane).untakeable == 0

    def test_the_authority_must_be_held_now(self):
        lane = LaneFactory(authority="finance.refund.L2")
        SlotFactory(lane=lane)
        user = reviewer_of(lane)
        assert rollup(lane).untakeable == 1
        held = AuthorityGrant.objects.create(user=user, authority="finance.refund.L1")
        assert rollup(lane).untakeable == 1
        held.authority = "finance.refund.L3"
        held.save()
        assert rollup(lane).untakeable == 0
        held.until = timezone.now() - timedelta(days=1)
        held.save()
        assert rollup(lane).untakeable == 1

    def test_those_whose_every_taker_is_barred(self):
        lane = LaneFactory()
        one, two = reviewer_of(lane), reviewer_of(lane)
        SlotFactory(lane=lane)
        SlotFactory(lane=lane, barred=[one.pk])
        SlotFactory(lane=lane, barred=[two.pk])
        SlotFactory(lane=lane, barred=[one.pk, two.pk])
        SlotFactory(lane=lane, barred=[one.pk, two.pk, 999])
        assert rollup(lane).untakeable == 2

    def test_those_passed_to_somebody_who_cannot_take_them_any_more(self):
        lane = LaneFactory()
        stays, leaves = reviewer_of(lane), reviewer_of(lane)
        SlotFactory(lane=lane, reserved_for=stays)
        SlotFactory(lane=lane, reserved_for=leaves)
        assert rollup(lane).untakeable == 0
        leaves.is_active = False
        leaves.save()
        assert rollup(lane).untakeable == 1
