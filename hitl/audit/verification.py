"""Proving the log: each row against its leaf, the leaves against signed roots, and all against the copy outside."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hitl.audit import notes
from hitl.audit.copies import Copied, Damaged
from hitl.audit.export import NotAnExport
from hitl.audit.merkle import Tree, leaf_hash
from hitl.audit.reading import Checkpoint, Rest, Sealed, Source

KEEP = 20


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was sealed. `position` counts events from 0, in the order they were sealed."""

    sentence: str
    position: int | None = None
    event_id: str = ""


@dataclass
class Report:
    """What was proved. The faults come in order: the first names the first bad row."""

    events: int = 0
    checkpoints: int = 0
    signed: int = 0
    copied: int | None = None
    rest: Rest = field(default_factory=Rest)
    faults: list[Fault] = field(default_factory=list)
    more: int = 0

    @property
    def good(self) -> bool:
        return not self.faults

    def say(self, fault: Fault) -> None:
        if len(self.faults) < KEEP:
            self.faults.append(fault)
        else:
            self.more += 1


def verify(
    source: Source,
    keys: Sequence[notes.PublicKey],
    copied: Copied | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Report:
    """Reads the log once, in constant memory. A gap, or a root that does not fit, ends it: no later one can fit."""
    return _Proof(source, keys, copied).run(progress)


class _Proof:
    def __init__(self, source: Source, keys: Sequence[notes.PublicKey], copied: Copied | None) -> None:
        self.source, self.keys, self.copied = source, keys, copied
        self.report = Report()
        self.tree = Tree()
        self.proved = copied.leaves(keys) if copied else iter(())

    def run(self, progress: Callable[[int], object]) -> Report:
        whole = self._read(progress)
        if whole:
            self._end()
        self.report.events = self.tree.size
        self.report.rest = rest = self.source.rest()
        if rest.behind:
            self.report.say(
                Fault(
                    f"Event {rest.behind} was put in behind what was sealed: no transaction of ours did that.",
                    None,
                    rest.behind,
                )
            )
        return self.report

    def _read(self, progress: Callable[[int], object]) -> bool:
        try:
            for item in self.source.items():
                if isinstance(item, Checkpoint):
                    if not self._checkpoint(item):
                        return False
                elif not self._event(item):
                    return False
                else:
                    progress(1)
        except NotAnExport as error:
            self.report.say(Fault(str(error), self.tree.size))
            return False
        return True

    def _event(self, item: Sealed) -> bool:
        at = self.tree.size
        if item.position != at:
            if item.position > at:
                self._missing()
            else:
                self.report.say(Fault(f"Place {item.position:,} comes twice; place {at:,} should be next.", at))
            return False
        was = self._leaf_outside()
        if item.line is None:
            self._bad(item, "has been deleted")
        elif leaf_hash(item.line) != item.leaf:
            self._bad(item, "has been changed: it is not what was sealed")
        elif was is not None and was != item.leaf:
            self._bad(item, "has been rewritten together with its seal: the copy kept outside has another")
        self.tree.add(item.leaf)
        return True

    def _bad(self, item: Sealed, how: str) -> None:
        event_id = item.event_id or _id_in(item.line)
        self.report.say(Fault(f"Event {event_id} (place {item.position:,}) {how}.", item.position, event_id))

    def _missing(self) -> None:
        self.report.say(Fault(f"The event at place {self.tree.size:,} is missing.", self.tree.size))

    def _leaf_outside(self) -> bytes | None:
        try:
            return next(self.proved, None)
        except Damaged as error:
            self.proved = iter(())
            self.report.say(Fault(f"The copy kept outside is damaged, and helps no further. {error}"))
            return None

    def _checkpoint(self, item: Checkpoint) -> bool:
        self.report.checkpoints += 1
        try:
            note = notes.check(item.note, self.keys)
        except notes.BadNote as error:
            self.report.say(Fault(str(error), self.report.signed))
            return True
        if note.size != self.tree.size or note.size != item.size or note.origin != self.source.origin:
            if note.size > self.tree.size:
                self._missing()
            else:
                self.report.say(Fault(f"The checkpoint of {note.size:,} events of {note.origin} is out of place here."))
            return False
        if note.root != self.tree.root():
            if not any(
                fault.position is not None and fault.position >= self.report.signed for fault in self.report.faults
            ):
                self.report.say(
                    Fault(
                        f"One or more of the events at places {self.report.signed:,} to {note.size - 1:,} have been "
                        "rewritten together with their seal: the signed checkpoint over them does not fit.",
                        self.report.signed,
                    )
                )
            return False
        self.report.signed = note.size
        return True

    def _end(self) -> None:
        """Nothing may be missing at the end: neither what the database says it has, nor what the copy has."""
        if self.tree.size < self.source.size:
            self._cut(self.source.size, "the log says that it has")
        elif self.report.signed < self.tree.size and not self.report.faults:
            self.report.say(
                Fault(
                    f"No checkpoint is signed for the events from place {self.report.signed:,} on.", self.report.signed
                )
            )
        if self.copied is None:
            return
        more = 0
        while self._leaf_outside() is not None:
            more += 1
        if more:
            self._cut(self.tree.size + more, "the copy kept outside has signed checkpoints over")
        self.report.copied = self.copied.tree.size

    def _cut(self, size: int, who: str) -> None:
        at = self.tree.size
        self.report.say(Fault(f"The log has been cut: it ends after {at:,} events, and {who} {size:,}.", at))


def _id_in(line: bytes | None) -> str:
    try:
        return str(json.loads(line or b"")["id"])
    except (ValueError, KeyError, TypeError):
        return "without a readable id"
