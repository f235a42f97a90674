from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from hitl.models import AuditEvent, Job
from queues.models import Case, JudgeVerdict, Sampled, SamplingRun, Slot
from queues.sampling import plans, reading, running, scheduling
from queues.sampling.opening import Wanted, open_cases
from tests.factories.drawing import DriftReportFactory, SamplingPlanFactory
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.jobs import work_off
from tests.factories.queues import CaseFactory, QueueFactory, RoutingRuleFactory
from tests.factories.traces import TraceFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


@pytest.fixture
def plan(tenant):
    return SamplingPlanFactory(tenant=tenant, budget=20, hour=5, at=NOW - timedelta(days=60))


@pytest.fixture(autouse=True)
def rule():
    return RoutingRuleFactory(queue=QueueFactory(name="Billing"))


def traffic(tenant, count, hours=3, **fields):
    return [TraceFactory(tenant=tenant, at=NOW - timedelta(hours=hours), **fields) for _ in range(count)]


def drawn(plan, until=NOW, day=None, by=None):
    return running.keep(sample=running.sample(plan=plan, until=until, now=until), day=day, by=by, now=until)


def read(plan, reports=()):
    return reading.read(plan.tenant, plan, plans.window(plan, NOW), reports)


class TestReading:
    def test_each_trace_has_its_id_and_what_is_known_of_it(self, plan, tenant):
        one = traffic(tenant, 1, is_negative=True, is_edited=True, weight=-1.5, user_key="u-1")[0]
        pool = read(plan)
        assert reading.ids(pool, [0]) == [one.id]
        assert (pool.is_negative[0], pool.is_edited[0], pool.is_fresh[0], pool.is_case[0]) == (True, True, True, False)
        assert pool.weight[0] == pytest.approx(-1.5)

    def test_rows_are_the_same_however_the_stream_is_cut(self, plan, tenant, monkeypatch):
        traffic(tenant, 40)
        whole = read(plan)
        monkeypatch.setattr(reading, "CHUNK", 100)
        cut = read(plan)
        assert (whole.low == cut.low).all()
        assert (whole.high == cut.high).all()
        assert len(whole) == 40

    def test_the_same_topic_and_user_have_the_same_number_and_an_unknown_user_none(self, plan, tenant):
        traffic(tenant, 2, topic="refund", user_key="a")
        traffic(tenant, 1, topic="invoice")
        pool = read(plan)
        assert len(set(pool.topic.tolist())) == 2
        assert sorted(pool.user.tolist()).count(0) == 1

    def test_the_nearest_score_counts_of_the_trace_or_of_a_judge_that_spoke_of_it(self, plan, tenant):
        traffic(tenant, 1, external_id="own", scores={"strict": 0.9, "faithful": 0.58})
        traffic(tenant, 1, external_id="judged")
        JudgeVerdict.objects.create(
            tenant=tenant, trace_id="judged", judge="strict", score=0.45, given_at=NOW, received_at=NOW
        )
        assert sorted(read(plan).distance.tolist()) == pytest.approx([0.05, 0.08], abs=1e-6)

    def test_only_the_judge_that_the_plan_names_counts(self, plan, tenant):
        traffic(tenant, 1, scores={"strict": 0.9, "faithful": 0.5})
        plan.judge = "strict"
        assert read(plan).distance.tolist() == pytest.approx([0.4])

    def test_what_production_escalated_is_a_case_already(self, plan, tenant):
        one = traffic(tenant, 1)[0]
        CaseFactory(tenant=tenant, trace_id=one.external_id, received_at=NOW)
        CaseFactory(trace_id=one.external_id)
        assert len(read(plan)) == 0

    def test_another_tenants_traffic_and_what_came_later_or_long_ago_are_not_there(self, plan, tenant):
        traffic(TenantFactory(), 1)
        traffic(tenant, 1, hours=-2)
        traffic(tenant, 1, hours=24 * 8)
        assert len(read(plan)) == 0

    def test_a_slice_is_by_all_that_the_report_names_and_the_first_report_counts(self, plan, tenant):
        reports = [
            DriftReportFactory(tenant=tenant, topic="Refund", language="de", at=NOW),
            DriftReportFactory(tenant=tenant, topic="refund", at=NOW),
            DriftReportFactory(tenant=tenant, topic="", trace_refs=["t-1"], at=NOW),
        ]
        names = {
            traffic(tenant, 1, topic="refund", language="de-AT")[0].id: 1,
            traffic(tenant, 1, topic="refund", language="en")[0].id: 2,
            traffic(tenant, 1, topic="invoice", external_id="t-1", hours=100)[0].id: 3,
            traffic(tenant, 1, topic="invoice")[0].id: 0,
            # Of the slice, but from long before it was found to have changed.
            traffic(tenant, 1, topic="refund", hours=100)[0].id: 0,
        }
        pool = read(plan, reports)
        found = dict(zip(reading.ids(pool, range(len(pool))), pool.slice.tolist(), strict=True))
        assert found == names


