"""The log as a file that proves itself: with a public key and this file, nothing else is needed.

JSON, a line each: a head; the sealed events in their order, with their place and leaf; each signed checkpoint after the
last event that it covers; then what is not sealed yet; and an end. The leaf of an event is SHA-256 over a zero byte and
the value of "event", byte for byte as it stands in the line.
"""

import base64
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from django.utils import timezone

from hitl.access.models import User
from hitl.audit.reading import Checkpoint, Live, Rest, Sealed

FORMAT = "hitl audit log 1"
EVENT = re.compile(rb'\{"n": (\d+), "leaf": "([A-Za-z0-9+/]{43}=)", "event": (\{.*\})\}\n', re.DOTALL)
CHECKPOINT, UNSEALED, END = b'{"checkpoint": ', b'{"unsealed": ', b'{"end": '


class NotAnExport(ValueError):
    """The file cannot be read as an export; the message says why."""


def event_line(item: Sealed) -> bytes:
    """An event of the sealed log as one line."""
    return b'{"n": %d, "leaf": "%b", "event": %b}\n' % (item.position, base64.b64encode(item.leaf), item.line or b"{}")


def whole(log: Live, progress: Callable[[int], object] = lambda _: None) -> Iterator[bytes]:
    """The log, line by line. An event that is gone leaves its gap, for the proof to find."""
    # Not in the log itself: a person who is erased loses the name there and here, and what they did stays proved.
    people = {str(pk): name for pk, name in User.objects.values_list("pk", "name")}
    yield _json(audit=FORMAT, origin=log.origin, size=log.size, at=timezone.now().isoformat(), people=people)
    events = unsealed = 0
    for item in log.items():
        if isinstance(item, Checkpoint):
            yield _json(checkpoint=item.note)
        elif item.line is not None:
            yield event_line(item)
            events += 1
            progress(1)
    for line in log.unsealed_lines():
        yield UNSEALED + line + b"}\n"
        unsealed += 1
    yield _json(end={"events": events, "unsealed": unsealed})


def write(file: Path, log: Live, progress: Callable[[int], object] = lambda _: None) -> None:
    """Write the whole log, compressed if the file is named so. OSError if that is not possible."""
    with file.open("wb") as out:
        lines = whole(log, progress)
        out.writelines(compressed(lines) if file.suffix == ".gz" else lines)


def part(events: Iterable[Sealed], what: str) -> Iterator[bytes]:
    """Some events, for whoever may not have the whole; each can be held against it by its place and leaf."""
    yield _json(audit=FORMAT, part=what, at=timezone.now().isoformat())
    number = 0
    for item in events:
        number += 1
        yield event_line(item) if item.position >= 0 else UNSEALED + (item.line or b"{}") + b"}\n"
    yield _json(end={"events": number})


def compressed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """As a gzip file, a piece at a time."""
    gzipped = zlib.compressobj(3, wbits=31)
    for line in lines:
        if piece := gzipped.compress(line):
            yield piece
    yield gzipped.flush()


def _json(**values: Any) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


class Export:
    """An export as a source to prove. NotAnExport, here or while reading, if it is none, or a part of one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._unsealed = 0
        try:
            head = json.loads(next(self._lines(), b""))
            known, part = head["audit"] == FORMAT, head.get("part")
            self.origin, self.size = ("", 0) if part else (str(head["origin"]), int(head["size"]))
        except (ValueError, KeyError, TypeError, OSError, EOFError) as error:
            raise NotAnExport(f"{file} is not an export of the audit log ({error}).") from error
        if not known:
            raise NotAnExport(f"{file} is an export of another kind: this proves {FORMAT!r}.")
        if part:
            raise NotAnExport(
                f"{file} holds a part of the log ({part}): only the whole log can be proved. "
                "Write it with `manage.py audit export FILE`."
            )

    def _lines(self) -> Iterator[bytes]:
        with self.file.open("rb") as probe:
            zipped = probe.read(2) == b"\x1f\x8b"
        with gzip.open(self.file, "rb") if zipped else self.file.open("rb") as lines:
            yield from cast(IO[bytes], lines)

    def items(self) -> Iterator[Sealed | Checkpoint]:
        lines = self._lines()
        next(lines)
        number, ended = 1, False
        try:
            for number, line in enumerate(lines, 2):
                if found := EVENT.fullmatch(line):
                    yield Sealed(int(found[1]), "", base64.b64decode(found[2]), found[3])
                elif line.startswith(CHECKPOINT):
                    note = str(json.loads(line)["checkpoint"])
                    yield Checkpoint(int(note.split("\n")[1]), note)
                elif line.startswith(UNSEALED):
                    self._unsealed += 1
                elif line.startswith(END):
                    ended = True
                else:
                    raise NotAnExport(f"{self.file}, line {number}, is no line of an export.")
        except (ValueError, KeyError, IndexError, OSError, EOFError) as error:
            if isinstance(error, NotAnExport):
                raise
            raise NotAnExport(f"{self.file} cannot be read after line {number}: {error}.") from error
        if not ended:
            raise NotAnExport(f"{self.file} breaks off after line {number}: it was not written to its end, or was cut.")

    def rest(self) -> Rest:
        """Known once the items have been read."""
        return Rest(self._unsealed)
