"""Counts of each lane, kept beside it, so that no page counts a million slots and no decision updates a counter."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction


def refresh_rollups(now: datetime) -> None:
    """All that a lane's rollup says. Two short statements; see them apart for how often each is worth its while."""
    count_lanes(now=now)
    find_untakeable(now=now)


@transaction.atomic
def count_lanes(now: datetime) -> None:
    """What waits, is held, is put aside, is late, or due within the hour: from indexes, 0.2 s for a million slots."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": now})


@transaction.atomic
def find_untakeable(now: datetime) -> None:
    """How many waiting slots nobody may take: no person fits the lane, all who do are barred, or the one it was passed
    to can't take it any more. Reads every waiting slot with somebody barred, so it is for once a minute.
    """
    with connection.cursor() as cursor:
        cursor.execute(_UNTAKEABLE, {"now": now})


_COUNT: Final = """
insert into queues_lanerollup as known (
  lane_id, waiting, held, deferred, overdue, due_soon, oldest_at, next_due_at, untakeable, at)
with aside as (
  select lane_id, state, lease_until < %(now)s as free, overdue, due_at, id from queues_slot where state = 'held'
  union all
  select lane_id, state, false, overdue, due_at, id from queues_slot where state = 'deferred'
  union all
  select lane_id, state, true, overdue, due_at, id from queues_slot
  where state = 'open' and reserved_for_id is not null
), few as (
  select lane_id,
    count(*) filter (where free) as waiting,
    count(*) filter (where state = 'held' and not free) as held,
    count(*) filter (where state = 'deferred') as deferred,
    count(*) filter (where overdue or due_at < %(now)s) as overdue,
    count(*) filter (where due_at >= %(now)s and due_at < %(now)s + interval '1 hour') as due_soon,
    min(due_at) filter (where due_at >= %(now)s) as next_due_at,
    min(id) filter (where free) as first
  from aside group by lane_id
)
select lane.id, many.waiting + coalesce(few.waiting, 0), coalesce(few.held, 0), coalesce(few.deferred, 0),
  many.overdue + coalesce(few.overdue, 0), many.due_soon + coalesce(few.due_soon, 0),
  (select created_at from queues_slot where id = least(many.first, few.first)),
  least(many.next_due_at, few.next_due_at), 0, %(now)s
from queues_lane lane
cross join lateral (
  select count(*) as waiting,
    count(*) filter (where overdue or due_at < %(now)s) as overdue,
    count(*) filter (where due_at >= %(now)s and due_at < %(now)s + interval '1 hour') as due_soon,
    min(due_at) filter (where due_at >= %(now)s) as next_due_at,
    min(id) as first
  from queues_slot where lane_id = lane.id and state = 'open' and reserved_for_id is null
) many
left join few on few.lane_id = lane.id
order by lane.id
on conflict (lane_id) do update
set waiting = excluded.waiting, held = excluded.held, deferred = excluded.deferred, overdue = excluded.overdue,
    due_soon = excluded.due_soon, oldest_at = excluded.oldest_at, next_due_at = excluded.next_due_at, at = excluded.at
where known.at <= excluded.at
"""

# Grouped before they meet the people: joined row by row, a million slots take six seconds instead of a half.
_UNTAKEABLE: Final = """
with takers as materialized (
  select lane_id, array_agg(user_id) as people from queues_lanetaker group by lane_id
), barring as materialized (
  select lane_id, barred, count(*) as slots from queues_slot
  where state = 'open' and reserved_for_id is null and barred <> '{}'
  group by lane_id, barred
), passed_on as materialized (
  select lane_id, reserved_for_id, count(*) as slots from queues_slot
  where state = 'open' and reserved_for_id is not null
  group by lane_id, reserved_for_id
), stuck as (
  select lane_id, sum(slots) as slots from (
    select barring.lane_id, barring.slots from barring join takers using (lane_id) where barring.barred @> takers.people
    union all
    select passed_on.lane_id, passed_on.slots from passed_on join takers using (lane_id)
    where passed_on.reserved_for_id <> all(takers.people)
  ) every group by lane_id
), found as (
  select known.lane_id,
    case when takers.people is null then known.waiting else coalesce(stuck.slots, 0) end as slots
  from queues_lanerollup known
  left join takers on takers.lane_id = known.lane_id
  left join stuck on stuck.lane_id = known.lane_id
)
update queues_lanerollup known set untakeable = found.slots
from found where found.lane_id = known.lane_id and found.slots <> known.untakeable
"""
