"""How far an automatic judge can be trusted, measured against people. Pure: pairs in, figures out.

What is measured is whether a judge sees that an answer fails, or that it is of a category, when people do. A judge may
agree well with people by kappa and still lean to one side: sensitivity, specificity and corrected prevalence say so.

Nothing that the web loads may import this module: numpy would slow each start.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from codebook.agreement.statistics import RESAMPLES, Figure, figure_of
from hitl.statistics import Interval, Weighed, weighted, wilson

Z: Final = 1.959963984540054
FIRST: Final = frozenset(("first", "1", "a", "order_12"))
SECOND: Final = frozenset(("second", "2", "b", "order_21"))

NOTHING: Final = "No case has both a verdict of the judge and an answer of a person."
ONE_SIDED: Final = "Judge and people said one and the same throughout, so agreement cannot be told from chance."
NONE_FAILS: Final = "People found none that fails, so it cannot be said how many of those the judge sees."
NONE_PASSES: Final = "People found none that passes, so it cannot be said how many of those the judge lets pass."
NO_RATES: Final = "Sensitivity or specificity is not known, so the rate cannot be corrected."
BELOW_CHANCE: Final = "The judge says less than chance would: its rate cannot be corrected."
NONE_JUDGED: Final = "The judge has judged no case."


class Pair(NamedTuple):
    """A case that both judged: True where it fails, or has the category. `length` is the draft's, in characters."""

    judge: bool
    human: bool
    length: int = 0


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often the judge and people said what: hits and misses among what people say fails."""

    both_fail: int
    judge_alone: int
    people_alone: int
    both_pass: int

    @property
    def n(self) -> int:
        return self.both_fail + self.judge_alone + self.people_alone + self.both_pass


@dataclass(frozen=True, slots=True)
class Calibration:
    """A judge against people. `raw` is its rate over all that it judged, `corrected` what that rate stands for."""

    table: Confusion
    kappa: Figure
    sensitivity: Figure
    specificity: Figure
    raw: Figure
    corrected: Figure


@dataclass(frozen=True, slots=True)
class LengthBias:
    """Among drafts of which people said the same: how much oftener the judge fails the long ones, as a difference."""

    human: bool
    short: Figure
    long: Figure
    difference: Figure


@dataclass(frozen=True, slots=True)
class PositionBias:
    """The same cases judged in two positions: how often the verdict flips, and toward which. Above a half, `prefers`
    says that where it flips, the answer that stands first is preferred.
    """

    flips: Figure
    prefers: Figure


def confusion(pairs: Iterable[Pair]) -> Confusion:
    counts = Counter((pair.judge, pair.human) for pair in pairs)
    return Confusion(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def calibrate(table: Confusion, *, fails: int, judged: int, seed: int = 0, resamples: int = RESAMPLES) -> Calibration:
    """The figures of a table; `fails` of `judged` are the judge's over all cases, those that no person saw included.

    Sensitivity and specificity have Wilson's intervals. The same `seed` gives the same interval of kappa.
    """
    sensitivity = _share(table.both_fail, table.both_fail + table.people_alone, NONE_FAILS)
    specificity = _share(table.both_pass, table.both_pass + table.judge_alone, NONE_PASSES)
    return Calibration(
        table,
        kappa(table, seed=seed, resamples=resamples),
        sensitivity,
        specificity,
        _share(fails, judged, NONE_JUDGED),
        prevalence(table, fails=fails, judged=judged),
    )


def kappa(table: Confusion, *, seed: int = 0, resamples: int = RESAMPLES) -> Figure:
    """Cohen's kappa of judge and people: J. Cohen, "A coefficient of agreement for nominal scales", Educational and
    Psychological Measurement 20 (1960), 37-46. Its interval is the percentiles of a bootstrap over the cases, drawn as
    the four counts of the table at once.
    """
    n = table.n
    if not n:
        return Figure(None, None, None, 0, NOTHING)
    counts = np.array([[table.both_fail, table.judge_alone, table.people_alone, table.both_pass]], dtype=np.float64)
    value = float(_kappas(counts)[0])
    if math.isnan(value):
        return Figure(None, None, None, n, ONE_SIDED)
    drawn = np.random.default_rng(seed).multinomial(n, counts[0] / n, size=resamples).astype(np.float64)
    return figure_of(value, _kappas(drawn), n)


def _kappas(counts: np.ndarray) -> np.ndarray:
    a, b, c, d = counts.T
    n = counts.sum(axis=1)
    observed = (a + d) / n
    chance = ((a + b) * (a + c) + (c + d) * (b + d)) / n**2
    # Both gave one and the same value throughout: the division would be of nothing by nothing, up to rounding.
    degenerate = ((a + b == 0) & (a + c == 0)) | ((c + d == 0) & (b + d == 0))
    return np.where(degenerate, np.nan, (observed - chance) / np.where(degenerate, 1, 1 - chance))


def prevalence(table: Confusion, *, fails: int, judged: int) -> Figure:
    """How many of all the judged cases fail, once the judge's two kinds of error are taken out of its own rate.

    (raw + specificity - 1) / (sensitivity + specificity - 1), within 0 and 1: W. J. Rogan, B. Gladen, "Estimating
    prevalence from the results of a screening test", American Journal of Epidemiology 107 (1978), 71-76. The interval
    takes in that all three are estimates: Z. Lang, J. Reiczigel, "Confidence limits for prevalence of disease adjusted
    for estimated sensitivity and specificity", Preventive Veterinary Medicine 113 (2014), 13-22. It holds as far as the
    judge errs on the cases that nobody saw as it does on those that people decided.
    """
    if not judged:
        return Figure(None, None, None, 0, NONE_JUDGED)
    positives, negatives = table.both_fail + table.people_alone, table.both_pass + table.judge_alone
    if not positives or not negatives:
        return Figure(None, None, None, judged, NO_RATES)
    youden = table.both_fail / positives + table.both_pass / negatives - 1
    if youden <= 0:
        return Figure(None, None, None, judged, BELOW_CHANCE)
    value = _within((fails / judged + table.both_pass / negatives - 1) / youden)
    n, n_se, n_sp = judged + Z**2, positives + 2, negatives + 2
    raw, se, sp = (fails + Z**2 / 2) / n, (table.both_fail + 1) / n_se, (table.both_pass + 1) / n_sp
    if se + sp <= 1:
        return Figure(value, None, None, judged, BELOW_CHANCE)
    found = (raw + sp - 1) / (se + sp - 1)
    of_se, of_sp = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    spread = math.sqrt(raw * (1 - raw) / n + found**2 * of_se + (1 - found) ** 2 * of_sp) / (se + sp - 1)
    shift = 2 * Z**2 * (found * of_se - (1 - found) * of_sp)
    low, high = _within(found + shift - Z * spread), _within(found + shift + Z * spread)
    return Figure(value, min(low, value), max(high, value), judged)


def length_bias(pairs: Sequence[Pair]) -> list[LengthBias]:
    """For what people say passes, and for what they say fails: the judge's fail rate of long drafts less that of short
    ones, split at the median length, with Newcombe's interval (`hitl.statistics.weighted`).
    """
    if not pairs:
        return []
    middle = float(np.median([pair.length for pair in pairs]))
    found = []
    for human in (False, True):
        parts = []
        for is_long in (False, True):
            part = [pair.judge for pair in pairs if pair.human == human and (pair.length > middle) == is_long]
            parts.append((sum(part), len(part)))
        short, long = (wilson(*counts) for counts in parts)
        n = sum(n for _, n in parts)
        difference = Figure(None, None, None, n, "There is no such draft among the short ones, or the long ones.")
        if short and long:
            whole = weighted([Weighed(1, long), Weighed(-1, short)])
            difference = Figure(whole.value, whole.low, whole.high, n)
        found.append(LengthBias(human, _share(*parts[0], ""), _share(*parts[1], ""), difference))
    return found


def position_bias(verdicts: Iterable[Mapping[str, bool]]) -> PositionBias | None:
    """Of each case, whether the judge failed the answer, by position; None where no case was judged in two.

    Which was preferred can be said where the two positions are called first and second (1 and 2, A and B).
    """
    flips = several = toward_first = ranked = 0
    for by_position in verdicts:
        if len(by_position) < 2:
            continue
        several += 1
        if len(set(by_position.values())) == 1:
            continue
        flips += 1
        first = [failed for position, failed in by_position.items() if position.strip().casefold() in FIRST]
        second = [failed for position, failed in by_position.items() if position.strip().casefold() in SECOND]
        if len(first) == len(second) == 1 and first != second:
            ranked += 1
            toward_first += second[0]
    if not several:
        return None
    return PositionBias(
        _share(flips, several, ""), _share(toward_first, ranked, "No verdict flipped between first and second.")
    )


def disagreement(strata: Sequence[tuple[int, int, int]]) -> Figure:
    """The rate at which people disagree with a judge's labels, from strata of (labels, audited, disagreed).

    Each stratum's rate by its share of the labels: sum of W_h p_h (W. G. Cochran, "Sampling techniques", 3rd edition,
    1977, chapter 5). The interval is put together from those of the strata (`hitl.statistics.weighted`), which holds
    where nobody disagreed too. A stratum that nobody decided a case of is left out, and `reason` says how much that is.
    """
    decided = [(labels, wilson(disagreed, audited)) for labels, audited, disagreed in strata]
    known = [(labels, share) for labels, share in decided if share]
    every, covered = sum(labels for labels, *_ in strata), sum(labels for labels, _ in known)
    if not known or not covered:
        return Figure(None, None, None, 0, "No audited case is decided yet.")
    whole = weighted([Weighed(labels / covered, share) for labels, share in known])
    left_out = every - covered
    reason = f"Without {left_out:,} of {every:,} labels, of kinds that nobody has decided yet." if left_out else ""
    return Figure(_within(whole.value), _within(whole.low), _within(whole.high), whole.n, reason)


def _share(count: int, n: int, undefined: str) -> Figure:
    found: Interval | None = wilson(count, n)
    return Figure(found.share, found.low, found.high, n) if found else Figure(None, None, None, 0, undefined)


def _within(value: float) -> float:
    return min(1.0, max(0.0, value))
