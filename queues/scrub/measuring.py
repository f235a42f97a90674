"""How well the scrub does on texts whose values somebody marked: precision and recall by type, with intervals.

The rule: a marked value is found if at least half of its characters were masked as its kind, and hidden if they were
masked as anything. A masking is right if at least half of it lies in values of its kind (or that belong to one: a town
to an address). A text may be marked for one type alone (`checked`): then only maskings of that kind are judged, and a
text without marks must have none.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hitl.statistics import Interval, wilson
from queues.scrub.kinds import belongs, ours

# Types are kept with the counts, texts are not: so nothing of a text can come in as one.
_TYPE = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
Find = Callable[[str], Sequence["Span"]]


class Unusable(ValueError):
    """A row that cannot be measured with; the text says why."""


@dataclass(frozen=True, slots=True)
class Span:
    """`type` is the file's own word for a marked value, or our kind for a masking."""

    type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Marked:
    text: str
    spans: tuple[Span, ...]
    checked: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """Of one type: how many values were marked, found as their kind, hidden as anything; how many maskings were made
    and right. Maskings are counted by our kind, and by a file's type only where its texts are marked for one type.
    """

    name: str
    kind: str
    marked: int
    found: int
    hidden: int
    masked: int
    right: int

    @property
    def recall(self) -> Interval | None:
        return wilson(self.found, self.marked)

    @property
    def hides(self) -> Interval | None:
        return wilson(self.hidden, self.marked)

    @property
    def precision(self) -> Interval | None:
        return wilson(self.right, self.masked)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "kind": self.kind, "marked": self.marked, "found": self.found, "hidden": self.hidden,
            "masked": self.masked, "right": self.right,
        }  # fmt: skip

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Figure":
        return cls(**stored)


@dataclass(frozen=True, slots=True)
class Measured:
    """`kinds` are ours, `types` the file's; types that nothing here looks for come last, with an empty kind."""

    texts: int
    kinds: tuple[Figure, ...]
    types: tuple[Figure, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "texts": self.texts,
            "kinds": [one.to_json() for one in self.kinds],
            "types": [one.to_json() for one in self.types],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Measured":
        return cls(
            stored["texts"],
            tuple(map(Figure.from_json, stored["kinds"])),
            tuple(map(Figure.from_json, stored["types"])),
        )


@dataclass(slots=True)
class _Tally:
    """Counts of what happened, by kind and by the file's type."""

    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    types: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, what: str, kind: str | None, type_: str = "") -> None:
        if kind:
            self.kinds[kind, what] += 1
        if type_:
            self.types[type_, what] += 1


def marked(row: object) -> Marked:
    """A row of a file as JSON gives it: `text`, `spans` of `start`, `end` (exclusive) and `type`, perhaps
    `checked_type`. Raises Unusable.
    """
    if not isinstance(row, dict) or not isinstance(text := row.get("text"), str):
        raise Unusable("It has no text.")
    if not isinstance(spans := row.get("spans"), list):
        raise Unusable("It has no list of spans.")
    checked = row.get("checked_type") or ""
    if not isinstance(checked, str) or not (checked == "" or _TYPE.fullmatch(checked)):
        raise Unusable("Its checked_type is no type: a word such as PERSON.")
    return Marked(text, tuple(_span(one, len(text)) for one in spans), checked)


def _span(given: object, length: int) -> Span:
    if not isinstance(given, dict) or not isinstance(kind := given.get("type"), str) or not _TYPE.fullmatch(kind):
        raise Unusable("One of its spans has no type: a word such as PERSON.")
    start, end = given.get("start"), given.get("end")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= length:
        raise Unusable("One of its spans does not lie within the text.")
    return Span(kind, start, end)


def measure(texts: Iterable[Marked], find: Find) -> Measured:
    """What `find` masks in the texts, beside what is marked in them."""
    tally = _Tally()
    n = 0
    for n, one in enumerate(texts, 1):  # noqa: B007 -- the count is wanted after the loop
        _compare(one, find(one.text), tally)
    kinds = sorted({kind for kind, _ in tally.kinds})
    types = sorted({type_ for type_, _ in tally.types}, key=lambda name: (ours(name) or "~", name))
    return Measured(
        n,
        tuple(_figure(kind, kind, tally.kinds) for kind in kinds),
        tuple(_figure(name, ours(name) or "", tally.types) for name in types),
    )


def _figure(name: str, kind: str, counts: Counter[tuple[str, str]]) -> Figure:
    return Figure(name, kind, *(counts[name, what] for what in ("marked", "found", "hidden", "masked", "right")))


def _compare(one: Marked, maskings: Sequence[Span], tally: _Tally) -> None:
    for span in one.spans:
        kind = ours(span.type)
        tally.add("marked", kind, span.type)
        if _covers([masking for masking in maskings if masking.type == kind], span):
            tally.add("found", kind, span.type)
        if _covers(maskings, span):
            tally.add("hidden", kind, span.type)
    judged = ours(one.checked) if one.checked else None
    for masking in maskings:
        if one.checked and masking.type != judged:
            continue
        tally.add("masked", masking.type, one.checked)
        if _covers([span for span in one.spans if belongs(span.type, masking.type)], masking):
            tally.add("right", masking.type, one.checked)


def _covers(spans: Iterable[Span], one: Span) -> bool:
    """Whether at least half of `one` lies in the spans."""
    places = {at for span in spans for at in range(max(span.start, one.start), min(span.end, one.end))}
    return 2 * len(places) >= one.end - one.start
