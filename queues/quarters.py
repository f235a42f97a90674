"""Quarters of a year, in UTC. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Quarter:
    """`name` is like 2026-Q4."""

    name: str
    begins: datetime
    ends: datetime

    def over(self, now: datetime) -> float:
        """How much of it is over, 0 to 1."""
        return min(1.0, max(0.0, (now - self.begins) / (self.ends - self.begins)))


def quarter_of(moment: datetime) -> Quarter:
    at = moment.astimezone(UTC)
    number = (at.month - 1) // 3
    begins = datetime(at.year, 3 * number + 1, 1, tzinfo=UTC)
    ends = datetime(at.year + number // 3, (3 * number + 3) % 12 + 1, 1, tzinfo=UTC)
    return Quarter(f"{at.year}-Q{number + 1}", begins, ends)
