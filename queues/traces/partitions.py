"""The weeks that traces, signals and spans lie in: made before anything of a week is stored."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection

AHEAD: Final = timedelta(days=14)


def ensure(since: datetime, until: datetime) -> int:
    """The weeks from the one of `since` to the one of `until` are there; how many partitions were made."""
    with connection.cursor() as cursor:
        cursor.execute("select traces_partitions(%s, %s)", [since, until])
        return int(cursor.fetchone()[0])


def make_ahead(now: datetime) -> int:
    """This week and the next two, so that no request has to make its own."""
    return ensure(now, now + AHEAD)
