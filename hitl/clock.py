"""The house's time is the database's: nodes need not agree on theirs, and leases are measured by one clock."""

from collections.abc import Callable
from datetime import datetime

from django.db import connection


def now() -> datetime:
    """The time at the database, at this moment, whatever transaction is open."""
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def at_now(chore: Callable[[datetime], object]) -> Callable[[], object]:
    """A chore that is told the time, as one that the tick can run."""
    return lambda: chore(now())
