"""Where the time of the intake goes: its steps one after the other, in this process, each without those inside it."""

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Final

from hitl.models import Tenant
from queues.intake import body, reading, receipts, received, signals, trace_storing, traces, user_signals
from queues.traces import aggregates, known, taken_back, waiting

# Step, and what does it: whatever is not named here is the rest.
TRACES: Final = (
    ("check", traces._Door, "check"),
    ("scrub", traces._Door, "_cleaned"),
    ("receipts", receipts, "take_ids"),
    ("receipts", receipts, "known"),
    ("copy", trace_storing, "store"),
    ("sums", waiting, "attach"),
)
SIGNALS: Final = (
    ("check", signals._Door, "check"),
    ("check", signals._Door, "prepared"),
    ("scrub", user_signals, "scrubbed"),
    ("scrub", user_signals.consent, "cleaned_key"),
    ("receipts", receipts, "take_ids"),
    ("receipts", receipts, "known"),
    ("look up", known, "ids"),
    ("look up", taken_back, "withdrawn"),
    ("copy", user_signals, "store"),
    ("sums", aggregates, "lock"),
    ("sums", aggregates, "add"),
)
DOORS: Final[dict[str, tuple[Callable[..., received.Received], Any]]] = {
    "traces": (traces.traces, TRACES),
    "signals": (signals.signals, SIGNALS),
}


class Stopwatch:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._open = ["the rest"]
        self._since = 0.0

    def shares(self) -> dict[str, float]:
        whole = sum(self.seconds.values())
        ranked = sorted(self.seconds.items(), key=lambda one: -one[1])
        return {step: seconds / whole for step, seconds in ranked}

    def run(self, noun: str, lines: bytes, tenant: Tenant, now: datetime) -> None:
        """Take the rows of an NDJSON body in, nothing beside anything else."""
        take, steps = DOORS[noun]
        blocks = [lines[at : at + body.BLOCK] for at in range(0, len(lines), body.BLOCK)]
        self._since = time.perf_counter()
        rows = self._timed("read", lambda: list(reading.lines(blocks)))()
        with ExitStack() as undone:
            for step, place, name in steps:
                undone.callback(setattr, place, name, getattr(place, name))
                setattr(place, name, self._timed(step, getattr(place, name)))
            undone.callback(setattr, received, "take_all", received.take_all)
            received.take_all = _one_after_the_other
            counted = take(rows, tenant=tenant, now=now, source="bench")
        self._to()
        if counted.accepted != len(rows):
            raise RuntimeError(f"Of {len(rows)} rows {counted.accepted} were taken: {counted.rejected[:3]}")

    def _to(self) -> None:
        now = time.perf_counter()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now

    def _timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._to()
            self._open.append(step)
            try:
                return function(*args, **kwargs)
            finally:
                self._to()
                self._open.pop()

        return timed


def _one_after_the_other(reading: Any, take: Callable[[Any], int]) -> received.Received:
    counted = received.Received()
    for part in reading:
        counted.add(take(part), part)
    return counted