class TestARun:
    def test_makes_cases_of_a_budget_each_stamped_and_in_its_lane(self, plan, tenant):
        traffic(tenant, 60)
        traffic(tenant, 10, is_negative=True, weight=-1)
        run = drawn(plan)
        assert (run.picked, run.population) == (20, 70)
        assert Case.objects.filter(origin="sampling").count() == Slot.objects.count() == 20
        by_policy = {name: count["picked"] for name, count in run.counts.items()}
        assert by_policy == {"drift": 0, "negative": 6, "uncertain": 0, "stratified": 5, "random": 9}
        assert run.counts["uncertain"]["short"] == 2
        for one in Sampled.objects.all():
            assert one.policy in one.policies
            assert one.run == run
        for slot in Slot.objects.select_related("lane", "case__sampled"):
            assert slot.lane.stream == ("random" if "random" in slot.case.sampled.policies else "sampled")

    def test_no_trace_is_picked_twice_not_by_later_runs_either(self, plan, tenant):
        traffic(tenant, 30, is_negative=True, weight=-1)
        first = drawn(plan)
        second = drawn(plan, NOW + timedelta(hours=1))
        third = drawn(plan, NOW + timedelta(hours=2))
        # What came in before the first run had its chance in the random draw then; complaints are looked at again.
        assert (first.picked, second.picked, third.picked) == (20, 6, 4)
        assert second.population == third.population == 0
        assert Sampled.objects.values("trace_id").distinct().count() == 30

    def test_the_same_picks_from_the_same_plan_window_and_seed(self, plan, tenant):
        traffic(tenant, 50)
        one, again = (running.sample(plan=plan, until=NOW, now=NOW) for _ in range(2))
        picks = [reading.ids(each.pool, [pick.place for pick in each.drawn.picks]) for each in (one, again)]
        assert set(picks[0]) == set(picks[1])
        assert one.seed == again.seed

    def test_a_day_is_drawn_once(self, plan, tenant):
        traffic(tenant, 50)
        drawn(plan, day=NOW.date())
        with pytest.raises(running.DrawnMeanwhile):
            drawn(plan, NOW + timedelta(hours=1), day=NOW.date())
        assert Case.objects.count() == 20

    def test_two_that_are_drawn_from_the_same_traffic_are_not_both_kept(self, plan, tenant):
        traffic(tenant, 50)
        one, other = (running.sample(plan=plan, until=NOW + timedelta(minutes=n), now=NOW) for n in (0, 1))
        running.keep(sample=one, day=None, by=None, now=NOW)
        with pytest.raises(running.DrawnMeanwhile):
            running.keep(sample=other, day=None, by=None, now=NOW)
        assert SamplingRun.objects.count() == 1

    def test_a_complaint_about_an_earlier_pick_is_stamped_on_it(self, plan, tenant):
        one = traffic(tenant, 1)[0]
        traffic(tenant, 40)
        open_cases([Wanted(one, "random", {"random": 0.2}, 0.2)], tenant=tenant, now=NOW)
        type(one).objects.filter(pk=one.pk).update(is_negative=True, weight=-1)
        drawn(plan)
        sampled = Sampled.objects.get(trace_id=one.id)
        assert (sampled.policy, sampled.policies["negative"], sampled.probability) == ("random", 1.0, 1.0)
        assert sampled.policies["random"] > 0

    def test_a_reported_slice_comes_first_and_counts_for_its_report(self, plan, tenant):
        report = DriftReportFactory(tenant=tenant, topic="refund", wanted=3, at=NOW - timedelta(hours=1))
        traffic(tenant, 30, topic="invoice")
        traffic(tenant, 30, topic="refund")
        assert drawn(plan).counts["drift"]["picked"] == 2
        assert drawn(plan, NOW + timedelta(hours=2)).counts["drift"]["picked"] == 1
        assert drawn(plan, NOW + timedelta(hours=3)).counts["drift"]["picked"] == 0
        assert set(report.cases.values_list("topic", "policy")) == {("refund", "drift")}

    def test_a_report_that_is_over_asks_for_nothing(self, plan, tenant):
        DriftReportFactory(tenant=tenant, at=NOW - timedelta(days=2))
        traffic(tenant, 30)
        assert drawn(plan).counts["drift"]["eligible"] == 0

    def test_it_is_on_record(self, plan, tenant):
        traffic(tenant, 30)
        lead = UserFactory()
        run = drawn(plan, by=lead)
        event = AuditEvent.objects.get(action="sampling.drawn")
        assert (event.actor, event.detail["run"], event.detail["picked"]) == (lead, run.pk, 20)

    def test_nothing_to_draw_is_a_run_too_and_says_so(self, plan):
        run = drawn(plan)
        assert run.picked == 0
        assert running.said(run).startswith("Nothing was picked")

    def test_a_hundred_picks_take_no_more_statements_than_ten(self, plan, tenant, django_assert_max_num_queries):
        traffic(tenant, 150)
        plan.budget = 120
        with django_assert_max_num_queries(40):
            drawn(plan)


