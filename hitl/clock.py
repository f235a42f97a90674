"""The house's time is the database's: nodes need not agree on theirs, and leases are measured by one clock."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from django.db import connection


def now() -> datetime:
    """The time at the database, at this moment, whatever transaction is open."""
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def midnight(time_zone: str, now: datetime) -> datetime:
    """The last midnight in that zone, in UTC."""
    local = now.astimezone(ZoneInfo(time_zone))
    return datetime.combine(local.date(), time(), local.tzinfo).astimezone(UTC)


def at_now(chore: Callable[[datetime], object]) -> Callable[[], object]:
    """A chore that is told the time, as one that the tick can run."""
    return lambda: chore(now())
