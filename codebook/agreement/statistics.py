"""How far people who judged the same items agree, with the uncertainty. Pure: ratings in, figures out.

Nothing that the web loads may import this module: numpy would slow each start.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from codebook.agreement.ratings import Floats, Ints, Rating, Resampling, Table

RESAMPLES: Final = 1_000
PERCENTILES: Final = (2.5, 97.5)

NOTHING_SHARED: Final = "No item has ratings by two raters, so there is nothing to compare."
ONE_VALUE: Final = "Every rating is the same value, so agreement cannot be told from chance."
ONE_SHARED_VALUE: Final = (
    "The items with two ratings or more all have the same value, so agreement cannot be told from chance."
)
NO_ORDER: Final = "The values are not all numbers, and their order was not given."
NOT_NUMBERS: Final = "The values are not all numbers, so there is no distance between them."
ONE_ITEM: Final = "One item has two ratings or more; an interval needs at least two such items."
MOSTLY_UNDEFINED: Final = "Too few items, or too few that differ: most resamples leave the figure undefined."


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95% interval and the items it stands on.

    `value` is None where the figure is undefined, and `low` and `high` are None where no interval can be given;
    `reason` then is a sentence that says why.
    """

    value: float | None
    low: float | None
    high: float | None
    n_items: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha by the distance between values: equal or not, by rank, by number."""

    nominal: Figure
    ordinal: Figure
    interval: Figure


@dataclass(frozen=True, slots=True)
class Agreement:
    """The figures of one table of ratings, and what was in it. `pairs`: pairs of raters who share an item."""

    percent_agreement: Figure
    cohen_kappa: Figure
    gwet_ac1: Figure
    krippendorff_alpha: Alpha
    items: int
    raters: int
    ratings: int
    pairs: int


def measure(
    ratings: Iterable[Rating],
    *,
    order: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    progress: Callable[[int, int], None] | None = None,
) -> Agreement:
    """The agreement of ratings (item, rater, value); a value of None is missing. Any number of raters.

    `order` is the whole scale, lowest first: it gives ordinal alpha its ranks, and AC1 its number of values, used or
    not. Without it numbers stand in their own order, and AC1 counts the values that occur.

    The intervals are percentiles of `resamples` bootstrap resamples over the items that have two ratings or more
    (B. Efron, R. Tibshirani, "An introduction to the bootstrap", 1993, chapter 13); resamples in which the figure is
    undefined are left out. Items that look alike are drawn together, by the multinomial distribution: the same
    resampling, at the cost of the patterns and not of the items. The same `seed` gives the same intervals.
    `progress(done, total)` is told now and then.

    Raises ValueError for a second rating of an item by one rater, a value that `order` leaves out, or one twice in it.
    """
    table = Table(ratings, order)
    draw = Resampling(seed, resamples, progress)
    percent_agreement, ac1, alpha = _counted(table, draw)
    pairs, kappa = _light(table, draw)
    return Agreement(
        percent_agreement,
        kappa,
        ac1,
        alpha,
        items=len(table.is_shared),
        raters=table.raters,
        ratings=len(table.values),
        pairs=pairs,
    )


def figure_of(value: float, resampled: Floats, n_items: int) -> Figure:
    """A defined figure with its interval, or with why it has none."""
    if n_items < 2:
        return Figure(value, None, None, n_items, ONE_ITEM)
    defined = resampled[~np.isnan(resampled)]
    if len(defined) * 2 < len(resampled) or not len(defined):
        return Figure(value, None, None, n_items, MOSTLY_UNDEFINED)
    low, high = np.percentile(defined, PERCENTILES)
    # Resamples repeat items and so lean to one side; of a few items, the figure itself may fall outside of them.
    return Figure(value, min(float(low), value), max(float(high), value), n_items)


def undefined(reason: str, n_items: int) -> Figure:
    """A figure that cannot be told, and the sentence that says why."""
    return Figure(None, None, None, n_items, reason)


class _Counts:
    """What the figures that do not ask who gave which value need: the values of each pattern, and their numbers.

    One entry per rating of a pattern in `codes` and `pattern`, and per pattern in all else.
    """

    def __init__(self, table: Table) -> None:
        patterns = table.patterns(table.values)
        sizes = np.concatenate([np.full(len(p.rows), p.rows.shape[1]) for p in patterns])
        self.counts: Ints = np.concatenate([p.counts for p in patterns])
        self.codes: Ints = np.concatenate([p.rows.ravel() for p in patterns])
        self.pattern: Ints = np.repeat(np.arange(len(sizes)), sizes)
        self.starts: Ints = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        self.sizes: Floats = sizes.astype(np.float64)
        self.part: Floats = (1 / self.sizes)[self.pattern]
        self.agreeing: Floats = np.concatenate([_agreeing(p.rows) for p in patterns])
        self.differing: Floats = self.sizes * (1 - self.agreeing)
        self.k = len(table.scale)
        self.ranked, self.numbers = table.ranked, table.numbers
        if self.numbers is not None:
            self.numbers = _centred(self.numbers, self.codes)
            apart = self.numbers[self.codes] - (self._sums(self.numbers[self.codes]) / self.sizes)[self.pattern]
            self.apart: Floats = 2 * self.sizes * self._sums(apart**2) / (self.sizes - 1)
        single = ~table.is_shared[table.items]
        self.singles: Ints = np.bincount(table.values[single], minlength=self.k)

    def _sums(self, values: Floats) -> Floats:
        return np.add.reduceat(values, self.starts)

    def figures(self, weights: Floats, singles: Floats) -> tuple[float, float, float, float, float]:
        """Percent agreement, AC1, and alpha nominal, ordinal and interval; NaN for the undefined.

        `weights` says how often each pattern occurs; `singles`, how often each value is an item's only rating.
        """
        repeated = weights[self.pattern]
        value_counts: Floats = np.bincount(self.codes, repeated, self.k).astype(np.float64)
        observed = float(weights @ self.agreeing / weights.sum())
        prevalence = np.bincount(self.codes, repeated * self.part, self.k) + singles
        prevalence /= prevalence.sum()
        ac1 = gwet_ac1(observed, prevalence)
        if np.count_nonzero(value_counts) < 2:
            return observed, ac1, math.nan, math.nan, math.nan
        n = value_counts.sum()
        nominal = 1 - (n - 1) * (weights @ self.differing) / (n**2 - (value_counts**2).sum())
        ordinal = interval = math.nan
        if self.ranked:
            # An ordinal distance is the square of a difference of mean ranks: the ranks below, and half of its own.
            ranks = np.cumsum(value_counts) - value_counts / 2 - n / 2
            of_each = ranks[self.codes]
            within = 2 * (self.sizes * self._sums(of_each**2) - self._sums(of_each) ** 2) / (self.sizes - 1)
            ordinal = _alpha_of_distances(ranks, value_counts, float(weights @ within))
        if self.numbers is not None:
            interval = _alpha_of_distances(self.numbers, value_counts, float(weights @ self.apart))
        return observed, ac1, float(nominal), ordinal, interval


def _centred(numbers: Floats, used: Ints) -> Floats:
    """Around the mean and from -2 to 2, of the values in use, so that no sum loses what tells two of them apart."""
    low, high = numbers[used].min() / 2, numbers[used].max() / 2
    there = np.bincount(used, minlength=len(numbers)) > 0
    placed = np.where(there, numbers, low + high) - (low + high)
    placed /= (high - low) or 1
    return np.where(there, placed - placed[used].mean(), 0)


def _agreeing(rows: Ints) -> Floats:
    """Of each row's pairs of ratings, the share that agree. The codes of a row are in order."""
    size = rows.shape[1]
    ends = np.concatenate((rows[:, 1:] != rows[:, :-1], np.ones((len(rows), 1), dtype=bool)), axis=1).ravel()
    of_row = np.repeat(np.arange(len(rows)), size)[ends]
    runs = np.diff(np.flatnonzero(ends), prepend=-1)
    return np.bincount(of_row, runs * (runs - 1), len(rows)) / (size * (size - 1))


