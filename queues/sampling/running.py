"""Draws a sample: reads the traffic, lets the policies pick, and makes cases of the picks. For the worker: needs numpy.

A trial stops before anything is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from hitl.audit import log
from hitl.jobs import progress
from hitl.models import Job, Tenant, User
from queues.models import DriftReport, Queue, Sampled, SamplingPlan, SamplingRun, Trace
from queues.sampling import opening, plans, reading, reports
from queues.sampling.chance import seed_of
from queues.sampling.drawing import DRIFT, Again, Asked, Drawn, Pick, draw
from queues.sampling.plans import Window
from queues.sampling.policies import Pool

AT_ONCE: Final = 500
SHOWN_OF_EACH: Final = 5
STEPS: Final = 2

T = TypeVar("T")


class DrawnMeanwhile(Exception):
    """Another sample of the tenant was stored while this one was drawn: they may have traces in common."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample that is drawn and not stored: the same again from the plan, the window and the seed."""

    plan: SamplingPlan
    window: Window
    seed: int
    slices: Sequence[DriftReport]
    pool: Pool
    drawn: Drawn

    def counts(self) -> dict[str, dict[str, int]]:
        """By policy: eligible, wanted, picked, also (that others had), short."""
        return {policy: {**asdict(count), "short": count.short} for policy, count in self.drawn.counts.items()}


def sample(*, plan: SamplingPlan, until: datetime, now: datetime) -> Sample:
    """What the plan picks of the traffic up to a moment. Nothing is stored."""
    window = plans.window(plan, until)
    reported = reports.open_reports(plan.tenant, now)
    slices = [report for report, _ in reported]
    pool = reading.read(plan.tenant, plan, window, slices)
    asked = Asked(
        budget=plan.budget,
        mix=plan.mix,
        per_user=plan.per_user,
        width=plan.width,
        slices=[wanted for _, wanted in reported],
    )
    seed = seed_of(plan.seed, int(until.timestamp()))
    return Sample(plan, window, seed, slices, pool, draw(pool, asked, seed=seed))


@transaction.atomic
def keep(*, sample: Sample, day: date | None, by: User | None, now: datetime) -> SamplingRun:
    """Stores a sample: the run, a case for each pick, and what it says of earlier cases. Raises DrawnMeanwhile."""
    plan, drawn = sample.plan, sample.drawn
    opening.alone(plan.tenant)
    if plans.window(plan, sample.window.until) != sample.window:
        raise DrawnMeanwhile
    try:
        with transaction.atomic():
            run = SamplingRun.objects.create(
                tenant=plan.tenant, plan=plan, day=day, seed=sample.seed, since=sample.window.since,
                until=sample.window.until, population=drawn.population, picked=0, counts=sample.counts(), by=by, at=now,
            )  # fmt: skip
    except IntegrityError:
        raise DrawnMeanwhile from None
    for part in _parts(drawn.picks):
        run.picked += len(opening.open_cases(_wanted(sample, part, run), tenant=plan.tenant, now=now))
    run.save(update_fields=["picked"])
    _stamp(sample)
    log.append(
        actor=by, action="sampling.drawn", subject=f"tenant:{plan.tenant_id}", tenant_id=plan.tenant_id,
        detail={"run": run.pk, "plan": plan.revision, "picked": run.picked, "of": run.population},
        actor_name="" if by else "hitl",
    )  # fmt: skip
    return run


def run_day(job_id: int, tenant_id: int, day: str) -> None:
    """The worker's part of a day's scheduled draw. A day that was drawn is not drawn again."""
    plan = _plan(tenant_id)
    until = datetime.combine(date.fromisoformat(day), time(plan.hour), tzinfo=UTC)
    _run(job_id, plan, until=until, day=until.date())


def run_now(job_id: int, tenant_id: int) -> None:
    """The worker's part of a draw by hand."""
    _run(job_id, _plan(tenant_id), until=timezone.now(), day=None)


