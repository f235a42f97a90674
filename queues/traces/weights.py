"""What a signal counts for: a prior from -1 (something is wrong) to 1, never a label."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from types import MappingProxyType
from typing import Final

from hitl.models import Tenant
from queues.models import Signal, SignalWeights

Type = Signal.Type
# Where a team has measured nothing yet. Edits go to the top: they are corrections by whoever knew better. A reason says
# most of what is left; asking again or for another answer is right about seven times in ten; a thumb alone says little
# of what was wrong. Leaving and lingering mean one thing as often as another. What was copied was of use, less so where
# it had to be changed.
DEFAULTS: Final[Mapping[str, float]] = MappingProxyType({
    Type.USER_EDIT.value: -1.0,
    Type.USER_REASON.value: -0.8,
    Type.REGENERATE.value: -0.7,
    Type.FOLLOWUP.value: -0.7,
    Type.USER_RATING.value: 0.6,
    Type.ABANDON.value: -0.2,
    Type.DWELL.value: -0.1,
    Type.COPY_EDIT.value: 0.2,
    Type.ACCEPT.value: 0.4,
    Type.COPY.value: 0.7,
})  # fmt: skip
NEGATIVE: Final = frozenset((Type.USER_REASON.value, Type.REGENERATE.value, Type.FOLLOWUP.value))
RATING: Final = Type.USER_RATING.value
DWELL: Final = Type.DWELL.value
EDITS: Final = frozenset((Type.USER_EDIT.value, Type.COPY_EDIT.value))
LOW: Final = 2.0
DOWN: Final = "down"
UP: Final = "up"


@dataclass(frozen=True, slots=True)
class Weights:
    """What each type counts for in a tenant. Of a rating it is the weight of the best one; the worst is its opposite,
    unless the two halves, or single reasons, are named on their own (see `kind`).
    """

    revision: int
    by_type: Mapping[str, float]

    def of(self, type: str, value: float | None, median: float | None = None, reason: str = "") -> float:
        """What one signal counts for. `median`: of a dwell, how long its topic's users usually stay."""
        weight = self.of_kind(kind(type, value, reason))
        if type == RATING:
            return weight * abs((value or 3.0) - 3.0) / 2.0
        if type == DWELL:
            return weight * strangeness(value, median)
        if type in EDITS and value == 0:
            return 0.0
        return weight

    def of_kind(self, kind: str) -> float:
        """The weight of a kind at its full: its own, else that of its type."""
        type, _, part = kind.partition(":")
        if kind in self.by_type or not part:
            return self.by_type.get(kind, 0.0)
        return self.by_type.get(type, 0.0) * (-1 if part == DOWN else 1)


def kind(type: str, value: float | None, reason: str = "") -> str:
    """What may be weighed on its own: `user_rating:down` and `:up`, `user_reason:refused` and so on, else the type."""
    if type == RATING:
        return f"{type}:{DOWN if value is not None and value < 3 else UP}"
    return f"{type}:{reason}" if reason else type


def strangeness(seconds: float | None, median: float | None) -> float:
    """How far from the usual somebody stayed, 0 to 1: up to twice or half of it is usual, eight times is strange."""
    if not seconds or not median:
        return 0.0
    return min(1.0, max(0.0, (abs(log2(seconds / median)) - 1.0) / 2.0))


def of(tenant: Tenant) -> Weights:
    """The tenant's weights as they stand: the newest revision, and the defaults for what it does not name."""
    newest = SignalWeights.objects.filter(tenant=tenant).order_by("-revision").first()
    if newest is None:
        return Weights(0, DEFAULTS)
    return Weights(newest.revision, {**DEFAULTS, **newest.weights})


def is_negative(type: str, value: float | None) -> bool:
    """Whether it says that something was wrong: a rating of 2 or less, a reason, asking again or for another answer."""
    if type == RATING:
        return value is not None and value <= LOW
    return type in NEGATIVE
