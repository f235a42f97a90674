from datetime import timedelta

import pytest
from django.utils import timezone

from codebook.models import Comment, Disagreement, DriftReport, JudgeReport, Version
from reviews.figures import owning
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory
from tests.factories.queues import CaseFactory, LaneFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def codebook():
    return published(LaneFactory().queue).codebook


def judged(codebook, alarmed, **more):
    now = timezone.now()
    return JudgeReport.objects.create(
        codebook=codebook, judge="groundedness", since=now - timedelta(days=90), until=now, versions=[1], result={},
        alarmed=alarmed, computed_at=now, **more,
    )  # fmt: skip


def test_differences_wait_until_they_are_settled(codebook):
    now = timezone.now()
    queue = codebook.queue_uses.get().queue
    for settled in (None, now):
        Disagreement.objects.create(
            case=CaseFactory(queue=queue), round=1, codebook=codebook, queue=queue, opened_at=now, settled_at=settled
        )
    assert owning.codebooks(codebook.owner)[0].disagreements == 1


def test_comments_wait_while_the_draft_is_one(codebook):
    draft = Version.objects.create(codebook=codebook, number=2)
    said = {"author": UserFactory(), "created_at": timezone.now()}
    Comment.objects.create(version=draft, text="Is a promise a failure?", **said)
    Comment.objects.create(version=draft, text="Settled.", resolved_at=timezone.now(), **said)
    Comment.objects.create(version=codebook.versions.get(number=1), text="Of long ago.", **said)
    assert owning.codebooks(codebook.owner)[0].comments == 1


def test_the_latest_report_says_whether_there_is_an_alarm(codebook):
    judged(codebook, True, judge_version="1")
    judged(codebook, True, judge_version="2")
    judged(codebook, False, judge_version="2")
    for alarmed in (False, True):
        DriftReport.objects.create(
            codebook=codebook, reviewer=codebook.owner, versions=[1], result={}, alarmed=alarmed,
            computed_at=timezone.now(),
        )  # fmt: skip
    (row,) = owning.codebooks(codebook.owner)
    assert (row.judges_alarmed, row.reviewers_alarmed) == (1, 1)


def test_it_is_on_the_owners_home_and_on_nobody_elses(codebook, sign_in):
    judged(codebook, True)
    CodebookFactory(title="Somebody else's")
    page = sign_in(codebook.owner).get("/").content.decode()
    assert "1 below 0.6" in page
    assert "Somebody else" not in page
    assert "below 0.6" not in sign_in(UserFactory()).get("/").content.decode()