def try_out(job_id: int, tenant_id: int, change: Mapping[str, Any]) -> None:
    """What a plan with these fields would pick now, kept with the job alone."""
    tenant, now = Tenant.objects.get(pk=tenant_id), timezone.now()
    fields = {**change, "queue": Queue.objects.filter(pk=change["queue"]).first() if change.get("queue") else None}
    before = plans.current(tenant)
    tried = sample(plan=plans.unsaved(tenant, before, fields, now), until=now, now=now)
    url = f"{reverse('sampling', args=[tenant.slug])}?trial={job_id}"
    shown = [
        {"trace": str(trace), "policy": pick.policy, "policies": dict(pick.policies), "probability": pick.probability}
        for trace, pick in _first_of_each(tried)
    ]
    result = {
        "plan": dict(change),
        "revision": before.revision if before else 0,
        "counts": tried.counts(),
        "population": tried.drawn.population,
        "picked": len(tried.drawn.picks),
        "since": tried.window.since.isoformat(),
        "look_back": tried.window.look_back.isoformat(),
        "shown": shown,
    }
    sentence = f"{_traces(len(tried.drawn.picks))} would be picked. Nothing was stored."
    progress.finish(job_id, {"sentence": sentence, "url": url, "link": "See which", "trial": result})


def _run(job_id: int, plan: SamplingPlan, *, until: datetime, day: date | None) -> None:
    by = Job.objects.select_related("started_by").get(pk=job_id).started_by
    progress.advance(job_id, 0, STEPS)
    drawn = sample(plan=plan, until=until, now=timezone.now())
    progress.advance(job_id, 1)
    try:
        run = keep(sample=drawn, day=day, by=by, now=timezone.now())
    except DrawnMeanwhile:
        raise progress.JobFailed(
            "Another sample was drawn at the same time, and stands. Draw again if you want more."
        ) from None
    url = reverse("sampling", args=[plan.tenant.slug])
    progress.finish(job_id, {"sentence": said(run), "url": url, "link": "See the sample"})


def said(run: SamplingRun) -> str:
    """What came of a run, for whoever started it."""
    if not run.picked:
        return "Nothing was picked: no trace came in since the last sample, and no other is eligible."
    return f"{_traces(run.picked)} became {'a case' if run.picked == 1 else 'cases'}."


def _plan(tenant_id: int) -> SamplingPlan:
    plan = plans.current(Tenant.objects.get(pk=tenant_id))
    if plan is None:
        raise progress.JobFailed("There is no sampling plan yet. Save one first.")
    return plan


def _wanted(sample: Sample, part: Sequence[Pick], run: SamplingRun) -> Iterator[opening.Wanted]:
    by_id = dict(zip(reading.ids(sample.pool, [pick.place for pick in part]), part, strict=True))
    traces = {one.pk: one for one in Trace.objects.filter(tenant=sample.plan.tenant, pk__in=by_id)}
    for pk, pick in by_id.items():
        # A trace whose week was dropped meanwhile is no more.
        if trace := traces.get(pk):
            report = sample.slices[int(sample.pool.slice[pick.place]) - 1] if pick.policy == DRIFT else None
            yield opening.Wanted(trace, pick.policy, pick.policies, pick.probability, run, report, sample.plan.queue)


def _stamp(sample: Sample) -> None:
    """A step: earlier cases that these policies would have picked are stamped so (see `queues.sampling.drawing`)."""
    for part in _parts(sample.drawn.again):
        by_id: dict[UUID, Again] = dict(zip(reading.ids(sample.pool, [one.place for one in part]), part, strict=True))
        rows = Sampled.objects.select_for_update().filter(tenant=sample.plan.tenant, trace_id__in=by_id)
        changed = []
        for row in rows:
            one = by_id[row.trace_id]
            policies = {**row.policies, **one.policies}
            probability = max(row.probability or 0.0, one.probability)
            if (policies, probability) != (row.policies, row.probability):
                row.policies, row.probability = policies, probability
                changed.append(row)
        Sampled.objects.bulk_update(changed, ["policies", "probability"])


def _first_of_each(tried: Sample) -> list[tuple[UUID, Pick]]:
    given: dict[str, int] = {}
    first = []
    for pick in tried.drawn.picks:
        given[pick.policy] = given.get(pick.policy, 0) + 1
        if given[pick.policy] <= SHOWN_OF_EACH:
            first.append(pick)
    return list(zip(reading.ids(tried.pool, [pick.place for pick in first]), first, strict=True))


def _parts(whole: Sequence[T]) -> Iterator[Sequence[T]]:
    return (whole[begin : begin + AT_ONCE] for begin in range(0, len(whole), AT_ONCE))


def _traces(count: int) -> str:
    return f"{count:,} {'trace' if count == 1 else 'traces'}"
