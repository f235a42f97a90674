"""Where spans and the traces put together of them lie in the database; who holds a trace's receipt adds to it alone."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from pydantic_core import from_json, to_json

from hitl.database import arrays
from hitl.models import Tenant
from queues.traces import partitions
from queues.traces.assembling import Assembled
from queues.traces.known import KIND
from queues.traces.steps import Step

# Of the receipt of a trace that spans made; a digest is longer.
BY_SPANS: Final = b"spans"
JSON: Final = ("conversation", "documents", "tools", "scores", "metadata")
FIELDS: Final = tuple(field.name for field in fields(Assembled))
TYPES: Final = {"at": "timestamptz", "latency_ms": "integer"}


class Kept(NamedTuple):
    """A trace by its receipt. `whole`: it did not come by spans."""

    id: UUID
    is_new: bool
    whole: bool


def make_room(moments: Iterable[datetime]) -> None:
    """Partitions for the weeks of these moments, where there are none yet."""
    mondays = {moment.date() - timedelta(days=moment.weekday()): moment for moment in moments}
    for moment in mondays.values():
        partitions.ensure(moment, moment)


def hold(wanted: Mapping[str, UUID], *, tenant: Tenant, now: datetime) -> dict[str, Kept]:
    """Step: the traces of these names, each held until the transaction ends; a new one gets the id that is wanted.

    First all that are new, then all that are known, both in the order of their names: two requests wait for each other
    and never both for the other.
    """
    names = sorted(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into queues_receipt (tenant_id, kind, external_id, digest, object_uuid, received_at)"
            " select %s, %s, external_id, %s, object_uuid, %s"
            " from unnest(%s::text[], %s::uuid[]) as wanted (external_id, object_uuid)"
            " order by external_id on conflict (tenant_id, kind, external_id) do nothing returning external_id",
            [tenant.pk, KIND, BY_SPANS, now, arrays.texts(names), arrays.uuids(wanted[name] for name in names)],
        )
        new = {name for (name,) in cursor.fetchall()}
        held = {name: Kept(wanted[name], True, False) for name in new}
        if known := [name for name in names if name not in new]:
            cursor.execute(
                "select external_id, object_uuid, digest from queues_receipt"
                " where tenant_id = %s and kind = %s and external_id = any(%s::text[])"
                " order by external_id for no key update",
                [tenant.pk, KIND, arrays.texts(known)],
            )
            held |= {name: Kept(id, False, bytes(digest) != BY_SPANS) for name, id, digest in cursor.fetchall()}
    return held


def sizes(traces: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """How many spans there are of these traces, and how many bytes they hold."""
    if not traces:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select trace_id, count(*), sum(octet_length(content::text)) from queues_span"
            " where trace_id = any(%s::uuid[]) and trace_id between %s and %s group by trace_id",
            [arrays.uuids(traces), min(traces), max(traces)],
        )
        return {trace: (count, int(size)) for trace, count, size in cursor.fetchall()}


def steps(traces: list[UUID]) -> dict[UUID, dict[str, Step]]:
    """What is kept of these traces, by span."""
    found: defaultdict[UUID, dict[str, Step]] = defaultdict(dict)
    if traces:
        with connection.cursor() as cursor:
            cursor.execute(
                "select trace_id, span_id, started_at, parent_id, kind, name, ended_at, content from queues_span"
                " where trace_id = any(%s::uuid[]) and trace_id between %s and %s",
                [arrays.uuids(traces), min(traces), max(traces)],
            )
            for trace, span, started_at, parent, kind, name, ended_at, content in cursor.fetchall():
                found[trace][span] = Step(span, started_at, parent, kind, name, ended_at, from_json(content))
    return found


def grown(outputs: Mapping[UUID, str]) -> list[UUID]:
    """Those of these traces that have signals on an output which is another now."""
    if not outputs:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "select id, output from queues_trace where id = any(%s::uuid[]) and id between %s and %s and signals > 0",
            [arrays.uuids(outputs), min(outputs), max(outputs)],
        )
        return sorted(trace for trace, output in cursor.fetchall() if output != outputs[trace])


def store(
    spans: Sequence[tuple[UUID, Step]],
    traces: Collection[tuple[UUID, str, Assembled]],
    *,
    tenant: Tenant,
    now: datetime,
    door: str,
) -> None:
    """Step: these spans and traces as they are now, whether they were there before or not."""
    if not spans:
        return
    steps = [step for _, step in spans]
    with connection.cursor() as cursor:
        cursor.execute(
            _SPANS,
            [
                tenant.pk,
                now,
                arrays.uuids(trace for trace, _ in spans),
                arrays.texts(step.span for step in steps),
                arrays.texts(step.parent for step in steps),
                arrays.texts(step.kind for step in steps),
                arrays.texts(step.name for step in steps),
                _array(step.started_at for step in steps),
                _array(step.ended_at for step in steps),
                arrays.texts(_json(step.content) for step in steps),
            ],
        )
        if not traces:
            return
        ordered = sorted(traces, key=lambda trace: trace[0])
        cursor.execute(
            _TRACES,
            [
                tenant.pk,
                door,
                now,
                arrays.uuids(id for id, _, _ in ordered),
                arrays.texts(name for _, name, _ in ordered),
                *(_column(name, [made for _, _, made in ordered]) for name in FIELDS),
            ],
        )


def _column(name: str, traces: Iterable[Assembled]) -> str:
    values = (getattr(trace, name) for trace in traces)
    if name in TYPES:
        return _array(values)
    return arrays.texts(_json(value) for value in values) if name in JSON else arrays.texts(values)


def _array(values: Iterable[datetime | int | None]) -> str:
    """Moments or numbers, of which some may be missing, as a parameter with a cast."""
    return "{" + ",".join(["NULL" if value is None else f'"{value}"' for value in values]) + "}"


def _json(value: Any) -> str:
    return to_json(value, inf_nan_mode="null").decode()


_SPANS: Final = """
insert into queues_span (tenant_id, received_at, trace_id, span_id, parent_id, kind, name, started_at, ended_at,
  content)
select %s, %s, trace_id, span_id, parent_id, kind, name, started_at, ended_at, content::jsonb
from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
  %s::text[]) as given (trace_id, span_id, parent_id, kind, name, started_at, ended_at, content)
on conflict (trace_id, span_id) do update set parent_id = excluded.parent_id, kind = excluded.kind,
  name = excluded.name, started_at = excluded.started_at, ended_at = excluded.ended_at, content = excluded.content
"""

_QUOTED: Final = [f'"{name}"' for name in FIELDS]
_READ: Final = [f'"{name}"::jsonb' if name in JSON else f'"{name}"' for name in FIELDS]
_TRACES: Final = f"""
insert into queues_trace (tenant_id, source, received_at, id, external_id, {", ".join(_QUOTED)}, signals, weight,
  is_negative, is_edited)
select %s, %s, %s, id, external_id, {", ".join(_READ)}, 0, 0, false, false
from unnest(%s::uuid[], %s::text[], {", ".join(f"%s::{TYPES.get(name, 'text')}[]" for name in FIELDS)})
  as given (id, external_id, {", ".join(_QUOTED)})
on conflict (id) do update set {", ".join(f"{quoted} = excluded.{quoted}" for quoted in _QUOTED)}
"""  # noqa: S608 -- names of columns
