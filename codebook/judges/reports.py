"""Judges against people as it was measured last: kept until there is more to measure, then measured in the worker.

The measuring itself is in `codebook.judges.measuring`, which the web never loads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from codebook.agreement import measured
from codebook.models import Codebook, JudgeReport, Version
from hitl.audit import log
from hitl.jobs import progress
from hitl.models import Job, User
from hitl.outbox import messages
from queues.models import JudgeVerdict

TASK: Final = "codebook.judges.measuring.run"
WINDOW: Final = timedelta(days=90)
AGAIN_AFTER: Final = timedelta(hours=1)
# The window moves on though nothing comes in.
ANYWAY_AFTER: Final = timedelta(days=1)
# What tells whether a codebook without a report has anything to measure.
LATEST_VERDICTS: Final = 2_000
# An alarm under so much of kappa, where so many cases say so and people saw so many that fail and that pass.
ENOUGH_AGREEMENT: Final = 0.6
ENOUGH_CASES: Final = 50
ENOUGH_OF_EACH: Final = 5
WHOLE: Final = "fails"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """One judge, version and prompt, as it was measured."""

    judge: str
    judge_version: str
    prompt: str
    result: Json


@transaction.atomic
def measure_now(*, codebook: Codebook, by: User) -> Job:
    """Have the judges measured in the worker; while they are being measured, that job is the one."""
    job, is_new = _start(codebook, by)
    if is_new:
        log.append(
            actor=by,
            action="judge.measured",
            subject=f"codebook:{codebook.pk}",
            tenant_id=None,
            detail={"job": job.pk},
        )
    return job


def refresh(now: datetime) -> int:
    """A chore: measures again where verdicts or labels came since, each codebook once an hour at most; how many."""
    newest_verdict = newest()
    if not newest_verdict:
        return 0
    spoken_of = _spoken_of()
    begun = 0
    for codebook in Codebook.objects.filter(versions__state=Version.State.PUBLISHED).distinct():
        report = JudgeReport.objects.filter(codebook=codebook).order_by("-computed_at").first()
        if report is None and codebook.pk not in spoken_of:
            continue
        if report and now - report.computed_at < AGAIN_AFTER:
            continue
        if report and now - report.computed_at < ANYWAY_AFTER:
            stands = [newest_verdict, measured.newest_label(codebook.pk)]
            if report.result["newest"] == stands:
                continue
        begun += _start(codebook, None)[1]
    return begun


def newest() -> int:
    """The highest id among all verdicts, 0 without any."""
    return JudgeVerdict.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def running(codebook: Codebook) -> Job | None:
    """The job that measures them now."""
    return progress.running(_kind(codebook))


def latest(codebook: Codebook) -> list[JudgeReport]:
    """The last report on each judge, version and prompt: those in alarm first, then by name."""
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [codebook.pk])
        ids = [pk for (pk,) in cursor.fetchall()]
    found = JudgeReport.objects.filter(pk__in=ids)
    return sorted(found, key=lambda one: (not one.alarmed, one.judge, one.judge_version, one.prompt))


def history(report: JudgeReport) -> list[JudgeReport]:
    """The reports on the same judge, version and prompt, oldest first: one a day."""
    return list(_same(report.codebook_id, report.judge, report.judge_version, report.prompt).order_by("computed_at"))


def waiting(codebook: Codebook) -> int:
    """How many verdicts wait for a case, of the tenants whose cases are labelled with this codebook."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [codebook.pk])
        return int(cursor.fetchone()[0])


@transaction.atomic
def keep(*, codebook: Codebook, found: Sequence[Measured], now: datetime) -> list[JudgeReport]:
    """Keeps the reports, one a day for each judge, and tells the owner where an alarm is new, or over."""
    # Two workers that measured at the same time keep their reports one after the other.
    codebook = Codebook.objects.select_for_update(of=("self",), no_key=True).select_related("owner").get(pk=codebook.pk)
    kept = []
    for one in found:
        same = _same(codebook.pk, one.judge, one.judge_version, one.prompt)
        before = same.order_by("-computed_at").first()
        report = before if before and before.computed_at.date() == now.date() else JudgeReport(codebook=codebook)
        alarms_before = set(before.result["alarms"]) if before else set()
        report.judge, report.judge_version, report.prompt = one.judge, one.judge_version, one.prompt
        report.since, report.until, report.computed_at = now - WINDOW, now, now
        report.versions, report.result = one.result["versions"], one.result
        report.alarmed = bool(one.result["alarms"])
        report.save()
        kept.append(report)
        if set(one.result["alarms"]) - alarms_before or (alarms_before and not report.alarmed):
            _tell(codebook, report, now)
    return kept


