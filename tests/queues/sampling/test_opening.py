from datetime import UTC, datetime, timedelta

import pytest

from queues import placing, tray
from queues.intake import judge_verdicts, receive
from queues.intake.judge_verdicts import Spoken, Target
from queues.judging import Said
from queues.models import Case, JudgeKept, JudgeVerdict, Lane, Receipt, Sampled, Slot
from queues.routing import sentences
from queues.sampling import opening
from queues.sampling.opening import Wanted
from tests.factories.hitl import TenantFactory, UserFactory
from tests.factories.intake import sent
from tests.factories.queues import QueueFactory, RoutingRuleFactory
from tests.factories.traces import TraceFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NEGATIVE, RANDOM, BY_HAND = Sampled.Policy.NEGATIVE, Sampled.Policy.RANDOM, Sampled.Policy.BY_HAND


@pytest.fixture
def tenant():
    return TenantFactory(slug="acme")


@pytest.fixture
def rule():
    return RoutingRuleFactory(queue=QueueFactory(name="Billing", sla="minutes", sla_amount=60), domains=["billing"])


def trace(tenant, **fields):
    return TraceFactory(tenant=tenant, at=NOW - timedelta(hours=3), **fields)


def picked(trace, policy=NEGATIVE, **fields):
    return Wanted(trace=trace, policy=policy, policies={policy: 1.0}, probability=1.0, **fields)


class TestACaseOfATrace:
    def test_holds_all_that_the_trace_showed_since_the_trace_expires(self, tenant, rule):
        one = trace(tenant, external_id="t-1", user_key="u-7", tools=[{"name": "ledger"}], conversation=[{"role": "u"}])
        [case] = opening.open_cases([picked(one)], tenant=tenant, now=NOW)
        case = Case.objects.get(pk=case.pk)
        assert (case.external_id, case.origin, case.trace_id) == ("trace:t-1", "sampling", "t-1")
        assert (case.question, case.draft, case.evidence) == (one.input, one.output, one.documents)
        assert (case.tool_results, case.conversation, case.user_key) == (one.tools, one.conversation, "u-7")
        assert (case.model, case.prompt_version, case.release) == (one.model, one.prompt_version, one.release)
        sampled = case.sampled
        assert (sampled.trace_id, sampled.trace_at, sampled.policy) == (one.id, one.at, "negative")
        assert (sampled.policies, sampled.probability) == ({"negative": 1.0}, 1.0)
        assert (sampled.topic, sampled.user_key) == (one.topic, "u-7")

    def test_says_nothing_of_why_it_was_picked(self, tenant, rule):
        cases = opening.open_cases(
            [picked(trace(tenant), policy) for policy in (NEGATIVE, RANDOM)], tenant=tenant, now=NOW
        )
        assert cases[0].assessment == cases[1].assessment
        assert (cases[0].triggers, cases[0].reason) == ([], "")

    def test_has_no_deadline_since_nobody_waits_for_it(self, tenant, rule):
        [case] = opening.open_cases([picked(trace(tenant))], tenant=tenant, now=NOW)
        assert (case.due_at, Slot.objects.get().due_at) == (None, None)

    def test_a_trace_is_a_case_once(self, tenant, rule):
        one = trace(tenant)
        [case] = opening.open_cases([picked(one), picked(one)], tenant=tenant, now=NOW)
        assert opening.open_cases([picked(one, RANDOM)], tenant=tenant, now=NOW) == []
        assert opening.already(tenant, [one.id]) == {one.id: case.pk}
        assert Slot.objects.count() == 1

    def test_a_name_that_a_producer_used_is_not_taken_from_it(self, tenant, rule):
        receive.cases([sent(case_id="trace:t-1")], tenant=tenant, now=NOW, source="test")
        one = trace(tenant, external_id="t-1")
        [case] = opening.open_cases([picked(one)], tenant=tenant, now=NOW)
        assert case.external_id == f"trace:{one.id}"

    def test_a_producer_that_sends_its_name_later_hears_of_it(self, tenant, rule):
        [case] = opening.open_cases([picked(trace(tenant, external_id="t-1"))], tenant=tenant, now=NOW)
        assert Receipt.objects.get(external_id="trace:t-1").object_id == case.pk
        received = receive.cases([sent(case_id="trace:t-1")], tenant=tenant, now=NOW, source="test")
        assert (received.accepted, len(received.rejected)) == (0, 1)
        assert "conflict" in received.rejected[0].error

    def test_a_long_name_gives_way_to_the_number_of_the_trace(self, tenant, rule):
        one = trace(tenant, external_id="x" * 200)
        [case] = opening.open_cases([picked(one)], tenant=tenant, now=NOW)
        assert case.external_id == f"trace:{one.id}"

    def test_some_hundred_take_no_more_statements_than_one(self, tenant, rule, django_assert_max_num_queries):
        many = [picked(trace(tenant)) for _ in range(120)]
        with django_assert_max_num_queries(20):
            assert len(opening.open_cases(many, tenant=tenant, now=NOW)) == 120


