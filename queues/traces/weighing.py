"""Weighs the signals of traces against the traces as they are: what an edit changed, how strange a stay was."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from hitl.database import arrays
from hitl.models import Tenant
from queues.traces import aggregates, dwell, weights
from queues.traces.editing import difference
from queues.traces.weights import DWELL, EDITS, Weights


class Against(NamedTuple):
    """The part of a trace that its signals are held against; `median`: how long its topic's users usually stay."""

    output: str
    median: float | None


class Weighed(NamedTuple):
    """What a signal comes to. `changed` is the difference that an edit made."""

    value: float | None
    changed: list[list[Any]] | None
    weight: float


ALONE: Final = Against("", None)


def weigh(type: str, value: float | None, reason: str, text: str, against: Against | None, by: Weights) -> Weighed:
    """One signal; `against` is None where its trace has not come."""
    changed = None
    if against and text and type in EDITS:
        found = difference(against.output, text)
        value, changed = found.share, found.steps
    return Weighed(value, changed, by.of(type, value, against.median if against else None, reason))


def against(tenant: Tenant, ids: Sequence[UUID]) -> dict[UUID, Against]:
    """What edits and stays on these traces are held against."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("select id, output, topic from queues_trace where id = any(%s::uuid[])", [arrays.uuids(ids)])
        rows = cursor.fetchall()
    medians = dwell.medians(tenant, [topic for _, _, topic in rows])
    return {id: Against(output, medians.get(topic)) for id, output, topic in rows}


def reweigh(tenant: Tenant, ids: Sequence[UUID]) -> int:
    """Step: all signals of these traces anew, by the weights that hold now and the traces as they are now, and the sums
    of the traces with them. How many signals that changed.

    For signals that have just found their trace, an output that has grown, and weights that were changed. At most some
    thousand traces at a time.
    """
    if not ids:
        return 0
    aggregates.lock(ids)
    with connection.cursor() as cursor:
        cursor.execute(_SIGNALS, [arrays.uuids(ids)])
        signals = cursor.fetchall()
        held = against(tenant, sorted({trace for _, trace, type, *_ in signals if type in EDITS or type == DWELL}))
        by = weights.of(tenant)
        changed = []
        for id, trace, type, value, reason, text, has_difference, weight in signals:
            new = weigh(type, value, reason, text, held.get(trace, ALONE), by)
            if new.weight != weight or new.value != value or (new.changed is not None and not has_difference):
                changed.append((id, new))
        if changed:
            cursor.execute(
                _CHANGE,
                [
                    arrays.uuids(id for id, _ in changed),
                    [new.value for _, new in changed],
                    arrays.numbers(new.weight for _, new in changed),
                    [
                        None if new.changed is None else json.dumps(new.changed, ensure_ascii=False)
                        for _, new in changed
                    ],
                ],
            )
    aggregates.recompute(ids)
    return len(changed)


_SIGNALS: Final = f"""
select id, trace_id, type, value, reason, case when type in ({", ".join(f"'{type}'" for type in sorted(EDITS))})
  then text else '' end, difference is not null, weight
from queues_signal where trace_id = any(%s::uuid[])
"""  # noqa: S608 -- names of types

_CHANGE: Final = """
update queues_signal signal set value = new.value, weight = new.weight,
  difference = coalesce(new.difference::jsonb, signal.difference)
from unnest(%s::uuid[], %s::float8[], %s::float8[], %s::text[]) as new (id, value, weight, difference)
where signal.id = new.id
"""
