"""Keeps cases from people where the queue trusts the judge: no slot, and a note for the judge's label."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from queues.models import Queue


class Kept(NamedTuple):
    case_id: int
    queue_id: int
    verdict_id: int
    because: str


def keep(rows: Sequence[Kept], *, now: datetime) -> None:
    """A step: these cases need no person. The judge's label follows in a moment (`codebook.machine`)."""
    with (
        connection.cursor() as cursor,
        cursor.copy("copy queues_judgekept (case_id, queue_id, verdict_id, because, kept_at) from stdin") as copy,
    ):
        for row in rows:
            copy.write_row((row.case_id, row.queue_id, row.verdict_id, row.because[:300], now))


def kept_since(queue: Queue, since: datetime) -> int:
    """How many cases of a queue its judge kept from people since then."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from queues_judgekept where queue_id = %s and kept_at >= %s", [queue.pk, since])
        return int(cursor.fetchone()[0])
