"""django-q2's database broker, with SKIP LOCKED, in order, and with a sign of life that takes the way of every task."""

import time
import uuid
from typing import Any

from django.db import connections
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.signing import SignedPackage

from hitl.pulse import BEAT_EVERY, node, worker_name

TAKE = """
update django_q_ormq set lock = %s where id in (
  select id from django_q_ormq where key = %s and lock < %s order by id limit %s for update skip locked
) returning id, payload
"""
FREE = "update django_q_ormq set lock = now() where key = %s and lock > now()"


def heartbeat_task(of_node: str) -> str:
    """A task as the broker would find it, known to nobody but this node's cluster: no row, and no result kept."""
    number = uuid.uuid4().hex
    return str(
        SignedPackage.dumps(
            {
                "id": number,
                "name": f"heartbeat-{number[:8]}",
                "func": "hitl.heartbeats.beat",
                "args": (worker_name(of_node),),
                "kwargs": {},
                "started": timezone.now(),
                "save": False,
            }
        )
    )


class SkipLocked(ORM):
    """The broker of `hitl.settings.Q_CLUSTER`."""

    next_beat = 0.0

    def dequeue(self) -> list[tuple[int | None, str]]:
        """What to run now, oldest first; waits for one poll when there is nothing."""
        beats: list[tuple[int | None, str]] = []
        if time.monotonic() >= self.next_beat:
            self.next_beat = time.monotonic() + BEAT_EVERY
            beats.append((None, heartbeat_task(node())))
        self.get_connection(self.list_key)
        now = timezone.now()
        with connections[Conf.ORM].cursor() as cursor:
            cursor.execute(TAKE, [self.timeout(None), self.list_key, now, Conf.BULK])
            found: list[Any] = sorted(cursor.fetchall())
        if not found and not beats:
            time.sleep(Conf.POLL)
        return beats + found


def free_all() -> int:
    """Give back what a dead worker had taken, rather than wait for the retry. Only where no other worker can be."""
    with connections[Conf.ORM].cursor() as cursor:
        cursor.execute(FREE, [Conf.CLUSTER_NAME])
        return int(cursor.rowcount)
