"""What signals count for is changed: from now on, and on all that is kept, which the worker sums up anew."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from hitl.audit import log
from hitl.database.uuid7 import floor
from hitl.jobs import progress as jobs
from hitl.models import Tenant, User
from queues.models import IntakeSettings, SignalWeights, Trace
from queues.traces import weighing

TASK: Final = "queues.traces.reweighing.run"
# Traces of one transaction: a fraction of a second, so that no new signal waits for long.
AT_A_TIME: Final = 1_000


class Overtaken(Exception):
    """Somebody changed the weights after the revision that this change began with."""


@transaction.atomic
def change(
    *,
    tenant: Tenant,
    changed: Mapping[str, float],
    measured: Mapping[str, Any],
    because: str,
    by: User,
    after: int,
    now: datetime,
) -> SignalWeights:
    """The next revision: these kinds count for so much, others for what they did. Raises Overtaken, and ValueError for
    a weight beyond -1 and 1.
    """
    if any(not -1 <= weight <= 1 for weight in changed.values()):
        raise ValueError("A weight is from -1 to 1.")
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    before = SignalWeights.objects.filter(tenant=tenant).order_by("-revision").first()
    if (before.revision if before else 0) != after:
        raise Overtaken
    revision = SignalWeights.objects.create(
        tenant=tenant,
        revision=after + 1,
        weights={**(before.weights if before else {}), **changed},
        measured=dict(measured),
        because=because[:500],
        by=by,
        at=now,
    )
    job = jobs.start(
        kind=f"reweigh:{tenant.pk}",
        title=f"Weighing the traces of {tenant.name} anew",
        tenant=tenant,
        user=by,
        task=TASK,
        args=[tenant.pk],
    )
    log.append(
        actor=by,
        action="signals.weighed",
        subject=f"tenant:{tenant.pk}",
        tenant_id=tenant.pk,
        detail={"revision": revision.revision, "weights": dict(changed), "because": because[:500], "job": job.pk},
    )
    return revision


def run(job_id: int, tenant_id: int) -> None:
    """The worker's part: every trace that has signals, by the weights as they are then. It may run twice.

    Signals that still wait for their trace are weighed when it comes.
    """
    tenant = Tenant.objects.get(pk=tenant_id)
    last = floor(timezone.now() - timedelta(days=IntakeSettings.of(tenant).trace_days))
    seen = moved = 0
    while traces := _next(tenant, last):
        with transaction.atomic():
            moved += weighing.reweigh(tenant, traces)
        seen, last = seen + len(traces), traces[-1]
        jobs.advance(job_id, seen)
    said = (
        f"{moved:,} signals on {seen:,} traces count for something else now." if moved else "Nothing counts otherwise."
    )
    jobs.finish(job_id, {"sentence": said})


def _next(tenant: Tenant, last: UUID) -> list[UUID]:
    found = Trace.objects.filter(tenant=tenant, pk__gt=last, signals__gt=0).order_by("pk")
    return list(found.values_list("pk", flat=True)[:AT_A_TIME])
