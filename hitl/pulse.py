"""How signs of life are read. Free of Django, as the supervisor reads them too and stays small."""

import os
import socket
from dataclasses import dataclass

BEAT_EVERY = 5.0
# What `/healthz` calls up.
FRESH = 20.0
TICK = "tick"
WORKER = "worker"

# Ages by the database's clock, so that nodes need not agree on theirs. Parameters: the tick's name, the start of the
# names of the workers that count (the freshest of them is taken).
AGES = """
select extract(epoch from clock_timestamp() - max(at) filter (where name = %s))::float,
       extract(epoch from clock_timestamp() - max(at) filter (where starts_with(name, %s)))::float,
       exists (select from django_q_ormq where lock > now())
from hitl_heartbeat
"""


@dataclass(frozen=True)
class Pulse:
    """Seconds since the last signs of life (None: never any), and whether a worker has taken work."""

    tick: float | None
    worker: float | None
    busy: bool

    def worker_silence(self, longest_task: float) -> float | None:
        """Seconds of silence that mean something: with work taken, hands may be full until a task's time is up."""
        if self.worker is None:
            return float("inf")
        return 0.0 if self.busy and self.worker < longest_task else self.worker


def node() -> str:
    """This machine, or this container: whose worker it is."""
    return os.environ.get("HITL_NODE") or socket.gethostname()


def worker_name(of_node: str) -> str:
    return f"{WORKER} {of_node}"[:40]
