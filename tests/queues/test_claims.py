from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hitl.models import AuthorityGrant
from queues import claims
from queues.claims import CannotHandUp, ClaimLost, Head, draw
from queues.models import Lane, Slot
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import LaneFactory, QueueFactory, SlotFactory, reviewer_of

pytestmark = pytest.mark.django_db


def slots_in(lane, count=1, **fields):
    return SlotFactory.create_batch(count, lane=lane, **fields)


def take(user, **options):
    claim = claims.take(user=user, **options)
    return claim and Slot.objects.get(pk=claim.slot_id)


class TestWhoGetsACase:
    def test_a_reviewer_of_the_queue_and_the_tenant_gets_it(self):
        lane = LaneFactory()
        (slot,) = slots_in(lane)
        assert take(reviewer_of(lane)) == slot

    def test_a_grant_on_the_queue_alone_is_not_enough(self):
        lane = LaneFactory()
        slots_in(lane)
        assert take(grant(UserFactory(), "review_queue", lane.queue)) is None

    def test_a_grant_on_the_tenant_alone_is_not_enough(self):
        lane = LaneFactory()
        slots_in(lane)
        assert take(grant(UserFactory(), "work_in_tenant", lane.tenant)) is None

    def test_a_reviewer_of_one_tenant_never_gets_the_other_tenants_cases(self):
        queue = QueueFactory()
        mine, theirs = LaneFactory(queue=queue), LaneFactory(queue=queue, tenant=TenantFactory())
        slots_in(theirs)
        assert take(reviewer_of(mine)) is None

    @pytest.mark.parametrize(
        ("speaks", "case", "gets_it"),
        [
            (["de"], "de", True),
            (["de"], "de-AT", True),
            (["de-AT"], "de", True),
            (["de-AT"], "de-CH", False),
            (["en"], "de", False),
            (["en"], "", True),
            (["en", "pt-BR"], "pt-BR", True),
        ],
    )
    def test_languages_fall_back_from_the_special_to_the_general(self, speaks, case, gets_it):
        lane = LaneFactory(language=case)
        slots_in(lane)
        user = reviewer_of(lane)
        user.languages = speaks
        user.save()
        assert (take(user) is not None) == gets_it

    @pytest.mark.parametrize(
        ("held", "needed", "gets_it"),
        [
            ("finance.refund.L2", "finance.refund.L2", True),
            ("finance.refund.L3", "finance.refund.L2", True),
            ("finance.refund.L1", "finance.refund.L2", False),
            ("finance.payout.L3", "finance.refund.L2", False),
        ],
    )
    def test_an_authority_is_needed_where_the_lane_asks_for_one(self, held, needed, gets_it):
        lane = LaneFactory(authority=needed)
        slots_in(lane)
        user = reviewer_of(lane)
        AuthorityGrant.objects.create(user=user, authority=held)
        assert (take(user) is not None) == gets_it

    def test_an_authority_that_has_run_out_counts_no_more(self):
        lane = LaneFactory(authority="legal.L1")
        slots_in(lane)
        user = reviewer_of(lane)
        AuthorityGrant.objects.create(user=user, authority="legal.L1", until=timezone.now() - timedelta(minutes=1))
        assert take(user) is None

    def test_an_authority_of_one_tenant_does_not_count_in_another(self):
        lane = LaneFactory(authority="legal.L1")
        slots_in(lane)
        user = reviewer_of(lane)
        AuthorityGrant.objects.create(user=user, authority="legal.L1", tenant=TenantFactory())
        assert take(user) is None

    def test_whoever_is_barred_steps_over_the_case(self):
        lane = LaneFactory()
        user = reviewer_of(lane)
        slots_in(lane, barred=[user.pk], priority=1)
        (other,) = slots_in(lane, priority=90)
        assert take(user) == other

    def test_a_person_who_was_deactivated_gets_nothing(self):
        lane = LaneFactory()
        slots_in(lane)
        assert take(reviewer_of(lane, is_active=False)) is None

    def test_a_paused_queue_gives_nothing(self):
        lane = LaneFactory(queue=QueueFactory(is_active=False))
        slots_in(lane)
        assert take(reviewer_of(lane)) is None

    def test_scope_keeps_a_reviewer_in_one_queue(self):
        here, there = LaneFactory(), LaneFactory()
        slots_in(there)
        user = reviewer_of(here, there)
        assert take(user, queue_id=here.queue_id) is None
        assert take(user, queue_id=there.queue_id) is not None


