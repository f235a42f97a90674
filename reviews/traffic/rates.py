"""How much of the traffic fails, from cases drawn with unequal chances. Pure: what was drawn in, a rate out.

A case that was drawn with the chance p stands for 1/p cases: the rate is the weighted share (J. Hájek, "Comment on An
essay on the logical foundations of survey sampling", in V. P. Godambe, D. A. Sprott (eds.), "Foundations of statistical
inference", 1971, 236). It is unbiased, up to a term of 1/n, as long as

- every trace had some chance, and its chance is known: the random draw, which leaves nothing out, gives that. Without
  it, traces that no other sampling policy looks at would be missing, and no weight brings them back;
- what decides the chance was known before anybody looked at the case. A pick for certain (the nearest to a judge's
  threshold) has the chance 1 and stands for itself alone: fine, as long as the random draw reaches the others;
- of the cases drawn by one sampling policy, those that were labelled are like those that were not. So the labelled
  stand in for the waiting ones of the same policy, by weight (response classes: C.-E. Särndal, B. Swensson,
  J. Wretman, "Model assisted survey sampling", 1992, section 15.6). Dropped cases are the oldest and least urgent, so
  that is a guess for them, as it is where nothing at all of a policy is labelled: `at_least` and `at_most` say what
  the rate is if all of these pass, or all fail (C. F. Manski, "Partial identification of probability distributions",
  2003, chapter 1).

The interval: cases of about one weight (within a factor of two) make a stratum. Each has Jeffreys' interval for as many
cases as its weights are worth (L. Kish, "Survey sampling", 1965, section 11.7), less what was looked at of it; the
strata are put together as in `hitl.statistics.weighted`, with the chance in their sizes added. Where the truth is known
(see the tests) it holds it in 94 to 96 of 100 samples; the usual normal interval does in 67 to 94, since the few
failures that stand for many are mostly not in the sample.
"""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import ceil, floor, isclose, log2, sqrt
from typing import Any, Final

from hitl.statistics import Interval, Weighed, Z, jeffreys, weighted

# Under so many labels nothing is said; an interval wider than this is nothing to build on.
FEWEST: Final = 10
WIDEST: Final = 0.2
MANY: Final = 1e9


class State(StrEnum):
    """What became of a case that was drawn. Unclear: all its categories are in quarantine."""

    PASSES = "passes"
    FAILS = "fails"
    UNCLEAR = "unclear"
    WAITING = "waiting"
    DROPPED = "dropped"


LABELLED: Final = frozenset((State.PASSES, State.FAILS))


@dataclass(slots=True)
class _Sum:
    n: int = 0
    weight: float = 0.0
    squares: float = 0.0
    fails: float = 0.0

    def add(self, other: "_Sum") -> None:
        self.n += other.n
        self.weight += other.weight
        self.squares += other.squares
        self.fails += other.fails

    def times(self, factor: float) -> "_Sum":
        return _Sum(self.n, self.weight * factor, self.squares * factor**2, self.fails * factor)


