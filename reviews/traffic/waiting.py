"""Signals that wait for their trace, by age."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from hitl.models import Tenant

# So many are counted while somebody waits for the page; of more, the figures that were measured with the report hold.
COUNTED: Final = 1_000
AGES: Final = (
    ("less than an hour", timedelta(hours=1)), ("less than a day", timedelta(days=1)),
    ("less than a week", timedelta(days=7)), ("more than a week", None),
)  # fmt: skip

Counts = list[tuple[str, int]]


def now_waiting(tenant: Tenant, now: datetime) -> Counts | None:
    """By age, those that there are at this moment; None where there are too many to count at once."""
    came = _came(tenant, COUNTED + 1)
    return None if len(came) > COUNTED else _by_age(came, now)


def all_waiting(tenant: Tenant, now: datetime) -> Counts:
    """By age, however many: for the worker."""
    return _by_age(_came(tenant, None), now)


def _came(tenant: Tenant, most: int | None) -> Sequence[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [tenant.pk, most])
        return [at for (at,) in cursor.fetchall()]


def _by_age(came: Iterable[datetime], now: datetime) -> Counts:
    counts = Counter(next(words for words, age in AGES if age is None or now - at < age) for at in came)
    return [(words, counts[words]) for words, _ in AGES if counts[words]]


# By the index of those that wait; `limit null` is none.
_WAITING: Final = "select received_at from queues_signal where tenant_id = %s and trace_id is null limit %s"
