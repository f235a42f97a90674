"""Signs of life of the processes without a door of their own: each worker node, and the tick that leads.

Written and read with the database's clock, so that nodes need not agree on theirs.
"""

import os
import socket
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from hitl.models import Heartbeat

BEAT_EVERY = 5.0
# What `/healthz` calls up.
FRESH = 20.0
TICK = "tick"
WORKER = "worker"


def node() -> str:
    """This machine, or this container: whose worker it is."""
    return os.environ.get("HITL_NODE") or socket.gethostname()


def worker_name(of_node: str) -> str:
    return f"{WORKER} {of_node}"[:40]


def beat(name: str, detail: dict[str, Any] | None = None) -> None:
    """Say that `name` lives, now."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=Now(), detail=detail or {})],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at", "detail"],
    )


@dataclass(frozen=True)
class Pulse:
    """Seconds since the last signs of life (None: never any), and whether the worker has taken work."""

    tick: float | None
    worker: float | None
    busy: bool


def pulse(worker: str = WORKER) -> Pulse:
    """The signs of life of the tick, and of the freshest worker whose name starts with `worker`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select extract(epoch from clock_timestamp() - max(at) filter (where name = %s))::float,
                   extract(epoch from clock_timestamp() - max(at) filter (where starts_with(name, %s)))::float,
                   exists (select from django_q_ormq where lock > now())
            from hitl_heartbeat
            """,
            [TICK, worker],
        )
        tick, worker_age, busy = cursor.fetchone()
    return Pulse(tick, worker_age, busy)
