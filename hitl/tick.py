"""The clock of the house: one leader among all nodes does each chore when it is due.

Leadership is a lock held by a connection: it goes with the process, even after kill -9, or with the network. Two
leaders may overlap for a moment when a connection breaks, so each chore must be safe to run twice at once (SKIP LOCKED,
fenced updates), short, and its own transaction. A chore that fails or hangs does not stop the others.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionProxy

from hitl import heartbeats
from hitl.pulse import BEAT_EVERY, TICK

log = logging.getLogger(__name__)

LEADER_KEY = 0x6869746C  # "hitl"
ROUND = 0.5
RETRY_LEADERSHIP = 2.0
AT_ONCE = 4
# A chore is short. One that takes this long hangs, and a thread cannot be ended but with its process.
HANGS_AFTER = 300.0


@dataclass(frozen=True)
class Chore:
    """What to do, and how many seconds from one start to the next. `run` takes nothing; what it returns is dropped."""

    name: str
    every: float
    run: Callable[[], object]


@dataclass
class Progress:
    """Of one chore, in this process."""

    due: float = 0.0
    began: float = 0.0
    running: Future[None] | None = None
    last: dict[str, Any] = field(default_factory=dict)


class Leadership:
    """A connection of its own that holds the leader's lock, or tries to get it."""

    def __init__(self) -> None:
        self.connection: BaseDatabaseWrapper | ConnectionProxy = connections.create_connection("default")
        self.held = False

    def check(self) -> bool:
        """Whether this process leads now; a broken connection loses it."""
        try:
            with self.connection.cursor() as cursor:
                if self.held:
                    cursor.execute("select 1")
                else:
                    cursor.execute("select pg_try_advisory_lock(%s)", [LEADER_KEY])
                    self.held = bool(cursor.fetchone()[0])
        except DatabaseError as error:
            log.warning("The tick lost the database: %s", " ".join(str(error).split()))
            self.held = False
            self.give_up()
        return self.held

    def give_up(self) -> None:
        with suppress(DatabaseError):
            self.connection.close()


class Tick:
    def __init__(self, chores: Sequence[Chore]) -> None:
        self.chores = chores
        self.progress = {chore.name: Progress() for chore in chores}
        self.stopping = threading.Event()
        self.next_beat = 0.0

    def stop(self) -> None:
        self.stopping.set()

    def run(self) -> None:
        """Until stopped. Chores that run then are waited for."""
        leadership = Leadership()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="chore") as pool:
            while not self.stopping.is_set():
                if leadership.check():
                    self.start_due(pool, time.monotonic())
                    self.beat(time.monotonic())
                    if hanging := self.hanging(time.monotonic()):
                        log.critical("The chore %s hangs: ending the tick, to be started again", hanging)
                        os._exit(1)
                    self.stopping.wait(ROUND)
                else:
                    self.stopping.wait(RETRY_LEADERSHIP)
        leadership.give_up()

    def start_due(self, pool: ThreadPoolExecutor, now: float) -> list[str]:
        """Start each chore that is due and does not run still; returns their names."""
        started = []
        for chore in self.chores:
            progress = self.progress[chore.name]
            if progress.due <= now and (progress.running is None or progress.running.done()):
                progress.due, progress.began = now + chore.every, now
                progress.running = pool.submit(self.do, chore)
                started.append(chore.name)
        return started

    def hanging(self, now: float) -> str | None:
        """The name of a chore that has been running for too long."""
        for name, progress in self.progress.items():
            if progress.running and not progress.running.done() and now - progress.began > HANGS_AFTER:
                return name
        return None

    def do(self, chore: Chore) -> None:
        began = time.monotonic()
        failure = ""
        try:
            close_old_connections()
            chore.run()
        except Exception as error:  # one chore's failure is not the others'
            log.exception("The chore %s failed", chore.name)
            failure = type(error).__name__
        finally:
            close_old_connections()
        last: dict[str, Any] = {"seconds": round(time.monotonic() - began, 3)}
        self.progress[chore.name].last = last | ({"failed": failure} if failure else {})

    def beat(self, now: float) -> None:
        """A sign of life, with what each chore did last. An error's text stays in the log: it may quote stored text."""
        if now < self.next_beat:
            return
        self.next_beat = now + BEAT_EVERY
        try:
            heartbeats.beat(TICK, {name: progress.last for name, progress in self.progress.items()})
        except DatabaseError as error:
            log.warning("The tick could not say that it lives: %s", " ".join(str(error).split()))
            close_old_connections()
