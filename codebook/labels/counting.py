"""Counts of batches and of relabels, kept beside them: a page reads these, whatever the number of labels."""

import logging
from collections import Counter
from datetime import datetime
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from codebook.models import BatchCount, RelabelCount

log = logging.getLogger(__name__)

A_ROUND: Final = 100
# Milliseconds a statement. Just after many labels came at once the planner knows nothing of them yet, and may take
# minutes over what takes a moment later; a snapshot that old slows every claim.
PATIENCE: Final = 5_000


def count(now: datetime) -> int:
    """Counts again the batches and orders in which something may have changed; returns how many batches.

    Each in a transaction of its own; one that takes too long ends the round, and is tried again in the next. A large
    batch is counted less often than a small one (10,000 labels: every ten seconds; a million: every 17 minutes), and
    every batch once a day, which finds what was undone or asked again since.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "limit": A_ROUND})
        due = cursor.fetchall()
    for done, (batch, newest) in enumerate(due):
        try:
            count_batch(batch_id=batch, newest_label=newest, now=now)
        except OperationalError as stopped:
            if not isinstance(stopped.__cause__, QueryCanceled):
                raise
            log.warning("Counting the labels of batch %s took too long; it is tried again", batch)
            return done
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, [now])
        orders = [pk for (pk,) in cursor.fetchall()]
    for order in orders:
        count_relabel(order_id=order, now=now)
    return len(due)


@transaction.atomic
def count_batch(*, batch_id: int, newest_label: int, now: datetime) -> BatchCount:
    counted: dict[str, Any] = {"newest_label": newest_label, "at": now}
    with connection.cursor() as cursor:
        cursor.execute("select set_config('statement_timeout', %s, true)", [str(PATIENCE)])
        cursor.execute(_RATERS, [batch_id])
        counted |= _by_rater(cursor.fetchall())
        cursor.execute(_GIVEN, [batch_id])
        counted["given"] = {str(category): given for category, given in cursor.fetchall()}
        cursor.execute(_COMPARED, {"batch": batch_id})
        counted["compared"], counted["agreeing"] = cursor.fetchone()
        cursor.execute(_FOLLOWED, {"batch": batch_id})
        counted["adjudicated"], counted["relabelled"] = cursor.fetchone()
    return BatchCount.objects.update_or_create(batch_id=batch_id, defaults=counted)[0]


@transaction.atomic
def count_relabel(*, order_id: int, now: datetime) -> RelabelCount:
    with connection.cursor() as cursor:
        cursor.execute(_PROGRESS, [order_id])
        wanted, decided = cursor.fetchone()
    defaults = {"wanted": wanted, "decided": decided, "at": now}
    return RelabelCount.objects.update_or_create(order_id=order_id, defaults=defaults)[0]


def _by_rater(rows: list[tuple[int | None, str, str, int, datetime, datetime]]) -> dict[str, Any]:
    """From rows of rater, verdict, labels, first and last: the counts that are kept."""
    verdicts: Counter[str] = Counter()
    raters: dict[tuple[int | None, str], list[Any]] = {}
    for user, name, verdict, labels, first, last in rows:
        verdicts[verdict] += labels
        known = raters.setdefault((user, name), [0, first, last])
        raters[user, name] = [known[0] + labels, min(known[1], first), max(known[2], last)]
    ordered = sorted(raters.items(), key=lambda row: -row[1][0])
    return {
        "labels": verdicts.total(),
        "verdicts": dict(verdicts),
        "raters": [[user, name, n, first.isoformat(), last.isoformat()] for (user, name), (n, first, last) in ordered],
        "first_at": min((row[1] for row in raters.values()), default=None),
        "last_at": max((row[2] for row in raters.values()), default=None),
    }


_DUE: Final = """
select batch.id, coalesce(newest.id, 0)
from codebook_labelbatch batch
left join codebook_batchcount known on known.batch_id = batch.id
cross join lateral (select max(id) as id from codebook_label where version_id = batch.version_id) newest
where known.batch_id is null
  or known.at < %(now)s - interval '1 day'
  or (batch.closed_at is null and newest.id > known.newest_label
      and known.at < %(now)s - known.labels * interval '1 millisecond')
  or (known.at < batch.closed_at + interval '5 minutes' and batch.closed_at + interval '5 minutes' <= %(now)s)
order by known.at nulls first, batch.id limit %(limit)s
"""

_RATERS: Final = """
select user_id, rater_name, verdict, count(*), min(created_at), max(created_at)
from codebook_label where batch_id = %s and undone_at is null and not is_amendment
group by user_id, rater_name, verdict
"""

_GIVEN: Final = """
select given.category_id, count(*)
from codebook_label label join codebook_labelcategory given on given.label_id = label.id
where label.batch_id = %s and label.undone_at is null and not label.is_amendment
group by given.category_id
"""

# Only cases with a second seat are looked at: there are few of them, and the others say nothing.
_COMPARED: Final = """
with independent as (
  select other.id, other.purpose from codebook_labelbatch mine
  join codebook_labelbatch other on other.queue_id = mine.queue_id and other.purpose in ('first', 'second')
  where mine.id = %(batch)s and mine.purpose in ('first', 'second')
), doubled as materialized (
  select distinct second.case_id, second.round from codebook_label mine
  join codebook_label second on second.case_id = mine.case_id and second.round = mine.round
  where mine.batch_id = %(batch)s and mine.undone_at is null and not mine.is_amendment
    and second.batch_id in (select id from independent where purpose = 'second')
    and second.undone_at is null and not second.is_amendment
), compared as (
  select min(label.verdict) = max(label.verdict) as agree
  from doubled join codebook_label label using (case_id, round)
  where label.batch_id in (select id from independent) and label.undone_at is null and not label.is_amendment
  group by case_id, round
  having count(distinct label.user_id) > 1 and bool_or(label.batch_id = %(batch)s)
)
select count(*), count(*) filter (where agree) from compared
"""

_FOLLOWED: Final = """
select
  (select count(distinct settled.id) from codebook_adjudication settled
   join codebook_label label on label.case_id = settled.case_id and label.round = settled.round
   where label.batch_id = %(batch)s),
  (select count(distinct again.case_id) from codebook_labelbatch mine
   join codebook_labelbatch later on later.queue_id = mine.queue_id and later.purpose = 'relabel'
   join codebook_label again on again.batch_id = later.id and again.undone_at is null
   join codebook_label label on label.case_id = again.case_id and label.id < again.id and label.batch_id = mine.id
   where mine.id = %(batch)s and later.id <> mine.id)
"""

_RUNNING: Final = """
select relabel.id from codebook_relabel relabel
left join codebook_relabelcount known on known.order_id = relabel.id
where known.order_id is null or known.decided < known.wanted or relabel.cancelled_at > known.at
  or (known.wanted = 0 and relabel.ordered_at > %s - interval '1 day')
"""

_PROGRESS: Final = """
select count(*), count(*) filter (where slot.state = 'decided')
from codebook_relabelslot wanted join queues_slot slot on slot.id = wanted.slot_id
where wanted.order_id = %s
"""
