from datetime import UTC, datetime, timedelta

import pytest

from hitl.models import AuditEvent
from queues.models import SamplingPlan, SamplingRun
from queues.sampling import mix, plans
from tests.factories.drawing import SamplingPlanFactory
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.queues import QueueFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


def save(tenant, after=0, **change):
    return plans.save(tenant=tenant, change=change, because="A test.", by=UserFactory(), after=after, now=NOW)


def drawn(plan, until, day=None):
    return SamplingRun.objects.create(
        tenant=plan.tenant, plan=plan, day=day, seed=1, since=until - timedelta(days=1), until=until, population=0,
        picked=0, counts={}, at=until,
    )  # fmt: skip


class TestAPlan:
    def test_there_is_none_until_a_lead_saves_one(self, tenant):
        assert plans.current(tenant) is None
        plan = save(tenant, budget=40)
        assert plans.current(tenant) == plan
        assert (plan.revision, plan.budget, plan.mix, plan.because) == (1, 40, dict(mix.DEFAULT), "A test.")

    def test_a_change_is_a_revision_on_record_and_keeps_the_rest_and_the_seed(self, tenant):
        first = save(tenant, budget=40)
        second = save(tenant, after=1, hour=7)
        assert (second.revision, second.budget, second.hour, second.seed) == (2, 40, 7, first.seed)
        assert SamplingPlan.objects.count() == 2
        event = AuditEvent.objects.filter(action="sampling.changed").latest("pk")
        assert (event.detail["revision"], event.detail["fields"]) == (2, ["hour"])

    def test_one_that_was_saved_meanwhile_is_not_overwritten(self, tenant):
        save(tenant)
        with pytest.raises(plans.Overtaken):
            save(tenant, budget=5)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"mix": {**mix.DEFAULT, "random": 0.05}}, "mix"),
            ({"mix": {**mix.DEFAULT, "negative": 0.5}}, "mix"),
            ({"budget": 0}, "budget"),
            ({"width": 0.0}, "width"),
            ({"look_back_days": 7, "latency_days": 7}, "latency_days"),
            ({"hour": 24}, "hour"),
        ],
    )
    def test_what_cannot_be_followed_is_refused_at_its_field(self, tenant, change, field):
        with pytest.raises(plans.Refused) as refused:
            save(tenant, **change)
        assert refused.value.field == field
        assert plans.current(tenant) is None

    def test_a_closed_queue_is_refused(self, tenant):
        with pytest.raises(plans.Refused) as refused:
            save(tenant, queue=QueueFactory(is_active=False))
        assert refused.value.field == "queue"


class TestWhatADrawLooksAt:
    def test_begins_where_the_last_one_ended_so_that_each_trace_is_drawn_once(self):
        plan = SamplingPlanFactory()
        drawn(plan, NOW - timedelta(hours=20))
        assert plans.window(plan, NOW) == plans.Window(NOW - timedelta(days=7), NOW - timedelta(hours=20), NOW)

    def test_looks_back_the_whole_time_at_first_and_no_further_after_a_long_rest(self):
        plan = SamplingPlanFactory()
        first = plans.Window(NOW - timedelta(days=7), NOW - timedelta(days=7), NOW)
        assert plans.window(plan, NOW) == first
        drawn(plan, NOW - timedelta(days=30))
        assert plans.window(plan, NOW) == first


class TestWhenItIsDue:
    LONG_AGO = NOW - timedelta(days=90)

    def test_at_the_plans_hour_once_a_day(self):
        plan = SamplingPlanFactory(hour=5)
        moment = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
        assert plans.due(plan, self.LONG_AGO, NOW) == moment
        drawn(plan, moment, day=moment.date())
        assert plans.due(plan, self.LONG_AGO, NOW) is None
        assert plans.due(plan, self.LONG_AGO, NOW + timedelta(days=1)) == moment + timedelta(days=1)

    def test_a_draw_that_was_missed_is_made_up_for_even_the_next_morning(self):
        plan = SamplingPlanFactory(hour=22)
        assert plans.due(plan, self.LONG_AGO, NOW) == datetime(2026, 11, 19, 22, 0, tzinfo=UTC)

    def test_nothing_of_before_the_first_plan_and_nothing_while_it_is_paused(self):
        assert plans.due(SamplingPlanFactory(hour=5), NOW - timedelta(hours=1), NOW) is None
        assert plans.due(SamplingPlanFactory(is_active=False), self.LONG_AGO, NOW) is None
