"""When samples are drawn: each day at the plan's hour, and when a lead says so. The drawing is the worker's.

Light, since the tick loads it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from json import dumps
from typing import Any, Final

from django.db import transaction
from django.db.models import Min

from hitl.audit import log
from hitl.jobs import progress
from hitl.models import Job, Tenant, User
from queues.models import SamplingPlan
from queues.sampling import plans

MODULE: Final = "queues.sampling.running"
# What failed is not tried again at every tick.
AGAIN_AFTER: Final = timedelta(minutes=15)


def draw_due(now: datetime) -> int:
    """A chore: starts the day's draw of each tenant whose plan's hour has come; how many it started.

    After a downtime the last draw that was missed is made up for. Each day of a tenant is drawn once (the run is
    unique), so it does no harm to start it twice.
    """
    started = 0
    first = dict(SamplingPlan.objects.values_list("tenant").annotate(Min("at")))
    for plan in plans.all_current():
        moment = plans.due(plan, first[plan.tenant_id], now)
        if moment is None or _tried_lately(plan.tenant, now):
            continue
        started += _start(plan.tenant, None, "run_day", [moment.date().isoformat()])[1]
    return started


@transaction.atomic
def draw_now(*, tenant: Tenant, by: User) -> Job:
    """Draw a day's budget now, from what came in since the last sample. While one is drawn, that one is the job."""
    job, is_new = _start(tenant, by, "run_now", [])
    if is_new:
        log.append(
            actor=by, action="sampling.asked_for", subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk,
            detail={"job": job.pk},
        )  # fmt: skip
    return job


def try_out(*, tenant: Tenant, change: Mapping[str, Any], by: User) -> Job:
    """See what a plan with these fields would pick now: `change` as JSON, with the id of the queue. Stores nothing."""
    mark = sha256(dumps(change, sort_keys=True).encode()).hexdigest()[:12]
    job, _ = progress.start_once(
        kind=f"sampling_trial:{tenant.pk}:{by.pk}:{mark}",
        title=f"What the sampler would pick in {tenant.name}",
        user=by,
        task=f"{MODULE}.try_out",
        args=[tenant.pk, dict(change)],
    )
    return job


def running(tenant: Tenant) -> Job | None:
    """The job that draws a sample now."""
    return progress.running(_kind(tenant))


def trial(tenant: Tenant, by: User, pk: str) -> Job | None:
    """A trial of this person's, by its number as it came in an address."""
    if not pk.isdecimal() or len(pk) > 18:
        return None
    return Job.objects.filter(pk=pk, kind__startswith=f"sampling_trial:{tenant.pk}:{by.pk}:").first()


def _start(tenant: Tenant, by: User | None, task: str, args: list[Any]) -> tuple[Job, bool]:
    return progress.start_once(
        kind=_kind(tenant), title=f"Draw a sample in {tenant.name}", user=by, task=f"{MODULE}.{task}",
        args=[tenant.pk, *args],
    )  # fmt: skip


def _tried_lately(tenant: Tenant, now: datetime) -> bool:
    return Job.objects.filter(kind=_kind(tenant), created_at__gt=now - AGAIN_AFTER).exists()


def _kind(tenant: Tenant) -> str:
    return f"sampling:{tenant.pk}"