class TestOrderInALane:
    def test_overdue_first_then_priority_then_deadline_then_age(self):
        lane = LaneFactory()
        now = timezone.now()
        last = SlotFactory(lane=lane, priority=50, due_at=now + timedelta(hours=9))
        aged = SlotFactory(lane=lane, priority=50, due_at=now + timedelta(hours=2))
        newer = SlotFactory(lane=lane, priority=50, due_at=aged.due_at)
        urgent = SlotFactory(lane=lane, priority=10, due_at=now + timedelta(days=2))
        overdue = SlotFactory(lane=lane, priority=99, due_at=now - timedelta(hours=1), overdue=True)
        user = reviewer_of(lane)
        assert [take(user) for _ in range(5)] == [overdue, urgent, aged, newer, last]

    def test_what_has_no_deadline_comes_after_what_has_one(self):
        lane = LaneFactory()
        without, with_one = SlotFactory(lane=lane, due_at=None), SlotFactory(lane=lane)
        user = reviewer_of(lane)
        assert [take(user), take(user)] == [with_one, without]


class TestDraw:
    def heads(self, *lanes):
        return [Head(index, stream, weight, False, overdue) for index, (stream, weight, overdue) in enumerate(lanes)]

    def shares(self, heads, rolls=10_000):
        served = [draw(heads, roll / rolls).lane_id for roll in range(rolls)]
        return [served.count(head.lane_id) / rolls for head in heads]

    def test_lanes_are_served_by_weight(self):
        assert self.shares(self.heads(("escalation", 30, False), ("sampled", 10, False))) == [0.75, 0.25]

    def test_a_burning_lane_weighs_more(self):
        first, second = self.shares(self.heads(("escalation", 10, True), ("sampled", 10, False)))
        assert (first, second) == (0.8, 0.2)

    def test_the_random_sample_keeps_a_tenth_even_when_everything_burns(self):
        shares = self.shares(self.heads(("escalation", 200, True), ("escalation", 100, True), ("random", 1, False)))
        assert shares[2] == pytest.approx(0.1, abs=0.001)
        assert shares[0] == pytest.approx(0.6, abs=0.001)

    def test_a_random_sample_that_weighs_more_than_the_floor_keeps_its_weight(self):
        assert self.shares(self.heads(("escalation", 10, False), ("random", 10, False))) == [0.5, 0.5]

    def test_what_a_colleague_passed_on_comes_first(self):
        heads = [*self.heads(("escalation", 1000, True)), Head(7, "escalation", 1, True, False)]
        assert draw(heads, 0.0).lane_id == 7

    def test_nothing_waits(self):
        assert draw([], 0.5) is None


class TestLease:
    def test_a_held_case_is_nobody_elses(self):
        lane = LaneFactory()
        slots_in(lane)
        assert take(reviewer_of(lane)) is not None
        assert take(reviewer_of(lane)) is None

    def test_an_expired_lease_is_claimable_at_once(self):
        lane = LaneFactory()
        (slot,) = slots_in(lane)
        first, second = reviewer_of(lane), reviewer_of(lane)
        before = claims.take(user=first)
        Slot.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        after = claims.take(user=second)
        assert after.slot_id == slot.pk
        assert after.token > before.token

    def test_the_first_holders_heartbeat_is_refused_once_another_has_it(self):
        lane = LaneFactory()
        slots_in(lane)
        first, second = reviewer_of(lane), reviewer_of(lane)
        before = claims.take(user=first)
        Slot.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        claims.take(user=second)
        with pytest.raises(ClaimLost):
            claims.heartbeat(user=first, slot_id=before.slot_id, token=before.token)

    def test_a_heartbeat_keeps_the_lease(self):
        lane = LaneFactory()
        slots_in(lane)
        user = reviewer_of(lane)
        claim = claims.take(user=user)
        Slot.objects.update(lease_until=timezone.now() + timedelta(seconds=5))
        claims.heartbeat(user=user, slot_id=claim.slot_id, token=claim.token)
        assert Slot.objects.get().lease_until > timezone.now() + timedelta(minutes=8)

    def test_one_case_is_held_and_one_is_on_deck_and_a_reload_keeps_both(self):
        lane = LaneFactory()
        slots_in(lane, 5)
        user = reviewer_of(lane)
        first = claims.hold(user=user)
        assert len(first) == 2
        claims.confirm(user=user, slot_id=first[0].slot_id, token=first[0].token)
        assert claims.hold(user=user) == first

    def test_putting_back_locks_the_slots_and_never_the_lane_that_colleagues_decide_in(self):
        lane = LaneFactory()
        user = reviewer_of(lane)
        SlotFactory(lane=lane)
        claims.hold(user=user)
        with CaptureQueriesContext(connection) as asked:
            claims.release(user=user)
        locks = [query["sql"] for query in asked if "FOR UPDATE" in query["sql"]]
        assert [lock.partition("FOR UPDATE")[2] for lock in locks] == [' OF "queues_slot"']

    def test_leaving_puts_everything_back(self):
        lane = LaneFactory()
        slots_in(lane, 3)
        user = reviewer_of(lane)
        claims.hold(user=user)
        assert claims.release(user=user) == 2
        assert Slot.objects.filter(state="open").count() == 3


