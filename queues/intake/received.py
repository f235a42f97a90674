"""What became of rows that came in, and how they are read: one shape and one loop for every door of rows."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from queues.intake.body import BodyRefused

ROWS_MOST: Final = 100_000
PART_ROWS: Final = 2_500
PART_BYTES: Final = 8 * 1024 * 1024

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not taken, and why. `index` counts rows from 0; `name` is its id, None where it was not read.
    `is_conflict`: its name was taken, with other content.
    """

    index: int
    name: str | None
    error: str
    is_conflict: bool = False


@dataclass(slots=True)
class Part(Generic[R]):
    """Some of the rows: as many as one transaction takes. `cut_off` says why the rows after it were not read."""

    ready: list[R] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    duplicates: int = 0
    size: int = 0
    cut_off: BodyRefused | None = None

    def reject(self, index: int, name: str | None, error: str, *, is_conflict: bool = False) -> None:
        self.rejected.append(Rejection(index, name, error, is_conflict))

    @property
    def is_full(self) -> bool:
        rows = len(self.ready) + len(self.rejected) + self.duplicates
        return rows >= PART_ROWS or self.size >= PART_BYTES


@dataclass(slots=True)
class Received:
    """What became of the rows. `cut_off` says why the rest was not read; what is counted here is kept all the same."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    cut_off: BodyRefused | None = None

    @property
    def rows(self) -> int:
        return self.accepted + self.duplicates + len(self.rejected)

    def add(self, accepted: int, part: Part[R]) -> None:
        self.accepted += accepted
        self.duplicates += part.duplicates
        self.rejected += sorted(part.rejected, key=lambda rejection: rejection.index)
        self.cut_off = part.cut_off


Check = Callable[[int, object, Part[R]], None]


def parts(incoming: Iterable[object], check: Check[R], most: int | None = ROWS_MOST) -> Iterator[Part[R]]:
    """The rows in parts. `check` puts a row into the part: as one that may be taken, or as one that is not, with the
    reason. A stream that breaks off, or has more than `most` rows, ends the last part.
    """
    part: Part[R] = Part()
    try:
        for index, row in enumerate(incoming):
            if index == most:
                raise BodyRefused(413, f"More than {most:,} rows came in one request. Send the rest in another.")
            check(index, row, part)
            if part.is_full:
                yield part
                part = Part()
    except BodyRefused as refused:
        part.cut_off = refused
    if part.ready or part.rejected or part.cut_off:
        yield part


def take_all(reading: Iterator[Part[R]], take: Callable[[Part[R]], int]) -> Received:
    """Take part after part; `take` says how many of a part's rows were stored. The next part is read and checked in a
    thread of its own while the database has this one, so what is read must not use the database.
    """
    received = Received()
    part = next(reading, None)
    with ThreadPoolExecutor(1, thread_name_prefix="intake") as ahead:
        while part is not None:
            following = ahead.submit(next, reading, None) if part.is_full else None
            received.add(take(part), part)
            part = following.result() if following else None
    return received


def named(row: object, field: str) -> str | None:
    """The id of a row as far as it can be read, to name the row by."""
    found = row.get(field) if isinstance(row, dict) else None
    return found[:200] if isinstance(found, str) else None


def door(source: str) -> str:
    """The door's name out of `source`, which is the name and the token: `langfuse token 12ab`."""
    return source.partition(" ")[0][:20]
