import pytest
from django.utils import timezone

from codebook.drift import measuring as drift_measuring
from codebook.drift import reports as drift_reports
from codebook.models import DriftReport
from codebook.standing import standing
from hitl.models import AuditEvent, Job, Message
from reviews import deciding
from tests.factories.codebook import published
from tests.factories.drift import Desk
from tests.factories.queues import reviewer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return Desk()


def measured(desk):
    drift_reports.refresh(timezone.now())
    job = Job.objects.filter(kind=f"drift:{desk.codebook.pk}", state="waiting").first()
    if job:
        drift_measuring.run(job.pk, desk.codebook.pk)
    return DriftReport.objects.order_by("-pk").first()


def test_an_answer_is_compared_with_what_they_said_then(desk):
    first = desk.ask()
    assert measured(desk) is None
    desk.answer(first.slot_id, "reject", "tone")
    report = measured(desk)
    assert (report.reviewer, report.result["pairs"], report.result["same"]) == (desk.reviewer, 1, 0)
    assert report.versions == [1]
    assert "version 1" in report.result["versions_in_words"]
    assert Job.objects.get().result["sentence"].startswith("1 reviewer compared")


def test_it_is_measured_again_only_when_there_is_something_new(desk):
    desk.answer(desk.ask().slot_id)
    measured(desk)
    assert drift_reports.refresh(timezone.now()) == 0
    desk.answer(desk.ask().slot_id)
    assert measured(desk).result["pairs"] == 2
    published(codebook=desk.codebook, keys=("hallucination", "other"))
    assert drift_reports.refresh(timezone.now()) == 1


def test_what_was_taken_back_or_answered_by_a_colleague_does_not_count(desk):
    check = desk.ask()
    desk.answer(check.slot_id)
    deciding.undo(user=desk.reviewer, slot_id=check.slot_id)
    assert drift_reports.stale(desk.codebook.pk, standing(desk.codebook.pk)) == {}
    colleague = reviewer_of(check.slot.lane)
    claim = deciding.claims.held(user=desk.reviewer)[0]
    deciding.claims.pass_on(user=desk.reviewer, slot_id=claim.slot_id, token=claim.token, to=colleague, reason="x")
    desk.answer(check.slot_id, by=colleague)
    assert drift_reports.stale(desk.codebook.pk, standing(desk.codebook.pk)) == {}


def result(*, alarm):
    return {
        "pairs": 20, "same": 5, "versions": [1], "newest_label": 1, "standing": "", "versions_in_words": "version 1",
        "verdict": {"alarm": alarm}, "categories": [],
    }  # fmt: skip


def keep(desk, *, alarm):
    return drift_reports.keep(
        codebook=desk.codebook, reviewer_id=desk.reviewer.pk, result=result(alarm=alarm), now=timezone.now()
    )


def test_the_owner_is_told_once_and_again_only_after_it_was_well(desk):
    told = []
    for alarm in (False, True, True, False, True):
        keep(desk, alarm=alarm)
        told.append(Message.objects.filter(channel="email").count())
    assert told == [0, 1, 1, 1, 2]
    mail = Message.objects.filter(channel="email").first()
    assert mail.payload["to"] == desk.codebook.owner.email
    assert desk.reviewer.name not in mail.payload["subject"] + mail.payload["body"]
    assert AuditEvent.objects.filter(action="drift.alarmed").count() == 2


def test_the_last_report_of_each_reviewer_is_shown(desk):
    keep(desk, alarm=True)
    newest = keep(desk, alarm=False)
    assert list(drift_reports.latest(desk.codebook.pk)) == [newest]
    assert list(drift_reports.own(desk.reviewer)) == [newest]
