"""Feedback from pages on traces that are not here: it waits for them, but not all of it, and not for ever.

Whoever has read a page's token can name traces that were never there.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from hitl.audit import log
from hitl.audit.log import Entry
from hitl.models import Tenant
from queues.traces import known

# The door's name, as a signal keeps it.
PAGE: Final = "page"
MOST: Final = 10_000
# Traces that come in by the night's file are here in time.
PATIENCE: Final = timedelta(days=2)
AT_ONCE: Final = 5_000
FULL: Final = (
    f"trace_id: no such trace is here, and {MOST:,} pieces of feedback from pages wait for theirs already. "
    "Nothing was kept of this."
)

_WAITING: Final = """
select count(*) from (
  select from queues_signal where tenant_id = %s and trace_id is null and source = %s limit %s) as waiting
"""
_SWEPT: Final = """
with old as (
  select id from queues_signal where trace_id is null and source = %s and received_at < %s limit %s
  for update skip locked
), signals as (
  delete from queues_signal where id = any(array(select id from old)) and trace_id is null returning id, tenant_id
), receipts as (
  delete from queues_receipt where object_uuid = any(array(select id from signals))
)
select tenant_id, count(*) from signals group by tenant_id order by tenant_id
"""


def held_back(tenant: Tenant, refs: Sequence[str]) -> frozenset[str]:
    """Those of these traces that nothing more from pages can wait for: they are not here, and enough waits already."""
    unknown = frozenset(refs) - known.ids(tenant, refs).keys() if refs else frozenset()
    return unknown if unknown and _count(tenant) >= MOST else frozenset()


def _count(tenant: Tenant) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [tenant.pk, PAGE, MOST])
        return int(cursor.fetchone()[0])


def sweep(now: datetime) -> int:
    """Removes what has waited in vain; how many. Its receipts go too: what is sent again may wait again."""
    swept = 0
    while some := _sweep_some(now):
        swept += some
        if some < AT_ONCE:
            break
    return swept


@transaction.atomic
def _sweep_some(now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SWEPT, [PAGE, now - PATIENCE, AT_ONCE])
        gone = cursor.fetchall()
    log.append_all(
        [
            Entry("feedback.swept", f"tenant:{pk}", tenant_id=pk, detail={"signals": count}, actor_name="tick")
            for pk, count in gone
        ]
    )
    return sum(count for _, count in gone)
