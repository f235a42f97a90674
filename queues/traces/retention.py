"""Forgets traces and signals that are older than their tenant keeps them: whole weeks at once where nobody needs them,
else row by row, a lot at a time, and the receipts that they left.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from hitl.audit import log
from hitl.database.uuid7 import floor
from hitl.models import Tenant
from queues.models import EarlyWord, IntakeSettings

# How long what was said of a span waits for it.
WORDS_WAIT: Final = timedelta(days=7)
AT_ONCE: Final = 2_000
# In one go: what is left is for the next.
LOTS_MOST: Final = 200
BY: Final = "tick"


def forget(now: datetime) -> int:
    """How many weeks' partitions were dropped, and rows deleted. Nothing that a tenant still keeps is touched; safe to
    run twice at once.
    """
    kept = _days()
    if not kept:
        return 0
    longest = max(kept.values())
    done = _drop_weeks(now - timedelta(days=longest))
    lots = LOTS_MOST
    for tenant_id, days in sorted(kept.items()):
        if days < longest:
            forgotten, lots = _forget_of(tenant_id, now - timedelta(days=days), lots)
            done += forgotten
    EarlyWord.objects.filter(at__lt=now - WORDS_WAIT).delete()
    return done + _forget_receipts(now - timedelta(days=longest), lots)


def _days() -> dict[int, int]:
    """How long each tenant keeps traces."""
    usual = IntakeSettings._meta.get_field("trace_days").default
    chosen = dict(IntakeSettings.objects.values_list("tenant_id", "trace_days"))
    return {pk: chosen.get(pk, usual) for pk in Tenant.objects.values_list("pk", flat=True)}


@transaction.atomic
def _drop_weeks(before: datetime) -> int:
    """The weeks that ended before that; a partition is a file, and is gone at once."""
    with connection.cursor() as cursor:
        cursor.execute("select traces_drop_partitions(%s)", [before])
        dropped = int(cursor.fetchone()[0])
    if dropped:
        log.append(
            actor=None,
            action="traces.weeks_dropped",
            subject="traces:all",
            tenant_id=None,
            detail={"partitions": dropped, "before": before.isoformat()},
            actor_name=BY,
        )
    return dropped


def _forget_of(tenant_id: int, before: datetime, lots: int) -> tuple[int, int]:
    """A tenant's rows from before that: how many traces and signals, and how many lots are left to others."""
    forgotten = 0
    for statement in (_TRACES, _WAITING):
        while lots:
            lots -= 1
            deleted = _lot(statement, tenant_id, before)
            forgotten += deleted
            if deleted == 0:
                break
    return forgotten, lots


@transaction.atomic
def _lot(statement: str, tenant_id: int, before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"tenant": tenant_id, "before": floor(before), "most": AT_ONCE})
        traces, signals = _row(cursor.fetchone())
    if traces or signals:
        log.append(
            actor=None,
            action="traces.forgotten",
            subject=f"tenant:{tenant_id}",
            tenant_id=tenant_id,
            detail={"traces": traces, "signals": signals, "before": before.isoformat()},
            actor_name=BY,
        )
    return traces + signals


def _forget_receipts(before: datetime, lots: int) -> int:
    """What was as old is refused by its age from now on: nobody needs to know that it was here."""
    forgotten = 0
    while lots:
        lots -= 1
        with connection.cursor() as cursor:
            cursor.execute(_RECEIPTS, [floor(before), AT_ONCE])
            deleted = int(cursor.rowcount)
        forgotten += deleted
        if deleted < AT_ONCE:
            break
    return forgotten


def _row(row: Sequence[int] | None) -> tuple[int, int]:
    return (int(row[0]), int(row[1])) if row else (0, 0)


# A trace goes with its spans and its signals, whenever those came: alone they mean nothing.
_TRACES: Final = """
with old as (
  select id, external_id from queues_trace
  where tenant_id = %(tenant)s and id < %(before)s order by id limit %(most)s for update skip locked
), signals as (
  delete from queues_signal where trace_id = any(array(select id from old)) returning id
), spans as (
  delete from queues_span where trace_id = any(array(select id from old))
), receipts as (
  delete from queues_receipt where object_uuid = any(array(select id from old union all select id from signals))
), traces as (
  delete from queues_trace where id = any(array(select id from old)) returning id
)
select (select count(*) from traces), (select count(*) from signals)
"""
_WAITING: Final = """
with old as (
  select id from queues_signal
  where tenant_id = %(tenant)s and trace_id is null and id < %(before)s limit %(most)s for update skip locked
), signals as (
  delete from queues_signal where id = any(array(select id from old)) returning id
), receipts as (
  delete from queues_receipt where object_uuid = any(array(select id from signals))
)
select 0, (select count(*) from signals)
"""
_RECEIPTS: Final = """
delete from queues_receipt where id = any(array(
  select id from queues_receipt where object_uuid < %s order by object_uuid limit %s for update skip locked))
"""
