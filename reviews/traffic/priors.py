"""What a signal should count for, by what people found on the traces that carry it. Pure.

**Precision**: of the traces with the signal, how many fail. Traces are labelled with unequal chances, those with bad
signals above all; so each stands for 1/p of its kind (see `reviews.traffic.rates`), and the base rate, over all
traffic, is weighted in the same way.

**Weight**: how far the signal moves the rate from the base toward certainty, from -1 (all of them fail) through 0 (as
all traffic) to 1 (none of them fails):

    -(precision - base) / (1 - base)    where it fails more often than all traffic
     (base - precision) / base          where it fails less often

which is the certainty factor of E. H. Shortliffe, B. G. Buchanan, "A model of inexact reasoning in medicine",
Mathematical Biosciences 23 (1975), 351-379, with its sign turned. What is measured on few labels is drawn toward the
default, by the credibility n / (n + k) of H. Bühlmann, "Experience rating and credibility", ASTIN Bulletin 4 (1967),
199-207: with k = 30, thirty labels count as much as the default does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from queues.models import Signal
from reviews.traffic.rates import Rate

# How many labels the default is worth.
TRUST: Final = 30
# What moves a weight by less is not worth a revision.
NOTICEABLE: Final = 0.05
LITTLE: Final = 10

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
    """The proposal for a kind, drawn toward `default` where little is seen."""
    words = KINDS.get(one.kind, one.kind)
    found = one.precision
    if not found.labels or found.value is None or base.value is None or base.low is None or base.high is None:
        proposed, because = default, _nothing(one, base)
    else:
        said = weight_of(found.value, base.value)
        n = min(found.labels, found.like or found.labels)
        trust = n / (n + TRUST)
        proposed = round(trust * said + (1 - trust) * default, 2) + 0.0
        because = _reason(found, base, said, trust, default)
    return Weighing(one.kind, words, one.came, found, now, default, proposed, because)


def changed(found: Sequence[Weighing], kinds: Sequence[str] | None = None) -> dict[str, float]:
    """What to write down: the proposals that move a weight noticeably; of these kinds, or of all."""
    return {one.kind: one.proposed for one in found if one.moves and (kinds is None or one.kind in kinds)}


def _nothing(one: Measured, base: Rate) -> str:
    if base.value is None:
        return f"The base rate is not known yet: {base.reason} The default stands."
    if not one.came:
        return "It never came. The default stands."
    return "No trace with it is labelled. The default stands."


def _reason(found: Rate, base: Rate, said: float, trust: float, default: float) -> str:
    value, low, high = found.value or 0.0, found.low or 0.0, found.high or 0.0
    usual = base.value or 0.0
    if low <= usual <= high:
        told = f"{value:.0%} of its traces fail, too near to {usual:.0%} of all traffic to tell apart"
    else:
        side = "oftener" if value > usual else "more rarely"
        told = f"{value:.0%} of its traces fail, {side} than {usual:.0%} of all traffic"
    few = f", and {1 - trust:.0%} of the default {default:+.1f}, as few are labelled" if trust < 0.9 else ""
    return f"{told}. That alone is worth {said:+.2f}{few}."
