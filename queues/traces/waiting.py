"""Signals that came before their trace: they wait for it under the name that its producer gives it."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.db import connection

from hitl.models import Tenant
from queues.traces import aggregates


def attach(tenant: Tenant, found: Mapping[str, UUID]) -> int:
    """Step: signals that waited for these traces, which have just come, are theirs; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_ATTACH, [list(found), list(found.values()), tenant.pk])
        traces = [id for (id,) in cursor.fetchall()]
    aggregates.recompute(sorted(set(traces)))
    return len(traces)


_ATTACH: Final = """
update queues_signal waiting set trace_id = found.id
from unnest(%s::text[], %s::uuid[]) as found (ref, id)
where waiting.tenant_id = %s and waiting.trace_id is null and waiting.trace_ref = found.ref
returning waiting.trace_id
"""
