"""A step of an interaction, and what becomes of two words on the same one: the same, whichever came first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic_core import to_json


@dataclass(frozen=True, slots=True)
class Step:
    """A span as it is kept. `content` holds what it adds to its trace, by the names that `SpanIn` lists."""

    span: str
    started_at: datetime
    parent: str = ""
    kind: str = ""
    name: str = ""
    ended_at: datetime | None = None
    content: Mapping[str, Any] = field(default_factory=dict)


def merged(one: Step, other: Step) -> Step:
    """What two words on a step say together. Nothing that either says is lost but where they differ: the earlier start,
    the later end, and of two texts or lists the longer. So the order in which words come never matters, nor how often.
    """
    return Step(
        span=one.span,
        started_at=min(one.started_at, other.started_at),
        parent=_fuller(one.parent, other.parent),
        kind=_fuller(one.kind, other.kind),
        name=_fuller(one.name, other.name),
        ended_at=max((end for end in (one.ended_at, other.ended_at) if end), default=None),
        content=_fuller(one.content, other.content),
    )


def _fuller(one: Any, other: Any) -> Any:
    """The join of two JSON-like values: commutative, associative, and the same value twice is that value."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        both = {**one, **other}
        for key in one.keys() & other.keys():
            both[key] = _fuller(one[key], other[key])
        return both
    return max(one, other, key=_fullness)


def _fullness(value: Any) -> tuple[int, float, bytes]:
    """How much a value says: first by what it is, then by its length, then by what is written, to have an order."""
    if value is None:
        return 0, 0, b""
    if isinstance(value, bool | int | float):
        return 1, float(value), b""
    if isinstance(value, Mapping):
        return 4, 0, b""
    written = to_json(value, inf_nan_mode="null")
    return (3 if isinstance(value, list | tuple) else 2), len(written), written
