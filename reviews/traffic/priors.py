"""What a signal should count for, by what people found on the traces that carry it. Pure.

**Precision**: of the traces with the signal, how many fail. Traces are labelled with unequal chances, those with bad
signals above all; so each stands for 1/p of its kind (see `reviews.traffic.rates`), and the base rate, over all
traffic, is weighted in the same way.

**Weight**: how far the signal moves the rate from the base toward certainty, from -1 (all of them fail) through 0 (as
all traffic) to 1 (none of them fails):

    -(precision - base) / (1 - base)    where it fails more often than all traffic
     (base - precision) / base          where it fails less often

which is the certainty factor of E. H. Shortliffe, B. G. Buchanan, "A model of inexact reasoning in medicine",
Mathematical Biosciences 23 (1975), 351-379, with its sign turned. What is measured is mixed with the default by its
credibility a / (a + s2): s2 is its variance, by the intervals of precision and base rate, and a how far the truth of a
tenant lies from the default, squared (H. Bühlmann, A. Gisler, "A course in credibility theory and its applications",
2005, chapter 3). So a few labels move a weight by little; and those of a good signal by less than those of a bad one,
since among few failures it takes more labels to see that there are fewer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Final

from hitl.statistics import Z
from queues.models import Signal
from reviews.traffic.rates import Rate

# How far a tenant's truth usually lies from the default: within this in two of three.
USUAL_ERROR: Final = 0.3
# What moves a weight by less is not worth a revision.
NOTICEABLE: Final = 0.05

Type = Signal.Type
# In the order of the page: explicit, edits, implicit.
KINDS: Final[Mapping[str, str]] = {
    f"{Type.USER_RATING.value}:down": "Thumbs down, or a rating of 1 or 2",
    f"{Type.USER_RATING.value}:up": "Thumbs up, or a rating of 4 or 5",
    **{
        f"{Type.USER_REASON.value}:{value}": f"What went wrong: {words.lower()}"
        for value, words in Signal.Reason.choices
    },
    **{
        one.value: str(one.label)
        for one in (
            Type.USER_EDIT,
            Type.REGENERATE,
            Type.FOLLOWUP,
            Type.ABANDON,
            Type.COPY_EDIT,
            Type.COPY,
            Type.ACCEPT,
        )
    },
    Type.DWELL.value: "Stayed unusually long or short",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """How often a kind of signal came, and how the traces that carry it fare."""

    kind: str
    came: int
    precision: Rate


@dataclass(frozen=True, slots=True)
class Weighing:
    """A kind's weight now and as proposed, -1 to 1, and why."""

    kind: str
    words: str
    came: int
    precision: Rate
    now: float
    default: float
    proposed: float
    because: str

    @property
    def moves(self) -> bool:
        return abs(self.proposed - self.now) >= NOTICEABLE


def weight_of(precision: float, base: float) -> float:
    """-1 to 1. `base` is over 0 and under 1, else nothing can be told from it, and the weight is 0."""
    if not 0 < base < 1:
        return 0.0
    return -(precision - base) / (1 - base) if precision > base else (base - precision) / base


def weigh(one: Measured, *, base: Rate, now: float, default: float) -> Weighing:
    """The proposal for a kind, drawn toward `default` where little is seen; without any label it stays as it is."""
    words = KINDS.get(one.kind, one.kind)
    found = one.precision
    if found.value is None or base.value is None:
        return Weighing(one.kind, words, one.came, found, now, default, now, _nothing(one, base))
    said = weight_of(found.value, base.value)
    trust = USUAL_ERROR**2 / (USUAL_ERROR**2 + _error(found, base) ** 2)
    proposed = round(trust * said + (1 - trust) * default, 2) + 0.0
    return Weighing(
        one.kind, words, one.came, found, now, default, proposed, _reason(found, base, said, trust, default)
    )


def _error(found: Rate, base: Rate) -> float:
    """The standard error of the weight: by how much it moves over each of the two intervals, put together."""
    value, usual = found.value or 0.0, base.value or 0.0
    by_precision = weight_of(found.low or 0.0, usual) - weight_of(found.high or 0.0, usual)
    by_base = weight_of(value, base.high or 0.0) - weight_of(value, base.low or 0.0)
    return float(hypot(by_precision, by_base) / (2 * Z))


def changed(found: Sequence[Weighing], kinds: Sequence[str] | None = None) -> dict[str, float]:
    """What to write down: the proposals that move a weight noticeably; of these kinds, or of all."""
    return {one.kind: one.proposed for one in found if one.moves and (kinds is None or one.kind in kinds)}


def _nothing(one: Measured, base: Rate) -> str:
    if base.value is None:
        return "No sampled trace is labelled yet. It stays as it is."
    if not one.came:
        return "It never came. It stays as it is."
    return "No trace with it is labelled. It stays as it is."


def _reason(found: Rate, base: Rate, said: float, trust: float, default: float) -> str:
    value, low, high = found.value or 0.0, found.low or 0.0, found.high or 0.0
    usual = base.value or 0.0
    if low <= usual <= high:
        told = f"{value:.0%} of its traces fail, too near to {usual:.0%} of all traffic to tell apart"
    else:
        told = f"{value:.0%} of its traces fail, {usual:.0%} of all traffic"
    few = (
        f"; as that is not sure, it counts {trust:.0%}, and the default {default:+.1f} the rest" if trust < 0.9 else ""
    )
    return f"{told}. Alone that is worth {said:+.2f}{few}."
