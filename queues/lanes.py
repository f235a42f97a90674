"""Lanes are found, or made on first use: whatever keeps people out of a case by rule names its lane."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from queues.models import Lane


class LaneKey(NamedTuple):
    """What makes a lane the one it is."""

    queue_id: int
    stream: str
    tenant_id: int
    language: str
    authority: str


_FIND = """
select queue_id, stream, tenant_id, language, authority, lane.id
from queues_lane lane
join unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[]) as
  wanted (queue_id, stream, tenant_id, language, authority)
using (queue_id, stream, tenant_id, language, authority)
"""
# Always in one order, so that two who make the same lanes wait for each other and never both for the other.
_MAKE = """
insert into queues_lane (queue_id, stream, tenant_id, language, authority, weight)
select queue_id, stream, tenant_id, language, authority, %s
from unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[]) as
  wanted (queue_id, stream, tenant_id, language, authority)
order by 1, 2, 3, 4, 5
on conflict on constraint lane_once do nothing
"""


def find_or_make(keys: Iterable[LaneKey]) -> dict[LaneKey, int]:
    """The id of each lane. A step: what it makes is there for good when the transaction is."""
    wanted = set(keys)
    found = _find(wanted)
    if missing := wanted - found.keys():
        with connection.cursor() as cursor:
            cursor.execute(_MAKE, [Lane._meta.get_field("weight").default, *_columns(missing)])
        # Somebody else's, made at the same moment, is seen by a new statement.
        found |= _find(missing)
    return found


def _find(keys: set[LaneKey]) -> dict[LaneKey, int]:
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, _columns(keys))
        return {LaneKey(*row[:5]): row[5] for row in cursor.fetchall()}


def _columns(keys: set[LaneKey]) -> list[list[object]]:
    return [list(column) for column in zip(*keys, strict=True)]
