"""What foreign spans say, in the house's words: the readers of their attributes, and how their words become one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from queues.intake.foreign.meaning import Word
from queues.intake.span import SpanIn

# Fields that several readers add to; of the others the first reader's word counts.
SHARED: Final = frozenset(("metadata", "scores"))


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    at: datetime
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A span as OpenTelemetry has it, ids in hexadecimal. `failed` says how it failed, or that it did; else empty."""

    trace: str
    span: str
    parent: str
    name: str
    started_at: datetime
    ended_at: datetime | None
    attributes: Mapping[str, Any]
    events: tuple[Event, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    failed: str = ""
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What one reader makes of a span: its kind and content as in `SpanIn`, and what was said of the answer in it."""

    kind: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[Word, ...] = ()


Reader = Callable[[Sent], Said]


@dataclass(frozen=True, slots=True)
class Read:
    """A span for the intake, and what was said of the answer in it."""

    span: SpanIn
    words: tuple[Word, ...]


def read(sent: Sent, readers: Iterable[Reader]) -> Read:
    """A span as these readers see it; what the first of them says counts. What an evaluator says is said of the span
    that it links to, and stands among that one's own.
    """
    kind = ""
    content: dict[str, Any] = {}
    words: list[Word] = []
    for reader in readers:
        said = reader(sent)
        kind = kind or said.kind
        for name, value in said.content.items():
            if value in (None, "", [], {}):
                continue
            content[name] = {**value, **content.get(name, {})} if name in SHARED else content.get(name, value)
        words += said.words
    trace, parent, about = sent.trace, sent.parent, sent.span
    if kind == "evaluator" and len(sent.links) == 1:
        trace, parent = sent.links[0]
        about = parent
        content.pop("input", None)
        content.pop("output", None)
    span = SpanIn(
        trace=trace,
        span=sent.span,
        parent=parent,
        kind=kind,
        name=sent.name,
        started_at=sent.started_at,
        ended_at=sent.ended_at,
        content=content,
    )
    return Read(span, tuple(replace(word, trace=trace, span=about) for word in words))
