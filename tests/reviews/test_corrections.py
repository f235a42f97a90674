from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from codebook.judges import machine
from codebook.models import Category, FinalLabel, JudgeAudit, Label
from hitl.access import tokens
from hitl.models import Endpoint, Message
from queues import claims
from queues.intake import receive
from queues.models import Case, Outcome
from reviews import corrections, deciding, screen
from reviews.given import Given
from tests.factories.codebook import published
from tests.factories.intake import sent
from tests.factories.queues import LaneFactory, QueueFactory, RoutingRuleFactory, reviewer_of

pytestmark = pytest.mark.django_db


class Desk:
    """A reviewer who is asked about a case that the judge was sure of."""

    def __init__(self, **queue):
        self.lane = LaneFactory(
            queue=QueueFactory(judge_first="grounded", judge_audit_share=1, undo_seconds=300, **queue)
        )
        RoutingRuleFactory(queue=self.lane.queue)
        self.version = published(self.lane.queue)
        self.user = reviewer_of(self.lane)
        Endpoint.objects.create(tenant=self.lane.tenant, url="https://example.com/hook")
        _, self.token = tokens.issue(tenant=self.lane.tenant, name="Producer", scopes=["ingest"])
        judges = [{"name": "grounded", "version": "2", "verdict": "pass", "confidence": 0.97}]
        receive.cases([sent(judges=judges)], tenant=self.lane.tenant, now=timezone.now(), source="test")
        machine.label_all(timezone.now())
        self.case = Case.objects.get()
        self.audit = JudgeAudit.objects.get()

    def claim(self):
        return claims.hold(user=self.user)[0]

    def decide(self, verdict=Label.Verdict.REJECT, **given):
        claim = self.claim()
        given = Given(verdict=verdict, version_id=self.version.pk, **given)
        deciding.decide(user=self.user, slot_id=claim.slot_id, token=claim.token, given=given, painted=None)

    def tell(self, minutes=6):
        corrections.tell_all(timezone.now() + timedelta(minutes=minutes))
        self.audit.refresh_from_db()

    def ask(self):
        url = f"/api/v1/cases/{self.case.external_id}"
        return Client().get(url, headers={"Authorization": f"Bearer {self.token}"}).json()


@pytest.fixture
def desk():
    return Desk()


def test_a_person_who_disagrees_is_told_to_the_producer_with_the_next_revision(desk):
    tone = Category.objects.get(version=desk.version, key="tone")
    desk.decide(Label.Verdict.EDIT, final_answer="Better.", category_ids=frozenset([tone.pk]))
    assert desk.ask()["status"] == "machine_labelled"
    desk.tell()
    outcome = Outcome.objects.get()
    assert (outcome.verdict, outcome.final_answer, outcome.categories) == ("edit", "Better.", ["tone"])
    assert (outcome.revision, outcome.judge) == (2, "")
    told = Message.objects.latest("pk").payload["data"]
    assert (told["decided_by"], told["revision"], told["verdict"]) == ("person", 2, "edit")
    assert "judge" not in told
    desk.case.refresh_from_db()
    assert desk.case.state == "decided"
    assert FinalLabel.objects.get(case=desk.case).label == desk.audit.settled


def test_a_person_who_agrees_leaves_the_judges_word_and_tells_nobody(desk):
    desk.decide(Label.Verdict.ACCEPT)
    desk.tell()
    assert desk.audit.settled
    assert Message.objects.count() == 1
    answer = desk.ask()
    assert (answer["status"], answer["revision"]) == ("machine_labelled", 1)
    assert FinalLabel.objects.get(case=desk.case).label.rater == "person"


def test_nothing_is_told_while_it_can_be_taken_back(desk):
    desk.decide()
    desk.tell(minutes=4)
    assert desk.audit.settled is None
    deciding.undo(user=desk.user, slot_id=desk.audit.slot_id)
    desk.tell()
    assert Outcome.objects.get().revision == 1


def test_it_is_told_once_and_again_when_the_person_amends_it(desk):
    desk.decide()
    desk.tell()
    desk.tell()
    assert Outcome.objects.get().revision == 2
    given = Given(verdict=Label.Verdict.ACCEPT, version_id=desk.version.pk)
    deciding.amend(user=desk.user, slot_id=desk.audit.slot_id, given=given)
    desk.tell()
    outcome = Outcome.objects.get()
    assert (outcome.revision, outcome.verdict, outcome.judge) == (3, "accept", "")


@pytest.mark.parametrize("shows", [True, False])
def test_whoever_is_asked_does_not_see_what_the_judge_said(shows):
    desk = Desk(shows_judge=shows)
    shown = screen.prepare(claim=desk.claim(), user=desk.user, now=timezone.now())
    assert shown.judge is None