def gwet_ac1(observed: float, prevalence: Floats) -> float:
    """AC1 from the percent agreement and the mean share of each value of the scale; NaN for fewer than two values.

    (p_a - p_e) / (1 - p_e), p_e = sum of pi (1 - pi) over the q values, divided by q - 1. K. L. Gwet, "Computing
    inter-rater reliability and its variance in the presence of high agreement", British Journal of Mathematical and
    Statistical Psychology 61 (2008), 29-48. All items count for the shares pi, those with one rating too.
    """
    if len(prevalence) < 2:
        return math.nan
    chance = float((prevalence * (1 - prevalence)).sum()) / (len(prevalence) - 1)
    return (observed - chance) / (1 - chance)


def _alpha_of_distances(places: Floats, value_counts: Floats, within: float) -> float:
    """Alpha for squared differences of `places`; `within` is the sum over items of those distances over m - 1.

    alpha = 1 - (n - 1) * observed / expected: K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011),
    from the coincidences o_ck, without forming them: sum over c, k of n_c n_k (x_c - x_k)^2 is 2 n sum n_c x_c^2 -
    2 (sum n_c x_c)^2.
    """
    n = float(value_counts.sum())
    expected = 2 * (n * float(value_counts @ places**2) - float(value_counts @ places) ** 2)
    return 1 - (n - 1) * within / expected if expected > 0 else math.nan


