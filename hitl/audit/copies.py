"""The copy of the checkpoints outside the database: what a rewritten log is held against.

A line per checkpoint: the signed note, and the leaves that it added, so that the first row that was rewritten can be
named, and not only the fact. Whoever keeps this file (better: on another machine) need not trust the database.
"""

import base64
import binascii
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

from hitl.audit import notes
from hitl.audit.merkle import Tree

NAME = "checkpoints.log"
HASH = 32


class Disagrees(Exception):
    """The database is not the log that this copy has followed. The message says how, and what to do."""


class Damaged(Exception):
    """A line of the copy does not fit its own signature."""


@dataclass(frozen=True)
class Copy:
    note: str
    leaves: bytes

    def line(self) -> bytes:
        leaves = base64.b64encode(self.leaves).decode()
        return json.dumps({"note": self.note, "leaves": leaves}, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "Copy | None":
        """None for a line whose writer died in the middle of it: the next line says it all again."""
        try:
            found = json.loads(line)
            return cls(found["note"], base64.b64decode(found["leaves"], validate=True))
        except (ValueError, binascii.Error, KeyError, TypeError):
            return None


def path() -> Path:
    return Path(settings.AUDIT_CHECKPOINT_DIR) / NAME


def bring_up_to_date() -> int:
    """Append the checkpoints that the copy does not have yet; returns how many. Disagrees if the log is another one."""
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as copy:
        fcntl.flock(copy, fcntl.LOCK_EX)
        last, torn = _last(copy)
        size = _agreed_size(last, file)
        added = 0
        for note, leaves in _after(size):
            copy.write((b"\n" if torn else b"") + Copy(note, leaves).line())
            torn = False
            added += 1
        if added:
            copy.flush()
            os.fsync(copy.fileno())
    return added


def _last(copy: IO[bytes]) -> tuple[Copy | None, bool]:
    """The last whole line, and whether a torn one follows it."""
    end = copy.seek(0, os.SEEK_END)
    span = 1 << 16
    while True:
        start = max(0, end - span)
        copy.seek(start)
        lines = copy.read(end - start).splitlines(keepends=True)
        torn = bool(lines) and not lines[-1].endswith(b"\n")
        for line in reversed(lines if start == 0 else lines[1:]):
            if line.endswith(b"\n") and (found := Copy.read(line)):
                return found, torn
        if start == 0:
            return None, torn
        span *= 8


def _agreed_size(last: Copy | None, file: Path) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "select origin, size, (select root from audit_checkpoint where size = %s) from audit_tree",
            [notes.read(last.note).size if last else 0],
        )
        origin, size, root = cursor.fetchone()
    if last is None:
        return 0
    known = notes.read(last.note)
    if known.origin != origin:
        said = f"{file} belongs to another log ({known.origin}; this database has {origin})."
    elif root is not None and bytes(root) == known.root:
        return known.size
    elif size < known.size:
        said = f"{file} has a signed checkpoint of {known.size:,} events; this database has only {size:,} sealed."
    else:
        said = f"The {known.size:,} events that {file} holds a checkpoint of are not what this database has now."
    raise Disagrees(
        f"{said} Nothing is sealed until that is cleared up. See what differs with `manage.py audit verify`. If a "
        "backup was restored, or the database was made anew on purpose, move the file elsewhere and keep it."
    )


def _after(size: int) -> Iterator[tuple[str, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute("select size, note from audit_checkpoint where size > %s order by size", [size])
        missing: Sequence[tuple[int, str]] = cursor.fetchall()
        for until, note in missing:
            cursor.execute(
                "select string_agg(leaf, '' order by position) from audit_leaf where position >= %s and position < %s",
                [size, until],
            )
            yield note, bytes(cursor.fetchone()[0] or b"")
            size = until


class Copied:
    """The leaves that a file proves, in order: each was signed for. Reads what is in it now, however it grows."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.tree = Tree()
        self.checkpoints = 0
        self._left = file.stat().st_size

    def leaves(self, keys: Sequence[notes.PublicKey]) -> Iterator[bytes]:
        """Damaged at the first line that does not fit."""
        with self.file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                self._left -= len(line)
                if self._left < 0:
                    return
                if found := Copy.read(line):
                    yield from self._proved(found, keys, number)

    def _proved(self, copy: Copy, keys: Sequence[notes.PublicKey], number: int) -> list[bytes]:
        leaves = [copy.leaves[start : start + HASH] for start in range(0, len(copy.leaves), HASH)]
        for leaf in leaves:
            self.tree.add(leaf)
        try:
            if (origin := notes.read(copy.note).origin) not in {key.name for key in keys}:
                raise notes.BadNote(f"It is of another log, {origin}.")
            note = notes.check(copy.note, keys)
        except notes.BadNote as error:
            raise Damaged(f"{self.file}, line {number}: {error}") from error
        if (note.size, note.root) != (self.tree.size, self.tree.root()):
            raise Damaged(f"{self.file}, line {number}: what it holds is not what was signed.")
        self.checkpoints += 1
        return leaves
