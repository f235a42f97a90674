"""Signals that came before their trace: they wait for it under the name that its producer gives it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from hitl.database import arrays
from hitl.models import Tenant
from queues.traces import aggregates, taken_back, weighing
from queues.traces.weights import DWELL, EDITS

# A signal and its trace may come at the same moment, and neither see the other: looked for again for as long.
JUST_NOW: Final = timedelta(minutes=10)
LATELY: Final = timedelta(days=1)
AT_ONCE: Final = 2_000


def attach(tenant: Tenant, found: Mapping[str, UUID]) -> int:
    """Step: signals that waited for these traces, which have just come, are theirs; how many. The sums of the traces
    follow. Whoever calls it may hold the traces, and no signal.
    """
    if not found:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_ANY, [tenant.pk, arrays.texts(found), tenant.pk])
        refs = [ref for (ref,) in cursor.fetchall()]
        if not refs:
            return 0
        ids = [found[ref] for ref in refs]
        aggregates.lock(ids)
        cursor.execute(_ATTACH, [arrays.texts(refs), arrays.uuids(ids), tenant.pk])
        attached = cursor.fetchall()
    traces = sorted({trace for trace, _ in attached})
    taken_back.held_to(traces)
    held_against_it = {trace for trace, type in attached if type in EDITS or type == DWELL}
    weighing.reweigh(tenant, sorted(held_against_it))
    aggregates.recompute([trace for trace in traces if trace not in held_against_it])
    return len(attached)


def join_just_now(now: datetime) -> int:
    """Signals that came a moment ago, as their trace did: how many were given to it."""
    return _join(now - JUST_NOW)


def join_late(now: datetime) -> int:
    """Those of the last day: what was missed while nothing ticked."""
    return _join(now - LATELY)


def _join(since: datetime) -> int:
    """A lot at a time, each its own transaction."""
    joined = 0
    with connection.cursor() as cursor:
        cursor.execute(_LATE, [since])
        late: dict[int, dict[str, UUID]] = {}
        for tenant, ref, id in cursor.fetchall():
            late.setdefault(tenant, {})[ref] = id
    for tenant in Tenant.objects.filter(pk__in=late):
        found = list(late[tenant.pk].items())
        for start in range(0, len(found), AT_ONCE):
            with transaction.atomic():
                joined += attach(tenant, dict(found[start : start + AT_ONCE]))
    return joined


# Most tenants have nothing that waits, which is known at once.
_ANY: Final = """
select distinct ref from unnest(
  case when exists (select from queues_signal where tenant_id = %s and trace_id is null) then %s::text[] end
) as wanted (ref)
where exists (select from queues_signal where tenant_id = %s and trace_ref = wanted.ref and trace_id is null)
"""
_ATTACH: Final = """
update queues_signal waiting set trace_id = found.id
from unnest(%s::text[], %s::uuid[]) as found (ref, id)
where waiting.tenant_id = %s and waiting.trace_id is null and waiting.trace_ref = found.ref
returning waiting.trace_id, waiting.type
"""
_LATE: Final = """
select distinct waiting.tenant_id, waiting.trace_ref, came.object_uuid
from queues_signal waiting join queues_receipt came
  on came.tenant_id = waiting.tenant_id and came.kind = 'trace' and came.external_id = waiting.trace_ref
where waiting.trace_id is null and waiting.received_at > %s and came.object_uuid is not null
order by 1, 2 limit 100000
"""
