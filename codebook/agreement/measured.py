"""Agreement as it was measured last: kept until new labels come, and measured again in the worker."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from codebook.models import AgreementReport, Codebook, Version
from codebook.standing import Standing, standing
from hitl.audit import log
from hitl.jobs import progress
from hitl.models import Job, User

TASK: Final = "codebook.agreement.measuring.run"
AGAIN_AFTER: Final = timedelta(hours=1)
KEPT: Final = 50
COUNTED_AT_MOST: Final = 10_000

_NEWER: Final = """
select count(*) from unnest(%s::bigint[]) version (id)
cross join lateral (
  select from codebook_label label
  where label.version_id = version.id and label.id > %s and label.undone_at is null and not label.is_amendment
    and label.rater in ('person', 'imported')
  order by label.id desc limit %s
) newer
"""
_NEWEST: Final = """
select max(newest.id) from unnest(%s::bigint[]) version (id)
cross join lateral (
  select label.id from codebook_label label where label.version_id = version.id order by label.id desc limit 1
) newest
"""


@transaction.atomic
def measure_now(*, codebook: Codebook, by: User) -> Job:
    """Have the agreement measured in the worker; while it is being measured, that job is the one."""
    job, is_new = _start(codebook, by)
    if is_new:
        log.append(
            actor=by,
            action="agreement.measured",
            subject=f"codebook:{codebook.pk}",
            tenant_id=None,
            detail={"job": job.pk},
        )
    return job


def refresh(now: datetime) -> int:
    """A chore: measures again what new labels came to since, each codebook once an hour at most; how many."""
    begun = 0
    for codebook in Codebook.objects.filter(versions__state=Version.State.PUBLISHED).distinct():
        report = latest(codebook)
        if report and (now - report.computed_at < AGAIN_AFTER or not is_stale(report)):
            continue
        if report is None and newest_label(codebook.pk) == 0:
            continue
        begun += _start(codebook, None)[1]
    return begun


def _start(codebook: Codebook, by: User | None) -> tuple[Job, bool]:
    title = f"Measuring agreement on {codebook.title}"
    return progress.start_once(kind=_kind(codebook), title=title, user=by, task=TASK, args=[codebook.pk])


def running(codebook: Codebook) -> Job | None:
    """The job that measures it now."""
    return progress.running(_kind(codebook))


def latest(codebook: Codebook) -> AgreementReport | None:
    return AgreementReport.objects.filter(codebook=codebook).order_by("-pk").first()


def is_stale(report: AgreementReport) -> bool:
    """Whether labels came since it was measured, or other labels count now."""
    return newest_label(report.codebook_id) > report.newest_label or is_of_other_words(report)


def is_of_other_words(report: AgreementReport) -> bool:
    """Whether the codebook changed since: a version was published, or a category carried over."""
    return bool(report.result["standing"] != fingerprint(standing(report.codebook_id)))


def fingerprint(stands: Standing) -> str:
    """Tells whether the same labels count for the same categories."""
    told = (sorted(stands.counts_as.items()), sorted((pk, sorted(v)) for pk, v in stands.judged_under.items()))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def newer_labels(report: AgreementReport) -> int:
    """How many labels came since, up to COUNTED_AT_MOST."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWER, [_versions(report.codebook_id), report.newest_label, COUNTED_AT_MOST])
        (count,) = cursor.fetchone()
    return min(int(count), COUNTED_AT_MOST)


def newest_label(codebook_id: int) -> int:
    """The highest id among the codebook's labels, 0 without any: one look at the index for each version."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [_versions(codebook_id)])
        (newest,) = cursor.fetchone()
    return newest or 0


def _versions(codebook_id: int) -> list[int]:
    return list(Version.objects.filter(codebook=codebook_id).values_list("pk", flat=True))


@transaction.atomic
def keep(*, codebook: Codebook, newest_label: int, result: dict[str, Any], now: datetime) -> AgreementReport:
    """A step: the report as it was measured. Of the old ones the last of each month stays."""
    report = AgreementReport.objects.create(
        codebook=codebook, newest_label=newest_label, versions=result["versions"], result=result, computed_at=now
    )
    told = AgreementReport.objects.filter(codebook=codebook).order_by("-pk").values_list("pk", "computed_at")
    AgreementReport.objects.filter(pk__in=_superseded(told[KEPT:])).delete()
    return report


def _superseded(older: Iterable[tuple[int, datetime]]) -> list[int]:
    """All but the first of each month, newest first."""
    months: set[tuple[int, int]] = set()
    dropped = []
    for pk, at in older:
        if (at.year, at.month) in months:
            dropped.append(pk)
        months.add((at.year, at.month))
    return dropped


def _kind(codebook: Codebook) -> str:
    return f"agreement:{codebook.pk}"
