"""The parts of hitl on this machine, supervised: what `manage.py up` turns into when all is prepared.

A program of its own without Django, since it runs for as long as hitl does and has little to do.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import psycopg

from hitl.database import keeper
from hitl.pulse import AGES, TICK, Pulse, node, worker_name
from hitl.supervisor import PATIENCE, PROJECT, STOPS, Part, Supervisor, WebWatch

PLAN = "HITL_PLAN"
PARTS = ("web", "worker", "tick")


class Beside(NamedTuple):
    """A process that is no part of hitl and comes and goes with it."""

    name: str
    command: list[str]


@dataclass(frozen=True)
class Plan:
    """What to run, and what to know for watching it. It holds a password: it goes through the environment, once."""

    parts: list[str]
    bind: str
    local: str
    address: str
    database: dict[str, Any]
    embedded: str | None
    longest_task: float
    news: list[str]
    beside: list[Beside] = field(default_factory=list)

    def run(self) -> NoReturn:
        """Become the supervisor: the process stays, its memory is given back."""
        os.environ[PLAN] = json.dumps(asdict(self))
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # who says stop in between is heard when the supervisor listens
        os.execv(sys.executable, [sys.executable, "-m", "hitl.node"])  # noqa: S606 -- ourselves


def say(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {sentence}", flush=True)


class Pulses:
    """For how long this node's worker, and the tick, have been silent (None: cannot tell)."""

    def __init__(self, database: dict[str, Any], longest_task: float) -> None:
        self.database, self.longest_task = database, longest_task
        self.connection: psycopg.Connection[Any] | None = None
        self.out_at: float | None = None
        self.back_at = -PATIENCE

    def read(self) -> Pulse:
        if self.connection is None or self.connection.closed:
            self.connection = psycopg.connect(**self.database, autocommit=True, connect_timeout=5)
        found = self.connection.execute(AGES, [TICK, worker_name(node())]).fetchone()
        return Pulse(*found) if found else Pulse(None, None, False)

    def look(self) -> Pulse | None:
        """None in an outage of the database, and for a while after it, so that all have time to find back."""
        try:
            found = self.read()
        except psycopg.Error as error:
            if self.connection:
                self.connection.close()
            if self.out_at is None:
                self.out_at = time.monotonic()
                say(f"The database does not answer ({' '.join(str(error).split())}). Waiting for it.")
            return None
        if self.out_at is not None:
            say("The database answers again.")
            self.out_at, self.back_at = None, time.monotonic()
        return found if time.monotonic() - self.back_at > PATIENCE else None

    def worker(self) -> float | None:
        pulse = self.look()
        return None if pulse is None else pulse.worker_silence(self.longest_task + PATIENCE)

    def tick(self) -> float | None:
        pulse = self.look()
        return None if pulse is None else float("inf") if pulse.tick is None else pulse.tick

    def close(self) -> None:
        if self.connection:
            self.connection.close()


class EmbeddedServer:
    """Says so when the embedded server was started again; its keeper does that, or the next who connects."""

    def __init__(self, data: Path) -> None:
        self.data = data
        keeper.use(data)
        self.pid = keeper.postmaster_pid(data)

    def look(self) -> None:
        pid = keeper.postmaster_pid(self.data)
        if pid is not None and pid != self.pid and keeper.answers(self.data):
            self.pid = pid
            say("The database had stopped; it was started again, with everything that was committed.")


def parts_of(plan: Plan, watch: WebWatch, pulses: Pulses) -> list[Part]:
    """In the order of stopping: who takes new work stops first."""
    manage = [sys.executable, str(PROJECT / "manage.py")]
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:hitl.gunicorn", "-b", plan.bind]
    # On the only node, whatever is taken was taken by a worker that is gone.
    alone = ["--alone"] if plan.embedded else []
    every = {
        "web": Part("web server", gunicorn, watch.silence),
        "worker": Part("worker", [*manage, "worker", *alone], pulses.worker, background=True),
        "tick": Part("tick", [*manage, "tick"], pulses.tick, background=True),
    }
    others = [Part(name, command, lambda: None, grace=2.0, background=True) for name, command in plan.beside]
    return [*others, *(every[name] for name in PARTS if name in plan.parts)]


def run(plan: Plan) -> None:
    """Until told to stop; the database goes last, by itself."""
    server = EmbeddedServer(Path(plan.embedded)) if plan.embedded else None
    watch = WebWatch(plan.local, host=plan.address.split("/")[2])
    pulses = Pulses(plan.database, plan.longest_task)
    supervisor = Supervisor(parts_of(plan, watch, pulses), say)
    looks: list[Callable[[], object]] = [server.look] if server else []

    def announce() -> None:
        # Also when stopped before: a password that is shown once must have been shown.
        if "web" not in plan.parts or supervisor.told or watch.answers(timeout=1):
            print("", *plan.news, "", sep="\n", flush=True)
            looks.remove(announce)

    looks.append(announce)
    supervisor.start()
    supervisor.run(looks)
    if announce in looks:
        announce()
    say("Stopping ...")
    supervisor.stop()
    pulses.close()
    if server and not keeper.leave(server.data, patience=10):
        say("The database stays up for another program that uses it.")
    say("Stopped.")


if __name__ == "__main__":
    run(Plan(**json.loads(os.environ.pop(PLAN))))