class TestGivingAway:
    def setup_method(self):
        self.lane = LaneFactory(authority="legal.L1")
        self.user, self.colleague = reviewer_of(self.lane), reviewer_of(self.lane)
        for person in (self.user, self.colleague):
            AuthorityGrant.objects.create(user=person, authority="legal.L1")
        SlotFactory(lane=self.lane)
        self.claim = claims.take(user=self.user)

    def act(self, verb, **how):
        return verb(user=self.user, slot_id=self.claim.slot_id, token=self.claim.token, reason="Not my field", **how)

    def test_a_deferred_case_waits_for_its_time_and_keeps_its_deadline(self):
        due = Slot.objects.get().due_at
        slot = self.act(claims.defer, until=timezone.now() + timedelta(hours=1))
        assert (slot.state, slot.due_at, slot.reason) == ("deferred", due, "Not my field")
        assert claims.take(user=self.colleague) is None

    def test_a_case_passed_on_is_the_colleagues_alone(self):
        other = reviewer_of(self.lane)
        AuthorityGrant.objects.create(user=other, authority="legal.L1")
        self.act(claims.pass_on, to=self.colleague)
        assert claims.take(user=other) is None
        assert claims.take(user=self.colleague).slot_id == self.claim.slot_id

    def test_a_case_is_passed_only_to_someone_who_may_take_it(self):
        stranger = UserFactory(name="Sam")
        with pytest.raises(ValueError, match="Sam may not take this case"):
            self.act(claims.pass_on, to=stranger)
        assert Slot.objects.get().holder == self.user

    def test_handing_up_asks_for_the_next_level_and_bars_who_did_it(self):
        self.act(claims.hand_up)
        slot = Slot.objects.get()
        assert (slot.lane.authority, slot.state, slot.barred) == ("legal.L2", "open", [self.user.pk])
        assert claims.take(user=self.colleague) is None
        AuthorityGrant.objects.create(user=self.colleague, authority="legal.L2")
        assert claims.take(user=self.colleague).slot_id == slot.pk

    def test_handing_up_a_case_of_no_authority_goes_to_the_one_the_queue_names(self):
        lane = LaneFactory(queue=QueueFactory(hand_up_to="support.L2"))
        SlotFactory(lane=lane)
        user = reviewer_of(lane)
        claim = claims.take(user=user)
        slot = claims.hand_up(user=user, slot_id=claim.slot_id, token=claim.token, reason="Too hard")
        assert slot.lane == Lane.objects.get(queue=lane.queue, authority="support.L2")

    def test_where_nobody_stands_above_the_case_stays(self):
        lane = LaneFactory()
        SlotFactory(lane=lane)
        user = reviewer_of(lane)
        claim = claims.take(user=user)
        with pytest.raises(CannotHandUp):
            claims.hand_up(user=user, slot_id=claim.slot_id, token=claim.token, reason="Too hard")
        assert Slot.objects.get(pk=claim.slot_id).holder == user