class TestJobs:
    def test_each_day_at_its_hour_however_often_the_tick_asks(self, plan, tenant):
        traffic(tenant, 30, hours=6)
        assert scheduling.draw_due(NOW) == 1
        assert scheduling.draw_due(NOW) == 0
        work_off()
        run = SamplingRun.objects.get()
        assert (run.day, run.until) == (date(2026, 11, 20), datetime(2026, 11, 20, 5, tzinfo=UTC))
        assert scheduling.draw_due(NOW + timedelta(hours=1)) == 0
        assert scheduling.draw_due(NOW + timedelta(days=1)) == 1

    def test_one_that_failed_is_not_tried_at_every_tick(self, plan, monkeypatch):
        monkeypatch.setattr(running, "sample", lambda **_: 1 / 0)
        assert scheduling.draw_due(NOW) == 1
        work_off()
        assert Job.objects.get().state == "failed"
        assert scheduling.draw_due(timezone.now() + timedelta(minutes=1)) == 0

    def test_by_hand_on_record_and_only_one_at_a_time(self, plan, tenant):
        TraceFactory(tenant=tenant, at=timezone.now() - timedelta(hours=1))
        lead = UserFactory()
        job = scheduling.draw_now(tenant=tenant, by=lead)
        assert scheduling.draw_now(tenant=tenant, by=lead) == job
        work_off()
        job.refresh_from_db()
        assert (job.state, job.result["sentence"]) == ("done", "1 trace became a case.")
        assert (SamplingRun.objects.get().by, SamplingRun.objects.get().day) == (lead, None)
        assert AuditEvent.objects.filter(action="sampling.asked_for").count() == 1

    def test_without_a_plan_it_says_what_to_do(self, tenant):
        job = scheduling.draw_now(tenant=tenant, by=UserFactory())
        work_off()
        job.refresh_from_db()
        assert (job.state, job.error) == ("failed", "There is no sampling plan yet. Save one first.")

    def test_a_trial_shows_what_would_be_picked_and_stores_nothing(self, tenant):
        for _ in range(30):
            TraceFactory(tenant=tenant, at=timezone.now() - timedelta(hours=1))
        lead = UserFactory()
        job = scheduling.try_out(tenant=tenant, change={"budget": 10}, by=lead)
        work_off()
        job.refresh_from_db()
        tried = job.result["trial"]
        assert (tried["picked"], tried["population"], tried["plan"]) == (10, 30, {"budget": 10})
        assert len(tried["shown"]) <= 10
        assert (Case.objects.count(), SamplingRun.objects.count()) == (0, 0)
        assert scheduling.trial(tenant, lead, str(job.pk)) == job
        assert scheduling.trial(tenant, UserFactory(), str(job.pk)) is None
        assert scheduling.trial(tenant, lead, "9" * 40) is None
