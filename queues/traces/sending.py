"""Traces that a lead sends to a queue by hand: they become cases, outside of what the sampler counts by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from hitl.audit import log
from hitl.models import Tenant, User
from queues.models import Case, Queue, Sampled, Trace
from queues.sampling.opening import Wanted, open_cases

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """The cases that were opened; `already` were cases before, `unrouted` found no queue by the rules."""

    cases: Sequence[Case]
    already: int

    @property
    def unrouted(self) -> int:
        return sum(case.queue_id is None for case in self.cases)


@transaction.atomic
def send(*, tenant: Tenant, traces: Sequence[UUID], queue: Queue | None, by: User, now: datetime) -> Sent:
    """Opens a case for each of these traces, at most AT_ONCE: in the queue, or where the rules lead. One that is a case
    already, be it that it was escalated, stays as it is.
    """
    wanted = list(Trace.objects.filter(tenant=tenant, pk__in=list(traces)[:AT_ONCE]).order_by("pk"))
    refs = [trace.external_id for trace in wanted]
    known = set(Case.objects.filter(tenant=tenant, trace_id__in=refs).values_list("trace_id", flat=True))
    fresh = [trace for trace in wanted if trace.external_id not in known]
    cases = open_cases(
        [Wanted(trace, Sampled.Policy.BY_HAND, {}, None, queue=queue) for trace in fresh], tenant=tenant, now=now
    )
    if cases:
        log.append(
            actor=by,
            action="traces.sent",
            subject=f"queue:{queue.pk}" if queue else f"tenant:{tenant.pk}",
            tenant_id=tenant.pk,
            queue_id=queue.pk if queue else None,
            detail={"cases": [case.pk for case in cases], **({} if queue else {"where": "by the rules"})},
        )
    return Sent(cases, len(wanted) - len(cases))
