from datetime import timedelta
from decimal import Decimal
from math import sqrt

import pytest
from django.utils import timezone

from hitl.models import AuditEvent, Message
from queues import claims, clock, seconds
from queues.models import Breach, LaneTaker, Slot
from queues.seconds import is_chosen, open_next_seat
from tests.factories.queues import CaseFactory, LaneFactory, QueueFactory, SlotFactory, reviewer_of

TENTH = Decimal("0.100")
N = 20_000
CHOSEN = [5, 19, 20, 25, 31, 44, 48, 57]  # of the first 59 cases of queue 1


class TestWhichCases:
    def test_about_as_many_as_the_share_says(self):
        for share in (Decimal("0.010"), TENTH, Decimal("0.500")):
            chosen = sum(is_chosen(case, 7, share) for case in range(1, N + 1))
            # Four standard deviations: the draw is fixed, so this either holds for good or never.
            assert abs(chosen - N * float(share)) < 4 * sqrt(N * float(share) * (1 - float(share)))

    def test_none_at_nought_and_all_at_one(self):
        assert not any(is_chosen(case, 7, Decimal(0)) for case in range(1000))
        assert all(is_chosen(case, 7, Decimal(1)) for case in range(1000))

    def test_the_same_ones_in_every_process_and_release(self):
        assert [case for case in range(1, 60) if is_chosen(case, 1, TENTH)] == CHOSEN

    def test_in_another_queue_others(self):
        here, there = ({case for case in range(N) if is_chosen(case, queue, TENTH)} for queue in (1, 2))
        assert abs(len(here & there) - N / 100) < 4 * sqrt(N / 100)

    def test_whether_a_case_is_chosen_says_nothing_of_the_next(self):
        chosen = [is_chosen(case, 1, TENTH) for case in range(N)]
        for apart in (1, 2, 10):
            both = sum(a and b for a, b in zip(chosen, chosen[apart:], strict=False))
            assert abs(both - N / 100) < 4 * sqrt(N / 100)

    def test_a_larger_share_keeps_those_of_the_smaller(self):
        assert all(is_chosen(case, 1, Decimal("0.2")) for case in range(N) if is_chosen(case, 1, TENTH))


@pytest.mark.django_db
class TestTheNextSeat:
    @pytest.fixture
    def lane(self):
        return LaneFactory(queue=QueueFactory(second_share=1))

    @pytest.fixture
    def slot(self, lane):
        """Decided by the first of two."""
        now = timezone.now()
        case = CaseFactory(
            tenant=lane.tenant, queue=lane.queue, received_at=now - timedelta(hours=5), due_at=now - timedelta(hours=1)
        )
        first = reviewer_of(lane)
        reviewer_of(lane)
        return SlotFactory(
            lane=lane, case=case, barred=[7], state="decided", decided_by=first, decided_at=now, due_at=case.due_at
        )

    def open(self, slot, share=Decimal(1), raters=2):
        now = timezone.now()
        opened = open_next_seat(slot=slot, case=slot.case, share=share, raters=raters, now=now)
        return Slot.objects.get(pk=opened) if opened else None

    def test_is_in_the_same_lane_and_round_barred_to_whoever_was_before(self, slot):
        second = self.open(slot)
        assert (second.case, second.lane, second.round, second.seat) == (slot.case, slot.lane, 1, 2)
        assert (second.purpose, second.state) == ("second", "open")
        assert second.barred == sorted([7, slot.decided_by_id])

    def test_has_as_long_as_the_first_had_counted_from_now(self, slot):
        second = self.open(slot)
        assert second.due_at - second.created_at == timedelta(hours=4)
        assert not second.overdue

    def test_costs_nothing_where_the_case_is_not_chosen(self, slot, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert self.open(slot, share=Decimal(0)) is None

    def test_costs_nothing_where_all_have_their_seat(self, slot, django_assert_num_queries):
        slot.seat = 2
        with django_assert_num_queries(0):
            assert self.open(slot) is None

    def test_a_queue_may_want_more_than_two(self, slot):
        second = self.open(slot, raters=3)
        Slot.objects.filter(pk=second.pk).update(
            state="decided", decided_by=reviewer_of(slot.lane), decided_at=timezone.now()
        )
        second.refresh_from_db()
        third = self.open(second, raters=3)
        assert (third.seat, third.barred) == (3, sorted([7, slot.decided_by_id, second.decided_by_id]))

    @pytest.mark.parametrize("purpose", ["relabel", "drift", "judge_audit", "adjudication", "approval"])
    def test_only_first_and_second_decisions_have_one(self, slot, purpose):
        slot.purpose = purpose
        assert self.open(slot) is None

    def test_none_opens_that_nobody_could_take(self, slot):
        slot.barred = list(LaneTaker.objects.filter(lane=slot.lane).values_list("user_id", flat=True))
        assert self.open(slot) is None

    def test_it_goes_while_nobody_has_claimed_it(self, slot):
        self.open(slot)
        assert seconds.take_back_seat(slot=slot)
        assert Slot.objects.filter(case=slot.case).count() == 1

    def test_once_it_was_claimed_it_stays_even_after_it_was_put_back(self, slot):
        self.open(slot)
        second = reviewer_of(slot.lane)
        claims.hold(user=second)
        claims.release(user=second)
        assert not seconds.take_back_seat(slot=slot)

    def test_that_it_is_late_is_told_to_nobody(self, slot):
        slot.lane.queue.notify_emails = ["lead@example.com"]
        slot.lane.queue.save()
        second = self.open(slot)
        assert clock.mark_overdue(now=second.due_at + timedelta(minutes=1)) == 1
        second.refresh_from_db()
        assert second.overdue
        assert not Breach.objects.exists()
        assert not Message.objects.exists()
        assert not AuditEvent.objects.filter(action="case.breached").exists()
