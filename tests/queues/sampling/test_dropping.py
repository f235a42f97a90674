from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from hitl.models import AuditEvent
from queues import claims, rollups
from queues.models import Case, LaneRollup, Outcome, Sampled, Slot
from queues.sampling import capacity, dropping
from queues.sampling.opening import Wanted, open_cases
from tests.factories.drawing import SamplingPlanFactory
from tests.factories.hitl import TenantFactory
from tests.factories.queues import CaseFactory, QueueFactory, RoutingRuleFactory, SlotFactory, reviewer_of
from tests.factories.traces import TraceFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STRATIFIED, NEGATIVE, RANDOM, BY_HAND = "stratified", "negative", "random", "by_hand"


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


@pytest.fixture(autouse=True)
def plan(tenant):
    return SamplingPlanFactory(tenant=tenant, latency_days=9)


@pytest.fixture(autouse=True)
def queue():
    return RoutingRuleFactory(queue=QueueFactory(name="Billing")).queue


def sampled(tenant, policy=STRATIFIED, days=1, policies=None, **fields):
    trace = TraceFactory(tenant=tenant, at=NOW - timedelta(days=days), **fields)
    chance = None if policy == BY_HAND else 1.0
    wanted = Wanted(trace, policy, policies or {policy: 1.0}, chance)
    return open_cases([wanted], tenant=tenant, now=NOW)[0]


def decided(queue, count, days):
    """So many cases decided, evenly over the last days."""
    for n in range(count):
        at = NOW - timedelta(days=days) * (count - n) / count
        Outcome.objects.create(
            case=CaseFactory(queue=queue), verdict="accept", codebook="x", codebook_version=1, decided_at=at,
            release_at=at,
        )  # fmt: skip


def states():
    return dict(Case.objects.values_list("pk", "state"))


class TestThroughput:
    def test_is_what_people_decided_a_day_over_two_weeks(self, queue):
        decided(queue, 28, days=14)
        found = capacity.throughput([queue.pk], NOW)[queue.pk]
        assert found.per_day == pytest.approx(2.0, rel=0.05)
        assert found.holds(9) == 18

    def test_of_a_queue_that_began_lately_is_counted_from_then_on(self, queue):
        decided(queue, 40, days=2)
        assert capacity.throughput([queue.pk], NOW)[queue.pk].per_day == pytest.approx(20.0)

    def test_that_is_not_known_yet_is_taken_for_one_reviewers(self, queue):
        decided(queue, 5, days=2)
        assert capacity.throughput([queue.pk], NOW)[queue.pk].holds(9) == 450

    def test_counts_what_people_decided_not_judges(self, queue):
        decided(queue, 30, days=5)
        Outcome.objects.update(judge="strict 1")
        assert not capacity.throughput([queue.pk], NOW)[queue.pk].is_known


class TestTooOld:
    def test_what_is_older_than_the_plan_allows_is_dropped_unseen_on_record(self, tenant):
        old, young = sampled(tenant, days=9.5), sampled(tenant, days=8.5)
        assert dropping.thin(NOW) == 1
        assert states() == {old.pk: "dropped", young.pk: "waiting"}
        assert [slot.case_id for slot in Slot.objects.all()] == [young.pk]
        row = Sampled.objects.get(case=old)
        assert (row.dropped_at, row.dropped_because) == (NOW, "age")
        event = AuditEvent.objects.get(action="sampling.dropped")
        assert (event.tenant_id, event.queue_id, event.detail["cases"]) == (tenant.pk, old.queue_id, [old.pk])
        assert dropping.thin(NOW) == 0

    def test_what_waits_unrouted_grows_old_too(self, tenant, queue):
        queue.rules.all().delete()
        old = sampled(tenant, days=9.5)
        assert old.queue is None
        assert dropping.thin(NOW) == 1
        assert states() == {old.pk: "dropped"}

    def test_what_the_random_draw_picked_never_is_though_others_picked_it_too(self, tenant):
        sampled(tenant, RANDOM, days=30)
        sampled(tenant, NEGATIVE, days=30, policies={NEGATIVE: 1.0, RANDOM: 0.01})
        assert dropping.thin(NOW) == 0

    def test_what_a_lead_sent_never_is_nor_an_escalation(self, tenant):
        sampled(tenant, BY_HAND, days=30)
        slot = SlotFactory(lane__tenant=tenant)
        Case.objects.filter(pk=slot.case_id).update(received_at=NOW - timedelta(days=60))
        assert dropping.thin(NOW) == 0

    def test_what_somebody_has_or_had_in_hand_never_is(self, tenant):
        case = sampled(tenant, days=30)
        lane = Slot.objects.get(case=case).lane
        user = reviewer_of(lane)
        claims.take(user=user)
        assert dropping.thin(NOW) == 0
        claims.release(user=user)
        assert Slot.objects.get(case=case).state == "open"
        assert dropping.thin(NOW) == 0

    @pytest.mark.django_db(transaction=True, databases=["default", "owner"])
    def test_what_somebody_takes_at_this_moment_is_left_to_them(self, tenant):
        case = sampled(tenant, days=30)
        slot = Slot.objects.get(case=case)
        other = connections.create_connection("default")
        try:
            with other.cursor() as cursor:
                cursor.execute("begin")
                cursor.execute("select from queues_slot where id = %s for no key update", [slot.pk])
                assert dropping.thin(NOW) == 0
                cursor.execute("rollback")
        finally:
            other.close()
        assert dropping.thin(NOW) == 1


