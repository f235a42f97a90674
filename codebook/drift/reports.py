"""Drift as it was measured last: kept until the reviewer decides another old case, or other labels count."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, QuerySet

from codebook.agreement.measured import fingerprint
from codebook.models import Codebook, DriftCheck, DriftReport, Label
from codebook.standing import Standing, standing
from codebook.versions import NoCodebook
from hitl.audit import log
from hitl.jobs import progress
from hitl.models import User
from hitl.outbox import messages

TASK: Final = "codebook.drift.measuring.run"


def refresh(now: datetime) -> int:
    """A chore: has the worker measure where a reviewer answered since, or a version was published; how many jobs."""
    asked = Codebook.objects.filter(pk__in=DriftCheck.objects.values("codebook")).order_by("pk")
    return sum(map(_start, asked))


def answers(codebook_id: int) -> QuerySet[Label]:
    """What the people asked said, on their own; with the check as slot.drift_check."""
    return Label.objects.filter(
        slot__drift_check__codebook=codebook_id,
        user=F("slot__drift_check__reviewer"),
        undone_at=None,
        is_amendment=False,
    )


def stale(codebook_id: int, stands: Standing) -> dict[int, int]:
    """Reviewers whose report is not of today, with their newest answer."""
    newest = dict(answers(codebook_id).values_list("user").annotate(last=Max("pk")).values_list("user", "last"))
    words = fingerprint(stands)
    known = {one.reviewer_id: (one.result["newest_label"], one.result["standing"]) for one in latest(codebook_id)}
    return {pk: last for pk, last in newest.items() if known.get(pk) != (last, words)}


def latest(codebook_id: int) -> QuerySet[DriftReport]:
    """The last report of each reviewer."""
    reports = DriftReport.objects.filter(codebook=codebook_id)
    return reports.order_by("reviewer", "-pk").distinct("reviewer").select_related("reviewer")


def own(user: User) -> QuerySet[DriftReport]:
    """A reviewer's own, one a codebook."""
    reports = DriftReport.objects.filter(reviewer=user)
    return reports.order_by("codebook", "-pk").distinct("codebook").select_related("codebook")


@transaction.atomic
def keep(*, codebook: Codebook, reviewer_id: int, result: dict[str, Any], now: datetime) -> DriftReport:
    """Keeps a report. The owner is told when it begins to alarm, once, until it no longer did."""
    before = DriftReport.objects.filter(codebook=codebook, reviewer=reviewer_id).order_by("-pk").first()
    alarmed = any(one["alarm"] for one in (result["verdict"], *result["categories"]))
    report = DriftReport.objects.create(
        codebook=codebook,
        reviewer_id=reviewer_id,
        versions=result["versions"],
        result=result,
        alarmed=alarmed,
        computed_at=now,
    )
    if alarmed and not (before and before.alarmed):
        _tell(codebook)
    return report


def _tell(codebook: Codebook) -> None:
    """It names no reviewer and no case: a mailbox is no place for either."""
    log.append(
        actor=None, actor_name="clock", action="drift.alarmed", subject=f"codebook:{codebook.pk}", tenant_id=None
    )  # fmt: skip
    messages.email(
        to=[codebook.owner.email],
        subject=f"A reviewer decides differently than before: {codebook.title}",
        body=(
            f"A reviewer who was asked again about old cases of “{codebook.title}” now decides too many of them "
            "differently. Their old decisions stay as they are. Look at where it differs, and talk it through:\n\n"
            f"{settings.HITL_URL}/codebooks/{codebook.slug}/reviewers/\n"
        ),
        key=f"codebook:{codebook.pk}",
        tenant_id=None,
    )


def _start(codebook: Codebook) -> int:
    try:
        if not stale(codebook.pk, standing(codebook.pk)):
            return 0
    except NoCodebook:
        return 0
    title = f"Comparing then and now on {codebook.title}"
    _, is_new = progress.start_once(kind=f"drift:{codebook.pk}", title=title, user=None, task=TASK, args=[codebook.pk])
    return int(is_new)
