"""As deadlines come nearer, what waits moves forward in its lane. The tick calls this, by the database's time."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from django.db import connection, transaction

from queues.clock import CHUNK
from queues.priority import UNTIL_DUE, priority
from queues.risk import Risk

# Longer than from one round to the next, so that no slot slips through between two of them.
LATELY: Final = timedelta(minutes=3)


def catch_up(now: datetime) -> int:
    """Looks at every slot that is due soon: for when the tick has stood still, or a slot was held meanwhile."""
    return _all(now, None)


def move_forward(now: datetime) -> int:
    """Looks only at slots that came nearer than one of the steps of UNTIL_DUE lately; returns how many moved."""
    return _all(now, LATELY)


def _all(now: datetime, lately: timedelta | None) -> int:
    moved = 0
    while (chunk := _chunk(now, lately)) == CHUNK:
        moved += chunk
    return moved + chunk


@transaction.atomic
def _chunk(now: datetime, lately: timedelta | None) -> int:
    """One short transaction; slots only ever move forward, so the next finds the rest."""
    steps = [minutes for minutes, _ in UNTIL_DUE]
    wanted = [
        (
            now + timedelta(minutes=max(since, until - lately.total_seconds() / 60) if lately else since),
            now + timedelta(minutes=until),
            risk.value,
            mood,
            priority(risk=risk, minutes_left=until, signal_weight=mood),
        )
        for since, until in pairwise(steps)
        for risk in Risk
        for mood in (-1, 0, 1)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [*map(list, zip(*wanted, strict=True)), CHUNK])
        return cursor.rowcount


# A user's rating is what is known of their mood as a case comes in: 3 of 5 says nothing either way.
_MOVE: Final = """
with step as (
  select * from unnest(%s::timestamptz[], %s::timestamptz[], %s::int[], %s::int[], %s::int[])
    as step (after, until, risk, mood, priority)
), band as (
  select distinct after, until from step
), near as (
  select slot.id, slot.case_id, slot.priority, band.until
  from band join queues_slot slot
    on slot.state in ('open', 'deferred') and not slot.overdue
    and slot.due_at > band.after and slot.due_at <= band.until
), late as (
  select near.id, step.priority
  from near
  join queues_case waiting on waiting.id = near.case_id
  join step on step.until = near.until and step.risk = waiting.risk
    and step.mood = coalesce(sign((waiting.assessment -> 'sent' ->> 'user_rating')::float - 3), 0)
  where near.priority > step.priority
  limit %s
), mine as (
  select slot.id, late.priority from queues_slot slot join late on late.id = slot.id
  where slot.state in ('open', 'deferred') for no key update of slot skip locked
)
update queues_slot slot set priority = mine.priority from mine where slot.id = mine.id and slot.priority > mine.priority
"""