class TestTooMany:
    def test_the_last_in_order_go_until_what_waits_can_be_decided_in_time(self, tenant, queue):
        decided(queue, 28, days=14)
        kept = [sampled(tenant, NEGATIVE, is_negative=True, weight=-1) for _ in range(4)]
        others = [sampled(tenant) for _ in range(20)]
        assert dropping.thin(NOW) == 24 - capacity.throughput([queue.pk], NOW)[queue.pk].holds(9)
        assert {one.pk for one in kept} <= {pk for pk, state in states().items() if state == "waiting"}
        assert set(Sampled.objects.filter(dropped_at__isnull=False).values_list("dropped_because", flat=True)) == {
            "full"
        }
        assert dropping.thin(NOW) == 0
        assert len(others) == 20

    def test_of_the_same_rank_the_oldest_go_first(self, tenant, queue):
        decided(queue, 28, days=14)
        cases = [sampled(tenant, days=1 + n / 10) for n in range(20)]
        dropping.thin(NOW)
        dropped = {pk for pk, state in states().items() if state == "dropped"}
        assert dropped == {one.pk for one in cases[-len(dropped) :]}

    def test_escalations_count_for_what_waits_and_are_never_dropped(self, tenant, queue):
        decided(queue, 28, days=14)
        sampled(tenant)
        sampled(tenant, RANDOM)
        lane = Slot.objects.first().lane
        for _ in range(40):
            SlotFactory(lane=lane)
        assert dropping.thin(NOW) == 1
        assert Slot.objects.count() == 41

    def test_while_nothing_is_known_of_the_queue_nothing_small_is_dropped(self, tenant):
        for _ in range(30):
            sampled(tenant)
        assert dropping.thin(NOW) == 0

    def test_the_counts_of_its_lane_follow(self, tenant, queue):
        decided(queue, 28, days=14)
        for _ in range(30):
            sampled(tenant)
        rollups.count_lanes(NOW)
        before = LaneRollup.objects.get().waiting
        dropped = dropping.thin(NOW)
        rollups.count_lanes(NOW)
        assert dropped > 0
        assert LaneRollup.objects.get().waiting == before - dropped


class TestLimitations:
    def test_say_what_was_thinned_of_which_policy_and_why(self, tenant):
        for days in (9.5, 10, 1):
            sampled(tenant, days=days)
        sampled(tenant, NEGATIVE)
        dropping.thin(NOW)
        (found,) = dropping.limitations(tenant, NOW - timedelta(days=1), NOW + timedelta(days=1))
        assert (found.policy, found.picked, found.dropped) == ("stratified", 3, 2)
        assert found.sentence == ("By topic: of 3 picked cases, 2 were never looked at (2 as too old by then).")

    def test_there_are_none_of_another_time(self, tenant):
        sampled(tenant, days=10)
        dropping.thin(NOW)
        assert dropping.limitations(tenant, NOW + timedelta(days=1), NOW + timedelta(days=2)) == []