def is_alarming(figures: Json) -> bool:
    """Kappa is under ENOUGH_AGREEMENT, and there is enough to say so: see the constants."""
    table, value = figures["table"], figures["kappa"]["value"]
    of_each = min(table["both_fail"] + table["people_alone"], table["both_pass"] + table["judge_alone"])
    return (
        value is not None
        and value < ENOUGH_AGREEMENT
        and sum(table.values()) >= ENOUGH_CASES
        and of_each >= ENOUGH_OF_EACH
    )


def name_of(report: JudgeReport) -> str:
    prompt = f"(prompt {report.prompt})" if report.prompt else ""
    return " ".join(filter(None, [report.judge, report.judge_version, prompt]))


def _same(codebook_id: int, judge: str, version: str, prompt: str) -> Any:
    return JudgeReport.objects.filter(codebook=codebook_id, judge=judge, judge_version=version, prompt=prompt)


def _tell(codebook: Codebook, report: JudgeReport, now: datetime) -> None:
    """Step: on record, and an e-mail to the owner."""
    name, kappa = name_of(report), report.result[WHOLE]["kappa"]
    said = "cannot be said" if kappa["value"] is None else f"is {kappa['value']:.2f}"
    address = f"{settings.HITL_URL}{reverse('codebook_judge', args=[codebook.slug, report.pk])}"
    if report.alarmed:
        subject = f"{name} agrees too little with people"
        about = ", ".join(_titles(report))
        lines = [f"On {codebook.title}, kappa is under {ENOUGH_AGREEMENT} for: {about}.", f"For all it {said}"]
        lines[-1] += f", over {report.result['pairs']:,} cases of the last {WINDOW.days} days."
        lines.append("Do not build on its word until you know why. The cases where they differ:")
    else:
        subject = f"{name} agrees with people again"
        lines = [f"On {codebook.title}, kappa {said}, over {report.result['pairs']:,} cases.", "The figures:"]
    messages.email(
        to=[codebook.owner.email],
        subject=subject,
        body="\n\n".join([*lines, address]),
        key=f"judge:{codebook.pk}",
        tenant_id=None,
    )
    log.append(
        actor=None,
        action="judge.alarmed" if report.alarmed else "judge.recovered",
        subject=f"codebook:{codebook.pk}",
        tenant_id=None,
        detail={"judge": name, "kappa": kappa["value"], "cases": report.result["pairs"]},
        actor_name="hitl",
    )


def _titles(report: JudgeReport) -> list[str]:
    titles = {one["key"]: one["title"] for one in report.result["categories"]}
    return ["whether an answer fails" if key == WHOLE else titles.get(key, key) for key in report.result["alarms"]]


def _start(codebook: Codebook, by: User | None) -> tuple[Job, bool]:
    title = f"Measuring the judges of {codebook.title}"
    return progress.start_once(kind=_kind(codebook), title=title, user=by, task=TASK, args=[codebook.pk])


def _kind(codebook: Codebook) -> str:
    return f"judges:{codebook.pk}"


def _spoken_of() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(_SPOKEN_OF, [LATEST_VERDICTS])
        return {pk for (pk,) in cursor.fetchall()}


_LATEST: Final = """
select distinct on (judge, judge_version, prompt) id from codebook_judgereport
where codebook_id = %s order by judge, judge_version, prompt, id desc
"""
_WAITING: Final = """
select count(*) from queues_judgeverdict waiting
where waiting.case_id is null and waiting.tenant_id in (
  select lane.tenant_id from queues_lane lane
  join codebook_queuecodebook used on used.queue_id = lane.queue_id where used.codebook_id = %s)
"""
_SPOKEN_OF: Final = """
select distinct used.codebook_id
from (select case_id from queues_judgeverdict where case_id is not null order by id desc limit %s) latest
join queues_case told on told.id = latest.case_id
join codebook_queuecodebook used on used.queue_id = told.queue_id
"""