def _counted(table: Table, draw: Resampling) -> tuple[Figure, Figure, Alpha]:
    """Percent agreement, AC1 and the alphas.

    Percent agreement is the mean over items of the share of agreeing pairs of ratings (J. L. Fleiss, "Measuring
    nominal scale agreement among many raters", Psychological Bulletin 76 (1971), 378-382), from 0 to 1.
    """
    if not table.shared:
        none = undefined(NOTHING_SHARED, 0)
        return none, none, Alpha(none, none, none)
    counts = _Counts(table)
    singles = counts.singles

    def resampled(weights: Floats) -> Sequence[float]:
        alone = draw.rng.multinomial(singles.sum(), singles / singles.sum()) if singles.any() else singles
        return counts.figures(weights, alone.astype(np.float64))

    values = counts.figures(counts.counts.astype(np.float64), singles.astype(np.float64))
    drawn = draw.of(counts.counts, resampled)
    one_value = ONE_VALUE if len(np.unique(table.values)) < 2 else ""
    alike = one_value or (ONE_SHARED_VALUE if len(np.unique(counts.codes)) < 2 else "")
    unranked, wordy = "" if table.ranked else NO_ORDER, NOT_NUMBERS if table.numbers is None else ""
    percent, ac1, nominal, ordinal, interval = (
        undefined(reason, table.shared) if reason else figure_of(value, column, table.shared)
        for value, column, reason in zip(
            values, drawn.T, ("", one_value, alike, unranked or alike, wordy or alike), strict=True
        )
    )
    return percent, ac1, Alpha(nominal, ordinal, interval)


class _Pairs:
    """The two-way tables of all pairs of raters who share items, as one list of cells that are not empty."""

    def __init__(self, table: Table) -> None:
        k = len(table.scale)
        patterns = table.patterns(table.by * k + table.values)
        self.counts: Ints = np.concatenate([p.counts for p in patterns])
        found: list[Ints] = []
        start = 0
        for p in patterns:
            of_pattern = np.arange(start, start + len(p.rows))
            start += len(p.rows)
            for i, j in combinations(range(p.rows.shape[1]), 2):
                first, second = p.rows[:, i], p.rows[:, j]
                found.append(np.stack((of_pattern, first // k * table.raters + second // k, first % k, second % k)))
        self.pattern, pair, left, right = np.concatenate(found, axis=1)
        named, pair = np.unique(pair, return_inverse=True)
        self.n = len(named)
        cells, self.cell = np.unique((pair * k + left) * k + right, return_inverse=True)
        self.pair, self.same = cells // (k * k), (cells // k % k == cells % k).astype(np.float64)
        margins, margin = np.unique(np.concatenate((cells // k, self.pair * k + cells % k)), return_inverse=True)
        self.left, self.right = margin[: len(cells)], margin[len(cells) :]
        self.of_margin = margins // k

    def kappas(self, weights: Floats) -> Floats:
        """Cohen's kappa of each pair, NaN where its chance agreement is 1 or it shares no item.

        (p_o - p_e) / (1 - p_e) over the items that both rated, p_e from each rater's own shares: J. Cohen, "A
        coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960), 37-46.
        """
        cells = np.bincount(self.cell, weights[self.pattern], len(self.pair))
        n = np.bincount(self.pair, cells, self.n)
        agreed = np.bincount(self.pair, cells * self.same, self.n)
        m = len(self.of_margin)
        by_chance = np.bincount(
            self.of_margin, np.bincount(self.left, cells, m) * np.bincount(self.right, cells, m), self.n
        )
        possible = n**2 - by_chance
        return np.divide(n * agreed - by_chance, possible, out=np.full(self.n, np.nan), where=possible > 0)


def _light(table: Table, draw: Resampling) -> tuple[int, Figure]:
    """How many pairs of raters share items, and the mean of their kappas: for two raters, Cohen's kappa.

    R. J. Light, "Measures of response agreement for qualitative data", Psychological Bulletin 76 (1971), 365-377;
    recommended for several raters by K. A. Hallgren, "Computing inter-rater reliability for observational data",
    Tutorials in Quantitative Methods for Psychology 8 (2012), 23-34. Undefined if it is for one of the pairs: pairs
    that agree on everything with one value are the undefined ones, and the mean of the others would hide them.
    """
    if not table.shared:
        return 0, undefined(NOTHING_SHARED, 0)
    pairs = _Pairs(table)
    kappas = pairs.kappas(pairs.counts.astype(np.float64))
    missing = int(np.isnan(kappas).sum())
    if missing:
        return pairs.n, undefined(no_kappa(missing, pairs.n), table.shared)

    def resampled(weights: Floats) -> Sequence[float]:
        defined = pairs.kappas(weights)
        defined = defined[~np.isnan(defined)]
        return [float(defined.mean()) if len(defined) else math.nan]

    drawn = draw.of(pairs.counts, resampled)
    return pairs.n, figure_of(float(kappas.mean()), drawn[:, 0], table.shared)


def no_kappa(missing: int, pairs: int) -> str:
    """Why a mean of kappas is not given: `missing` of the pairs have none."""
    if pairs == 1:
        return "Both raters gave one and the same value throughout, so agreement cannot be told from chance."
    return (
        f"In {missing} of {pairs} pairs of raters both gave one and the same value to all they share: these have no"
        " kappa, and a mean without them would mislead. Krippendorff's alpha takes all raters together."
    )
