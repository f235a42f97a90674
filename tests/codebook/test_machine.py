import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from codebook.agreement.opinions import read
from codebook.judges import audits as judge_audits
from codebook.judges import machine
from codebook.models import FinalLabel, JudgeAudit, Label, LabelBatch
from codebook.standing import standing
from hitl.access import tokens
from hitl.audit.models import AuditEvent
from hitl.models import Endpoint, Message
from queues import quality
from queues.intake import receive
from queues.models import Case, JudgeKept, Outcome, RouteQuality
from queues.quarters import quarter_of
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory
from tests.factories.intake import sent
from tests.factories.queues import QueueFactory, RoutingRuleFactory

pytestmark = pytest.mark.django_db


class Desk:
    """A queue that trusts its judge, and the producer's side of it."""

    def __init__(self, **queue):
        self.tenant = TenantFactory(slug="acme")
        self.queue = QueueFactory(judge_first="grounded", **{"judge_audit_share": 0.001} | queue)
        RoutingRuleFactory(queue=self.queue)
        self.version = published(self.queue)
        _, self.token = tokens.issue(tenant=self.tenant, name="Producer", scopes=["ingest"])

    def bring(self, *verdicts, **judge):
        rows = [
            sent(judges=[{"name": "grounded", "version": "2", "verdict": verdict, "confidence": 0.97, **judge}])
            for verdict in verdicts
        ]
        assert receive.cases(rows, tenant=self.tenant, now=timezone.now(), source="test").accepted == len(rows)
        return Case.objects.order_by("pk").last()

    def ask(self, case):
        answer = (
            Client().get(f"/api/v1/cases/{case.external_id}", headers={"Authorization": f"Bearer {self.token}"}).json()
        )
        return answer


@pytest.fixture
def desk():
    return Desk()


def label_all():
    return machine.label_all(timezone.now())


def test_a_kept_case_gets_the_judges_label_and_never_counts_as_a_person_s(desk):
    case = desk.bring("fail", categories=["tone", "not-in-the-codebook"])
    assert label_all() == 1
    label = Label.objects.select_related("batch").get()
    assert (label.case, label.rater, label.rater_name, label.verdict) == (case, "judge", "grounded 2", "reject")
    assert (label.slot, label.user, label.version) == (None, None, desk.version)
    assert (label.batch.purpose, label.batch.queue) == ("judge", desk.queue)
    assert [given.category.key for given in label.given.all()] == ["tone"]
    assert JudgeKept.objects.get().labelled_at
    event = AuditEvent.objects.get(action="case.machine_labelled")
    assert event.actor_name == "grounded 2"
    assert event.detail["unknown_categories"] == ["not-in-the-codebook"]

    assert not FinalLabel.objects.exists()
    assert len(read(standing(desk.version.codebook_id)).unit) == 0
    quality.refresh(timezone.now())
    assert not RouteQuality.objects.exists()


def test_the_producer_is_told_at_once_that_it_was_a_judge(desk):
    Endpoint.objects.create(tenant=desk.tenant, url="https://example.com/hook")
    case = desk.bring("pass")
    assert desk.ask(case)["status"] == "waiting"
    label_all()
    answer = desk.ask(case)
    assert (answer["status"], answer["decided_by"], answer["judge"]) == ("machine_labelled", "judge", "grounded 2")
    assert (answer["verdict"], answer["final_answer"], answer["revision"]) == ("accept", case.draft, 1)
    message = Message.objects.get()
    assert message.topic == "case.decided"
    told = message.payload["data"]
    assert (told["decided_by"], told["judge"], told["verdict"]) == ("judge", "grounded 2", "accept")
    case.refresh_from_db()
    assert case.state == "machine"


def test_a_rejected_draft_goes_back_without_an_answer(desk):
    case = desk.bring("fail")
    label_all()
    assert desk.ask(case)["final_answer"] == ""


def test_running_again_finds_nothing_to_do_and_many_take_one_batch(desk):
    desk.bring(*["pass"] * 7)
    assert label_all() == 7
    assert label_all() == 0
    assert LabelBatch.objects.count() == 1
    assert Label.objects.count() == Outcome.objects.count() == 7


def test_a_queue_without_a_codebook_waits_and_holds_up_no_other(desk):
    desk.queue.codebook_use.delete()
    waits = desk.bring("pass")
    other = QueueFactory(judge_first="grounded")
    RoutingRuleFactory(queue=other, domains=["art"])
    published(other)
    rows = [sent(domain="art", risk_level="low", judges=[{"name": "grounded", "verdict": "pass", "confidence": 1}])]
    receive.cases(rows, tenant=desk.tenant, now=timezone.now(), source="test")
    assert label_all() == 1
    assert desk.ask(waits)["status"] == "waiting"
    published(desk.queue)
    assert label_all() == 1
    assert desk.ask(waits)["status"] == "machine_labelled"


def test_so_many_cases_take_few_statements_each(desk, django_assert_max_num_queries):
    desk.bring("pass")
    label_all()
    desk.bring(*["pass"] * 10)
    with django_assert_max_num_queries(20 + 2 * 10):
        label_all()


class TestAudits:
    def test_the_queues_share_is_asked_about_and_nobody_is_told(self):
        desk = Desk(judge_audit_share=0.5)
        desk.bring(*["pass"] * 40)
        label_all()
        chosen = {case for case in Case.objects.values_list("pk", flat=True) if judge_audits.drawn(case) < 0.5}
        audits = JudgeAudit.objects.select_related("slot__lane", "label", "codebook")
        assert {audit.slot.case_id for audit in audits} == chosen
        assert 5 < len(chosen) < 35
        one = audits[0]
        assert (one.slot.purpose, one.slot.lane.stream, one.slot.state) == ("judge_audit", "quality", "open")
        assert (one.stratum, one.label.case_id) == ("accept, medium risk", one.slot.case_id)
        assert one.quarter == quarter_of(timezone.now()).name
        assert (one.slot.barred, one.slot.reserved_for) == ([], None)

    def test_a_stratum_with_too_few_is_filled_up_as_the_quarter_goes_by(self, desk):
        desk.bring(*["pass"] * 12, *["fail"] * 3)
        label_all()
        quarter = quarter_of(timezone.now())
        JudgeKept.objects.update(labelled_at=quarter.begins, kept_at=quarter.begins)
        assert not JudgeAudit.objects.exists()

        def strata():
            found = JudgeAudit.objects.values_list("stratum", flat=True)
            return [sum(one.startswith(verdict) for one in found) for verdict in ("accept", "reject")]

        judge_audits.top_up(quarter.begins + (quarter.ends - quarter.begins) / 4)
        assert strata() == [3, 3]
        last = quarter.ends - timedelta(seconds=1)
        judge_audits.top_up(last)
        assert strata() == [10, 3]
        judge_audits.top_up(last)
        judge_audits.top_up(quarter.ends + timedelta(days=1))
        assert strata() == [10, 3]
        least = sorted(Label.objects.filter(verdict="accept").values_list("case", flat=True), key=judge_audits.drawn)
        asked = JudgeAudit.objects.filter(stratum__startswith="accept").values_list("slot__case", flat=True)
        assert set(asked) == set(least[:10])


def test_the_draw_is_even():
    draws = [judge_audits.drawn(case) for case in range(4000)]
    assert sum(one < 0.25 for one in draws) == pytest.approx(1000, abs=100)
    assert json.dumps(draws[:3]) == json.dumps([judge_audits.drawn(case) for case in range(3)])
