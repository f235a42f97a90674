"""Label batches are closed by publishing, by hand, or by age. What comes after opens another.

Whoever closes waits for the labels on their way into the batch, and labelling looks again once it is closed: so a
closed batch never takes another.
"""

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from codebook.models import LabelBatch, Version
from hitl.audit import log
from hitl.models import User
from queues.doors import LEADS, queues

CHUNK: Final = 200


class CannotClose(ValueError):
    """The batch stays as it is; the text says why."""


@transaction.atomic
def close(*, batch: LabelBatch, by: User, now: datetime) -> LabelBatch:
    """By hand: the codebook's owner, or who runs the batch's queue. Raises CannotClose."""
    batch = (
        LabelBatch.objects.select_related("version__codebook", "queue").select_for_update(of=("self",)).get(pk=batch.pk)
    )
    if batch.version.codebook.owner_id != by.pk and not queues(by, *LEADS).filter(pk=batch.queue_id).exists():
        raise CannotClose(
            f"Only {batch.version.codebook.owner.name} and whoever runs {batch.queue} close it. It is still open."
        )
    if batch.closed_at:
        raise CannotClose(f"It was closed on {batch.closed_at:%-d %B %Y} already.")
    _close(LabelBatch.objects.filter(pk=batch.pk), because=LabelBatch.Closed.HAND, by=by, now=now)
    log.append_all([_entry(batch, LabelBatch.Closed.HAND, by)])
    batch.refresh_from_db()
    return batch


def close_of_older_versions(*, codebook_id: int, newest: Version, by: User, now: datetime) -> int:
    """Step of publishing: closes the open batches of the versions before; returns how many.

    A decision that was on a screen under such a version still comes, and opens a batch for those that came late.
    """
    older = LabelBatch.objects.filter(
        version__codebook=codebook_id,
        version__state=Version.State.PUBLISHED,
        version__number__lt=newest.number,
        closed_at=None,
    )
    locked = list(older.order_by("pk").select_for_update(of=("self",)))
    _close(LabelBatch.objects.filter(pk__in=[batch.pk for batch in locked]), LabelBatch.Closed.PUBLISHING, by, now)
    return len(locked)


@transaction.atomic
def close_by_age(now: datetime) -> int:
    """Closes what has been open for as long as its codebook allows (Codebook.batch_days); returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_OLD, {"now": now, "chunk": CHUNK})
        old = [pk for (pk,) in cursor.fetchall()]
    locked = list(LabelBatch.objects.filter(pk__in=old).order_by("pk"))
    _close(LabelBatch.objects.filter(pk__in=[batch.pk for batch in locked]), LabelBatch.Closed.AGE, None, now)
    log.append_all([_entry(batch, LabelBatch.Closed.AGE, None) for batch in locked])
    return len(locked)


_OLD: Final = """
select batch.id from codebook_labelbatch batch
join codebook_version version on version.id = batch.version_id
join codebook_codebook codebook on codebook.id = version.codebook_id
where batch.closed_at is null and batch.opened_at <= %(now)s - make_interval(days => codebook.batch_days)
order by batch.id limit %(chunk)s for update of batch skip locked
"""


def _close(batches: QuerySet[LabelBatch], because: LabelBatch.Closed, by: User | None, now: datetime) -> None:
    batches.update(closed_at=now, closed_because=because, closed_by=by)


def _entry(batch: LabelBatch, because: LabelBatch.Closed, by: User | None) -> log.Entry:
    return log.Entry(
        "batch.closed",
        f"batch:{batch.pk}",
        by,
        queue_id=batch.queue_id,
        detail={"because": because.label, "purpose": batch.purpose},
        actor_name="" if by else "clock",
    )
