"""What a trace's signals come to: how many, what they count for together, and whether one is negative or an edit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from hitl.database import arrays
from queues.traces.weights import EDITS, LOW, NEGATIVE, RATING, is_negative


@dataclass(slots=True)
class Sum:
    """What signals that were just added to a trace come to."""

    signals: int = 0
    weight: float = 0.0
    is_negative: bool = False
    is_edited: bool = False


def count(into: Sum, type: str, value: float | None, weight: float, *, has_text: bool) -> None:
    """One signal more. An edit counts as one once there is a text that differs."""
    into.signals += 1
    into.weight += weight
    into.is_negative = into.is_negative or is_negative(type, value)
    into.is_edited = into.is_edited or (type in EDITS and value != 0 and has_text)


def add(sums: Iterable[tuple[UUID, Sum]]) -> None:
    """Step: signals were added to these traces, whose rows the caller has locked (see `lock`)."""
    rows = list(sums)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD,
            [
                arrays.uuids(id for id, _ in rows),
                arrays.numbers(one.signals for _, one in rows),
                arrays.numbers(one.weight for _, one in rows),
                arrays.flags(one.is_negative for _, one in rows),
                arrays.flags(one.is_edited for _, one in rows),
            ],
        )


def lock(ids: Iterable[UUID]) -> None:
    """Step: nobody else changes these traces' sums until the transaction ends. In the order of their ids, so that two
    requests with signals on the same traces never wait for each other for ever.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [arrays.uuids(ids)])


def recompute(ids: Sequence[UUID]) -> None:
    """Step: the sums of these traces anew, from the signals they have. Those that were withdrawn count no more."""
    if not ids:
        return
    lock(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            _RECOMPUTE,
            {"ids": list(ids), "edits": sorted(EDITS), "negative": sorted(NEGATIVE), "rating": RATING, "low": LOW},
        )


_LOCK: Final = """
select count(*) from (select from queues_trace where id = any(%s::uuid[]) order by id for no key update) held
"""

_ADD: Final = """
update queues_trace trace set signals = trace.signals + added.signals, weight = trace.weight + added.weight,
  is_negative = trace.is_negative or added.is_negative, is_edited = trace.is_edited or added.is_edited
from unnest(%s::uuid[], %s::int[], %s::float8[], %s::bool[], %s::bool[])
  as added (id, signals, weight, is_negative, is_edited)
where trace.id = added.id
"""

_RECOMPUTE: Final = """
update queues_trace trace set signals = found.signals, weight = found.weight, is_negative = found.is_negative,
  is_edited = found.is_edited
from (
  select wanted.id, count(signal.id) as signals, coalesce(sum(signal.weight), 0) as weight,
    coalesce(bool_or(signal.type = any(%(negative)s) or (signal.type = %(rating)s and signal.value <= %(low)s)), false)
      as is_negative,
    coalesce(bool_or(signal.type = any(%(edits)s) and signal.value is distinct from 0 and signal.text <> ''),
      false) as is_edited
  from unnest(%(ids)s::uuid[]) as wanted (id)
  left join queues_signal signal on signal.trace_id = wanted.id and signal.withdrawn_at is null
  group by wanted.id
) found
where trace.id = found.id
"""
