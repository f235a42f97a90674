from datetime import UTC, datetime, timedelta

import pytest

from hitl.audit.models import AuditEvent
from queues import lanes, placing
from queues.intake import receive, signals
from queues.lanes import LaneKey
from queues.models import Case, JudgeKept, Lane, Slot
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.intake import sent
from tests.factories.queues import LaneFactory, QueueFactory, RoutingRuleFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


def unrouted(tenant, *rows):
    receive.cases(rows, tenant=tenant, now=NOW, source="test")
    return Case.objects.filter(queue=None)


class TestLanes:
    def key(self, lane, **change):
        return LaneKey(lane.queue_id, lane.stream, lane.tenant_id, lane.language, lane.authority)._replace(**change)

    def test_a_lane_that_is_there_is_found_and_one_that_is_not_is_made(self):
        lane = LaneFactory(language="de")
        found = lanes.find_or_make([self.key(lane), self.key(lane, language="fr"), self.key(lane, authority="a.L1")])
        assert found[self.key(lane)] == lane.pk
        assert Lane.objects.count() == 3
        assert Lane.objects.get(pk=found[self.key(lane, language="fr")]).language == "fr"
        assert lanes.find_or_make(found) == found

    def test_nothing_wanted_makes_nothing(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert lanes.find_or_make([]) == {}

    def test_however_many_it_takes_three_statements(self, django_assert_num_queries):
        lane = LaneFactory()
        with django_assert_num_queries(3):
            lanes.find_or_make([self.key(lane, language=f"x{n}") for n in range(200)])


class TestRoutingAgain:
    def test_cases_that_now_have_a_rule_get_their_slot(self, tenant):
        cases = unrouted(tenant, sent(case_id="law", domain="law"), sent(case_id="art", domain="art"))
        queue = QueueFactory(name="Law", sla="minutes", sla_amount=60)
        RoutingRuleFactory(queue=queue, name="Law cases", domains=["law"], authority="law.L1")
        assert placing.route_again(cases=cases, by=UserFactory(), now=LATER) == placing.RoutedAgain(1, 1)
        case = Case.objects.get(external_id="law")
        assert (case.queue, case.authority, case.routing["rule"]["name"]) == (queue, "law.L1", "Law cases")
        assert (case.due_at, case.due_because) == (LATER + timedelta(hours=1), "the queue's 1 h")
        slot = Slot.objects.select_related("lane").get()
        assert (slot.case, slot.lane.queue, slot.lane.authority, slot.due_at) == (case, queue, "law.L1", case.due_at)
        assert Case.objects.get(external_id="art").queue is None

    def test_the_producers_deadline_stays(self, tenant):
        cases = unrouted(tenant, sent(domain="law", sla_deadline="2026-11-20T09:30:00Z"))
        RoutingRuleFactory(queue=QueueFactory(sla="minutes", sla_amount=60))
        placing.route_again(cases=cases, by=None, now=LATER)
        assert Case.objects.get().due_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    def test_a_case_that_was_routed_in_the_meantime_is_left_alone(self, tenant):
        cases = list(unrouted(tenant, sent(domain="law")))
        RoutingRuleFactory()
        placing.route_again(cases=cases, by=None, now=LATER)
        assert placing.route_again(cases=cases, by=None, now=LATER) == placing.RoutedAgain(0, 0)
        assert Slot.objects.count() == 1

    def test_each_lead_finds_it_on_the_record(self, tenant):
        other = TenantFactory()
        unrouted(other, sent(domain="law"))
        cases = unrouted(tenant, sent(domain="law"), sent(domain="law"))
        rule = RoutingRuleFactory()
        placing.route_again(cases=cases, by=None, now=LATER)
        events = AuditEvent.objects.filter(action="cases.routed").order_by("tenant_id")
        assert [(event.tenant_id, event.queue_id, len(event.detail["cases"])) for event in events] == sorted(
            [(tenant.pk, rule.queue_id, 2), (other.pk, rule.queue_id, 1)]
        )

    def test_the_judge_that_the_queue_trusts_is_heard_here_too(self, tenant):
        sure = [{"name": "grounded", "verdict": "pass", "confidence": 0.97}]
        unsure = [{"name": "grounded", "verdict": "pass", "confidence": 0.5}]
        cases = unrouted(tenant, sent(case_id="sure", judges=sure), sent(case_id="unsure", judges=unsure), sent())
        queue = QueueFactory(judge_first="grounded", judge_sure=0.9)
        RoutingRuleFactory(queue=queue)
        assert placing.route_again(cases=cases, by=None, now=LATER) == placing.RoutedAgain(3, 0)
        kept = JudgeKept.objects.select_related("case", "verdict").get()
        assert (kept.case.external_id, kept.case.state, kept.queue, kept.kept_at) == ("sure", "machine", queue, LATER)
        assert kept.verdict.case == kept.case
        assert not kept.case.slots.exists()
        assert Slot.objects.count() == 2


class TestJudgeFirst:
    JUDGES = [{"name": "grounded", "version": "2", "verdict": "fail", "confidence": 0.95}]

    @pytest.fixture(autouse=True)
    def _queue(self):
        RoutingRuleFactory(queue=QueueFactory(judge_first="grounded", judge_sure=0.9))

    def bring(self, tenant, **fields):
        receive.cases([sent(**{"judges": self.JUDGES} | fields)], tenant=tenant, now=NOW, source="test")
        return Case.objects.latest("pk")

    def test_a_case_that_its_judge_is_sure_of_comes_to_nobody(self, tenant):
        case = self.bring(tenant)
        assert case.state == "machine"
        assert not case.slots.exists()
        assert case.judge_kept.because == "grounded 2 says reject and is 0.95 sure; 0.90 is asked for."
        assert case.judge_kept.verdict == case.judge_verdicts.get()

    def test_a_verdict_that_waited_for_the_case_counts_too(self, tenant):
        row = {"type": "judge_verdict", "case_id": "c-1", "judge": "grounded", "verdict": "pass", "confidence": 0.99}
        signals.signals([row], tenant=tenant, now=NOW, source="test")
        case = self.bring(tenant, case_id="c-1", judges=None)
        assert (case.state, case.judge_kept.verdict.verdict) == ("machine", "accept")

    @pytest.mark.parametrize(
        "fields",
        [
            {"judges": [JUDGES[0] | {"confidence": 0.89}]},
            {"risk_level": "high"},
            {"domain": "medical"},
            {"policy_flags": ["refunds"]},
            {"tool": "refund", "tool_risk": "high"},
            {"user_requested_human": True},
            {"user_question": "Let me talk to a human being"},
        ],
    )
    def test_all_else_comes_to_a_person(self, tenant, fields):
        case = self.bring(tenant, **fields)
        assert case.state == "waiting"
        assert case.slots.count() == 1
        assert case.judge_verdicts.count() == 1
        assert not JudgeKept.objects.exists()