@dataclass(slots=True)
class Tally:
    """Drawn cases, summed up as they come: it does not grow with them.

    A stratum is a response class and a power of two that the weight is nearest above.
    """

    counts: Counter[State] = field(default_factory=Counter)
    _labelled: dict[tuple[str, int], _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    _drawn: Counter[str] = field(default_factory=Counter)
    _dropped: Counter[str] = field(default_factory=Counter)

    def add(self, group: str, weight: float, state: State) -> None:
        """`group`: the response class, which is the sampling policy that the case came by. `weight` is over 0."""
        self.counts[state] += 1
        self._drawn[group] += weight  # type: ignore[assignment]
        if state in LABELLED:
            cell = self._labelled[group, floor(log2(weight))]
            cell.n += 1
            cell.weight += weight
            cell.squares += weight * weight
            cell.fails += weight * (state is State.FAILS)
        elif state is State.DROPPED:
            self._dropped[group] += weight  # type: ignore[assignment]

    @property
    def labels(self) -> int:
        return self.counts[State.PASSES] + self.counts[State.FAILS]

    @property
    def drawn(self) -> int:
        return sum(self.counts.values())

    @property
    def stands_for(self) -> float:
        """How many traces the drawn ones stand for: about as many as there were."""
        return float(sum(self._drawn.values()))

    @property
    def unseen(self) -> float:
        """The share of dropped cases, and of policies that nothing is labelled of: nobody knows how these are."""
        silent = self._drawn.keys() - {group for group, _ in self._labelled}
        return sum(self._drawn[one] if one in silent else self._dropped[one] for one in self._drawn) / self.stands_for

    def strata(self, *, with_dropped: bool = True) -> list["_Sum"]:
        """The labelled, each with the weight of those of its class that were not."""
        labelled: Counter[str] = Counter()
        for (group, _), cell in self._labelled.items():
            labelled[group] += cell.weight  # type: ignore[assignment]
        merged: dict[int, _Sum] = defaultdict(_Sum)
        for (group, _), cell in sorted(self._labelled.items()):
            drawn = self._drawn[group] - (0 if with_dropped else self._dropped[group])
            raised = cell.times(drawn / labelled[group])
            merged[floor(log2(raised.weight / raised.n))].add(raised)
        return [merged[number] for number in sorted(merged)]


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its 95% interval; `value` is None where too little is labelled, and `reason` says why.

    `like`: how many labels drawn at random would tell as much; None where every case was looked at. `more`: how many
    labels are missing until something can be said, or until the interval is no wider than WIDEST.
    """

    value: float | None
    low: float | None
    high: float | None
    labels: int
    failures: int
    drawn: int
    waiting: int
    dropped: int
    unclear: int
    stands_for: float
    like: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    more: int = 0
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {key: round(one, 6) if isinstance(one, float) else one for key, one in asdict(self).items()}


def rate(tally: Tally, *, is_whole: bool = True, fewest: int = FEWEST) -> Rate:
    """The rate over all that could be drawn. `is_whole`: over the very cases of that time, of which those drawn are a
    part that is known; else over what such cases are like.
    """
    counts = tally.counts
    known: dict[str, Any] = {
        "labels": tally.labels,
        "failures": counts[State.FAILS],
        "drawn": tally.drawn,
        "waiting": counts[State.WAITING],
        "dropped": counts[State.DROPPED],
        "unclear": counts[State.UNCLEAR],
        "stands_for": tally.stands_for,
    }
    if tally.labels < max(1, fewest):
        more = max(1, fewest) - tally.labels
        return Rate(None, None, None, **known, more=more, reason=f"{_labels(more)} too few to say anything.")
    value, low, high = _estimate(tally.strata(), is_whole)
    unseen = tally.unseen
    seen_fails = (1 - unseen) * _share(tally.strata(with_dropped=False)) if unseen else 0.0
    wide = (high - low) / WIDEST
    return Rate(
        value,
        low,
        high,
        **known,
        like=_as_many_as(value, high - low),
        at_least=seen_fails if unseen else None,
        at_most=seen_fails + unseen if unseen else None,
        more=ceil(tally.labels * (wide**2 - 1)) if wide > 1 else 0,
    )


def _share(strata: list[_Sum]) -> float:
    return min(1.0, sum(one.fails for one in strata) / sum(one.weight for one in strata))


def _estimate(strata: list[_Sum], is_whole: bool) -> tuple[float, float, float]:
    whole = sum(one.weight for one in strata)
    value = _share(strata)
    found = weighted([Weighed(one.weight / whole, _within(one, is_whole)) for one in strata])
    # That the strata are as large as they are is chance, too, where it was not known before.
    sizes = 0.0
    for one in strata:
        spread = max(0.0, one.squares - (one.weight if is_whole else 0.0))
        sizes += spread * (one.fails / one.weight - value) ** 2 / whole**2
    down, up = (sqrt((value - end) ** 2 + Z * Z * sizes) for end in (found.low, found.high))
    return value, max(0.0, value - down), min(1.0, value + up)


def _within(one: _Sum, is_whole: bool) -> Interval:
    share = min(1.0, one.fails / one.weight)
    seen = min(1.0, one.n / one.weight) if is_whole else 0.0
    if isclose(seen, 1.0, abs_tol=1e-9):
        return Interval(share, share, share, one.n)
    return jeffreys(share, one.weight**2 / one.squares / (1 - seen))


def _as_many_as(value: float, width: float) -> float | None:
    """How many cases drawn at random have an interval of this width around this share."""
    if width <= 0:
        return None
    # An interval is about as wide as one by the root of its cases, so this is near within a few steps.
    found = 1.0
    for _ in range(20):
        have = jeffreys(value, found)
        step = ((have.high - have.low) / width) ** 2
        found = min(MANY, found * step)
        if isclose(step, 1, rel_tol=1e-3) or found == MANY:
            break
    return found


def _labels(count: int) -> str:
    return f"{count:,} label{'' if count == 1 else 's'}"
