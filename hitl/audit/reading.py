"""The sealed log of the live database, in its order, in short reads: a long snapshot would slow every claim."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from django.db import connection

CHUNK = 10_000

# What the leaf was made of; audit_append() builds the same. Spelled out here, so that proving needs no function of the
# database that is to be proved.
LINE = """jsonb_build_object(
  'id', id, 'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'tx', tx::text,
  'actor_id', actor_id, 'actor_name', actor_name, 'action', action, 'subject', subject,
  'tenant_id', tenant_id, 'queue_id', queue_id, 'detail', detail)::text"""


class Sealed(NamedTuple):
    """An event at its place in the tree. `line` is None where the event itself is gone."""

    position: int
    event_id: str
    leaf: bytes
    line: bytes | None


class Checkpoint(NamedTuple):
    size: int
    note: str


@dataclass(frozen=True)
class Rest:
    """What is not sealed: how many, since when, and the first that was slipped in behind what was sealed."""

    count: int = 0
    since: datetime | None = None
    behind: str = ""


class Source(Protocol):
    """A log that can be proved: the live one, or an export."""

    origin: str
    size: int

    def items(self) -> Iterator[Sealed | Checkpoint]: ...

    def rest(self) -> Rest: ...


class Live:
    """The log as it stands when this is made; what is sealed meanwhile is left out."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("select origin, size from audit_tree")
            found: tuple[str, int] = cursor.fetchone()
        self.origin, self.size = found

    def items(self) -> Iterator[Sealed | Checkpoint]:
        """Events by position; a checkpoint follows the last event it covers."""
        for start in range(0, self.size, CHUNK):
            until = min(start + CHUNK, self.size)
            notes = self._checkpoints(start, until)
            for item in self._sealed(start, until):
                while notes and notes[0].size <= item.position:
                    yield notes.pop(0)
                yield item
            yield from notes

    def _checkpoints(self, start: int, until: int) -> list[Checkpoint]:
        with connection.cursor() as cursor:
            cursor.execute(
                "select size, note from audit_checkpoint where size > %s and size <= %s order by size", [start, until]
            )
            return [Checkpoint(*row) for row in cursor.fetchall()]

    def _sealed(self, start: int, until: int) -> Iterator[Sealed]:
        with connection.cursor() as cursor:
            cursor.execute(
                "select position, event_id::text, leaf from audit_leaf where position >= %s and position < %s "
                "order by position",
                [start, until],
            )
            leaves = cursor.fetchall()
            if not leaves:
                return
            # Bounds as values, so that only the partitions of this stretch of time are read.
            ids = [row[1] for row in leaves]
            cursor.execute(
                f"select id::text, {LINE} from audit_event where id between %s and %s "  # noqa: S608 -- no value in it
                "and id = any(%s::uuid[])",
                [min(ids), max(ids), ids],
            )
            lines = dict(cursor.fetchall())
        for position, event_id, leaf in leaves:
            line = lines.get(event_id)
            yield Sealed(position, event_id, bytes(leaf), line.encode() if line is not None else None)

    def rest(self) -> Rest:
        """A row below `low` that nobody sealed was not appended by a transaction: they had all ended by then."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                select count(*), min(at), min(id::text) filter (
                  where tx < low and cluster = (select system_identifier from pg_control_system()))
                from audit_event cross join audit_tree
                where not exists (select from audit_leaf where event_id = id)
                """
            )
            count, since, behind = cursor.fetchone()
        return Rest(count, since, behind or "")

    def unsealed_lines(self) -> Iterator[bytes]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"select {LINE} from audit_event "  # noqa: S608 -- no value in it
                "where not exists (select from audit_leaf where event_id = id) order by id"
            )
            for (line,) in cursor:
                yield line.encode()
