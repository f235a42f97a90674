"""Reads a window of traffic as columns of numbers: what the sampler needs of a million traces, and no text of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.backends.postgresql.psycopg_any import mogrify

from hitl.database.uuid7 import floor
from hitl.models import Tenant
from queues.models import DriftReport, SamplingPlan
from queues.sampling.plans import Window
from queues.sampling.policies import Pool

# A trace may have begun a little after it came in, by the clock of the machine that sent it.
CLOCKS_DIFFER: Final = timedelta(hours=1)
# "The next traces" of a slice: a detector looks back before it speaks.
BEFORE_REPORT: Final = timedelta(days=1)
CHUNK: Final = 4 * 1024 * 1024
NEGATIVE, EDITED, FRESH, CASE = 1, 2, 4, 8

# COPY's binary form of rows without nulls and of fixed width: a count of fields, and each with its length before it.
_HEADER: Final = 19
_FIELDS: Final = (
    ("high", ">u8", 16), ("low", ">u8", 0), ("topic", ">i8", 8), ("user", ">i8", 8), ("weight", ">f4", 4),
    ("distance", ">f4", 4), ("slice", ">i2", 2), ("flags", ">i2", 2),
)  # fmt: skip
_ROW: Final = np.dtype(
    [("fields", ">i2")]
    + [
        part
        for name, kind, length in _FIELDS
        for part in ([(f"{name}_length", ">i4"), (name, kind)] if length else [(name, kind)])
    ]
)
_PLAIN: Final = {
    "high": np.uint64, "low": np.uint64, "topic": np.int64, "user": np.int64, "weight": np.float32,
    "distance": np.float32, "slice": np.int16, "flags": np.int16,
}  # fmt: skip


def read(tenant: Tenant, plan: SamplingPlan, window: Window, reports: Sequence[DriftReport]) -> Pool:
    """The traces of the window that any policy may pick: one statement, read as it comes.

    Left out is what production escalated: it is a case already. `reports`, in their order, are the slices from 1 on.
    """
    slices, values = _slices(reports)
    judged = "and judge = %(judge)s" if plan.judge else ""
    score = _NAMED if plan.judge else _ANY
    statement = _READ.format(slices=slices, judged=judged, score=score)
    asked: dict[str, Any] = {
        "tenant": tenant.pk,
        "from": floor(window.look_back),
        "to": floor(window.until + CLOCKS_DIFFER),
        "look_back": window.look_back,
        "since": window.since,
        "until": window.until,
        "judge": plan.judge,
        "threshold": plan.threshold,
        "width": plan.width,
        **values,
    }
    # COPY takes no parameters of the server's, and Django's cursor for tests none at all.
    with connection.cursor() as cursor, cursor.copy(mogrify(statement, asked, connection)) as copy:
        return columns(copy)


def ids(pool: Pool, places: Iterable[int]) -> list[UUID]:
    """The traces' ids, by place."""
    return [UUID(int=int(pool.high[place]) << 64 | int(pool.low[place])) for place in places]


def columns(blocks: Iterable[bytes | memoryview]) -> Pool:
    """The columns out of what COPY gives in its binary form, however it is cut into blocks."""
    found: dict[str, list[np.ndarray[Any, Any]]] = {name: [] for name in _PLAIN}
    buffer, skip = bytearray(), _HEADER
    for block in blocks:
        buffer += block
        if len(buffer) >= CHUNK:
            skip = _take(buffer, skip, found)
    _take(buffer, skip, found)
    one = {name: np.concatenate(parts) if parts else np.empty(0, _PLAIN[name]) for name, parts in found.items()}
    flags = one.pop("flags")
    return Pool(
        **one,
        is_negative=(flags & NEGATIVE).astype(bool),
        is_edited=(flags & EDITED).astype(bool),
        is_fresh=(flags & FRESH).astype(bool),
        is_case=(flags & CASE).astype(bool),
    )


def _take(buffer: bytearray, skip: int, found: dict[str, list[np.ndarray[Any, Any]]]) -> int:
    """Moves whole rows out of the buffer; returns what is to be skipped of the rest."""
    count = max(0, (len(buffer) - skip) // _ROW.itemsize)
    rows = np.frombuffer(bytes(buffer[skip : skip + count * _ROW.itemsize]), _ROW, count)
    for name, kind in _PLAIN.items():
        found[name].append(rows[name].astype(kind))
    del buffer[: skip + count * _ROW.itemsize]
    return 0


def _slices(reports: Sequence[DriftReport]) -> tuple[str, dict[str, Any]]:
    """Which report a trace is of, the first that fits, as a CASE; and the values in it."""
    whens, values = [], {}
    for number, report in enumerate(reports, 1):
        parts = []
        for name in ("topic", "model", "prompt_version", "release"):
            if given := getattr(report, name):
                values[f"{name}_{number}"] = given
                parts.append(f"lower(t.{name}) = lower(%({name}_{number})s)")
        if report.language:
            values[f"language_{number}"] = report.language
            parts.append(f"%(language_{number})s in (t.language, split_part(t.language, '-', 1))")
        if report.trace_refs:
            values[f"refs_{number}"] = report.trace_refs
            parts.append(f"t.external_id = any(%(refs_{number})s::text[])")
        else:
            values[f"from_{number}"] = floor(_next_of(report.at))
            parts.append(f"t.id >= %(from_{number})s")
        whens.append(f"when {' and '.join(parts)} then {number}")
    return (f"case {' '.join(whens)} else 0 end" if whens else "0"), values


def _next_of(at: datetime) -> datetime:
    return at - BEFORE_REPORT


_NAMED: Final = """
case jsonb_typeof(t.scores -> %(judge)s) when 'number'
  then abs((t.scores -> %(judge)s)::float8 - %(threshold)s::float8) end
"""
_ANY: Final = """
case when t.scores <> '{}' then (
  select min(abs(value::float8 - %(threshold)s::float8)) from jsonb_each(t.scores) where jsonb_typeof(value) = 'number'
) end
"""
_READ: Final = """
copy (
  with judged as materialized (
    select trace_id, min(abs(score - %(threshold)s::float8)) as distance from queues_judgeverdict
    where tenant_id = %(tenant)s and trace_id <> '' and score is not null and received_at >= %(look_back)s {judged}
    group by trace_id
  ), escalated as materialized (
    select distinct trace_id from queues_case
    where tenant_id = %(tenant)s and trace_id <> '' and origin = 'escalation' and received_at >= %(look_back)s
  ), seen as (
    select t.id, t.topic, t.user_key, t.weight, least({score}, judged.distance) as distance, {slices} as slice,
      t.is_negative, t.is_edited, t.received_at >= %(since)s as is_fresh, sampled.trace_id is not null as is_case
    from queues_trace t
    left join judged on judged.trace_id = t.external_id
    left join escalated on escalated.trace_id = t.external_id
    left join queues_sampled sampled on sampled.tenant_id = %(tenant)s and sampled.trace_id = t.id
    where t.tenant_id = %(tenant)s and t.id >= %(from)s and t.id < %(to)s and t.received_at < %(until)s
      and escalated.trace_id is null
  )
  select id, hashtextextended(topic, 0), case user_key when '' then 0 else hashtextextended(user_key, 0) end,
    weight::float4, coalesce(distance, 'infinity')::float4, slice::int2,
    (is_negative::int + 2 * is_edited::int + 4 * is_fresh::int + 8 * is_case::int)::int2
  from seen
  where is_fresh or is_negative or is_edited or slice > 0 or distance <= %(width)s
) to stdout (format binary)
"""
