"""Starts the processes of this node, starts again what dies or hangs, says so, and stops them in order.

Each is in a session of its own, so that Ctrl-C in a terminal reaches the supervisor alone, and asks the kernel to end
it should the supervisor be killed.
"""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_EVERY = 0.2
CHECK_EVERY = 5.0
# Longer than two missed beats of five seconds and a slow start.
PATIENCE = 30.0
QUICK = 30.0
LONGEST_WAIT = 30.0


@dataclass(frozen=True)
class Part:
    """One process to run. `silence` tells for how many seconds it has given no sign of life (None: cannot tell)."""

    name: str
    command: Sequence[str]
    silence: Callable[[], float | None]
    grace: float = 12.0
    background: bool = False


class Child:
    """A part, running."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.quick_ends = 0
        self.start()

    def start(self) -> None:
        orders = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        if self.part.background and shutil.which("nice"):
            orders += ["nice", "-n", "5"]  # people at the screen come first
        self.process = subprocess.Popen(  # noqa: S603 -- our own commands
            [*orders, *self.part.command],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.started = time.monotonic()
        self.start_at: float | None = None

    @property
    def age(self) -> float:
        return time.monotonic() - self.started

    def kill(self) -> None:
        """The whole group: what the first process leaves behind would hold ports, locks and connections."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ended(self) -> str | None:
        """How the process ended, in words; None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


class Supervisor:
    """Runs parts until told to stop. `say` gets a sentence for each thing that happens."""

    def __init__(self, parts: Sequence[Part], say: Callable[[str], None]) -> None:
        self.parts, self.say = parts, say
        self.children: list[Child] = []
        self.told: list[float] = []
        self.next_check = time.monotonic() + CHECK_EVERY

    def start(self) -> None:
        for number in STOPS:
            signal.signal(number, lambda *_: self.tell())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        self.children = [Child(part) for part in self.parts]

    def tell(self) -> None:
        """Told to stop. One Ctrl-C may come twice, from the terminal and from the program that started this one."""
        if not self.told or time.monotonic() - self.told[-1] > 1:
            self.told.append(time.monotonic())

    def run(self, looks: Sequence[Callable[[], object]] = ()) -> None:
        """Until told to stop. Each of `looks` is called several times a second; the list may change meanwhile."""
        while not self.told:
            for child in self.children:
                self.look_after(child)
            for look in tuple(looks):
                self.guarded(look)
            if time.monotonic() >= self.next_check:
                for child in self.children:
                    self.guarded(partial(self.check, child))
                self.next_check = time.monotonic() + CHECK_EVERY
            time.sleep(LOOK_EVERY)

    def guarded(self, look: Callable[[], object]) -> None:
        """A watcher that fails must not end what it watches."""
        try:
            look()
        except Exception as error:
            self.say(f"A check failed, and is tried again ({type(error).__name__}: {error}).")

    def look_after(self, child: Child) -> None:
        """Start it again when it has ended, at once the first time, then after longer and longer waits."""
        how = child.ended()
        if how is None:
            return
        if child.start_at is None:
            child.kill()
            child.quick_ends = child.quick_ends + 1 if child.age < QUICK else 0
            wait = min(2.0 ** (child.quick_ends - 1), LONGEST_WAIT) if child.quick_ends > 1 else 0.0
            child.start_at = time.monotonic() + wait
            when = f"in {wait:.0f} seconds" if wait else "now"
            self.say(f"The {child.part.name} {how}; it is started again {when}.")
        if time.monotonic() >= child.start_at:
            child.start()

    def check(self, child: Child) -> None:
        """End it when it runs but gives no sign of life; the next look starts it again."""
        if child.ended() or child.age < PATIENCE:
            return
        silence = child.part.silence()
        if silence is not None and silence > PATIENCE:
            self.say(f"The {child.part.name} has given no sign of life for {silence:.0f} seconds; it is stopped.")
            child.kill()

    def stop(self) -> None:
        """In the order of the parts: each is asked, waited for, and killed when it hangs or when told a second time."""
        asked_before = len(self.told)
        for child in self.children:
            if child.ended() is None:
                child.process.terminate()
                deadline = time.monotonic() + child.part.grace
                while child.ended() is None and time.monotonic() < deadline and len(self.told) == asked_before:
                    time.sleep(0.05)
                if child.ended() is None:
                    self.say(f"The {child.part.name} does not stop; it is killed. What it did not finish comes again.")
            child.kill()


class WebWatch:
    """For how long the web server has not answered. Any answer is one."""

    def __init__(self, address: str, host: str) -> None:
        self.request = urllib.request.Request(f"{address}/healthz?of=web", headers={"Host": host})  # noqa: S310
        self.failing_since: float | None = None

    def answers(self, timeout: float) -> bool:
        try:
            urllib.request.urlopen(self.request, timeout=timeout).close()  # noqa: S310 -- our own address
        except urllib.error.HTTPError as error:
            error.close()
        except (OSError, http.client.HTTPException):
            return False
        return True

    def silence(self) -> float:
        asked = time.monotonic()
        if self.answers(timeout=5):
            self.failing_since = None
            return 0.0
        self.failing_since = self.failing_since or asked
        return time.monotonic() - self.failing_since
