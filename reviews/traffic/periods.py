"""The stretches of time that figures of the traffic are told for: whole days, in UTC. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from queues.quarters import quarter_of

USUAL: Final = "30d"
DAYS: Final = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Period:
    """`key` is like 30d or 2026-Q4; it includes `since` and not `until`."""

    key: str
    name: str
    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


def periods(now: datetime) -> Sequence[Period]:
    """The last days, the quarter, and the one before it, which is over."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = today + timedelta(days=1)
    quarter = quarter_of(now)
    before = quarter_of(quarter.begins - timedelta(days=1))
    return (
        *(Period(f"{days}d", f"Last {days} days", tomorrow - timedelta(days=days), tomorrow) for days in DAYS),
        Period(quarter.name, f"Since {quarter.begins:%-d %B}", quarter.begins, tomorrow),
        Period(before.name, _words(before.name), before.begins, before.ends),
    )


def _words(quarter: str) -> str:
    year, number = quarter.split("-Q")
    return f"Quarter {number} of {year}"