class TestWhereItWaits:
    def test_the_rules_route_it(self, tenant, rule):
        [case] = opening.open_cases([picked(trace(tenant))], tenant=tenant, now=NOW)
        slot = Slot.objects.select_related("lane").get()
        assert (case.queue, slot.lane.queue, slot.lane.stream) == (rule.queue, rule.queue, Lane.Stream.SAMPLED)
        assert case.routing["rule"]["id"] == rule.pk

    def test_the_random_draw_has_a_lane_of_its_own_though_others_picked_it_too(self, tenant, rule):
        wanted = Wanted(trace(tenant), NEGATIVE, {NEGATIVE: 1.0, RANDOM: 0.1}, 1.0)
        opening.open_cases([wanted, picked(trace(tenant), RANDOM)], tenant=tenant, now=NOW)
        assert [slot.lane.stream for slot in Slot.objects.select_related("lane")] == ["random", "random"]

    def test_a_queue_that_is_named_is_past_the_rules_and_it_is_said_who_named_it(self, tenant, rule):
        queue = QueueFactory(name="Errors")
        wanted = [
            Wanted(trace(tenant), BY_HAND, {}, None, queue=queue),
            picked(trace(tenant), RANDOM, queue=queue),
        ]
        cases = opening.open_cases(wanted, tenant=tenant, now=NOW)
        assert [case.queue_id for case in cases] == [queue.pk, queue.pk]
        assert ["lead" in sentences(case.routing)[0] for case in cases] == [True, False]
        assert "Errors" in sentences(cases[1].routing)[0]

    def test_without_a_rule_it_waits_unrouted_and_finds_its_lane_later(self, tenant):
        [case] = opening.open_cases([picked(trace(tenant), RANDOM)], tenant=tenant, now=NOW)
        assert case.queue is None
        rule = RoutingRuleFactory(queue=QueueFactory(sla="minutes", sla_amount=60))
        placing.route_again(cases=[case], by=None, now=NOW)
        slot = Slot.objects.select_related("lane").get()
        assert (slot.lane.queue, slot.lane.stream, slot.due_at) == (rule.queue, "random", None)
        assert Case.objects.get().due_at is None

    def test_a_lead_who_sends_an_unrouted_one_on_changes_none_of_that(self, tenant):
        [case] = opening.open_cases([picked(trace(tenant))], tenant=tenant, now=NOW)
        queue = QueueFactory(sla="minutes", sla_amount=60)
        tray.send(cases=[case], queue=queue, authority="", by=UserFactory(), now=NOW)
        slot = Slot.objects.select_related("lane").get()
        assert (slot.lane.stream, slot.due_at, Case.objects.get().due_at) == ("sampled", None, None)

    def test_what_is_reported_or_sent_by_hand_comes_first_then_edits_then_complaints(self, tenant, rule):
        ordered = [
            picked(trace(tenant), Sampled.Policy.DRIFT),
            picked(trace(tenant, is_edited=True, weight=-0.2)),
            picked(trace(tenant, is_negative=True, weight=-1)),
            picked(trace(tenant), Sampled.Policy.UNCERTAIN),
            picked(trace(tenant), Sampled.Policy.STRATIFIED),
        ]
        cases = opening.open_cases(ordered, tenant=tenant, now=NOW)
        places = [Slot.objects.get(case=case).priority for case in cases]
        assert places == sorted(set(places))


class TestJudges:
    def said(self, tenant, number, trace_id):
        said = Said("strict", "1", verdict="accept", score=0.9, confidence=0.99)
        judge_verdicts.add([Spoken(number, Target(None, "", trace_id), said, NOW)], tenant=tenant, now=NOW)

    def test_what_a_judge_said_of_the_trace_belongs_to_the_case(self, tenant, rule):
        self.said(tenant, 7, "t-1")
        [case] = opening.open_cases([picked(trace(tenant, external_id="t-1"))], tenant=tenant, now=NOW)
        assert JudgeVerdict.objects.get().case == case

    def test_however_sure_a_judge_is_a_person_decides(self, tenant):
        self.said(tenant, 7, "t-1")
        queue = QueueFactory(judge_first="strict", judge_sure=0.5)
        [case] = opening.open_cases([picked(trace(tenant, external_id="t-1"))], tenant=tenant, now=NOW)
        RoutingRuleFactory(queue=queue)
        placing.route_again(cases=[case], by=None, now=NOW)
        assert (Case.objects.get().state, JudgeKept.objects.count(), Slot.objects.count()) == ("waiting", 0, 1)
