"""Agreement on a short scale (a verdict, present or absent) for many parts of the same ratings: queues, months, pairs.

The same figures as `agreement.measure`, from arrays: all resamples of a part are one product of matrices. Pure; not for
the web, as it needs numpy.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from codebook.agreement.ratings import Floats, Ints
from codebook.agreement.statistics import (
    NOTHING_SHARED,
    ONE_SHARED_VALUE,
    RESAMPLES,
    Figure,
    figure_of,
    no_kappa,
    undefined,
)

Bools = NDArray[np.bool_]

# How many numbers a block of resamples may hold at once.
BLOCK: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Counted:
    """The figures that do not ask who gave which value."""

    percent: Figure
    ac1: Figure
    nominal: Figure
    ordinal: Figure


class Values:
    """How many raters gave each value to each item, one row per item: items that look alike are pooled once for all."""

    def __init__(self, counts: Ints, *, seed: int = 0, resamples: int = RESAMPLES) -> None:
        self.seed, self.resamples, self.k = seed, resamples, counts.shape[1]
        base = int(counts.max(initial=0)) + 1
        keys = counts @ (base ** np.arange(self.k, dtype=np.int64))
        _, first, self.pattern = np.unique(keys, return_index=True, return_inverse=True)
        self.rows = counts[first].astype(np.float64)
        sizes = self.rows.sum(axis=1)
        self.is_shared: Bools = sizes >= 2
        self.sizes = np.maximum(sizes, 2)
        self.agreeing = (self.rows * (self.rows - 1)).sum(axis=1) / (self.sizes * (self.sizes - 1))

    def figures(self, part: Bools | None = None) -> Counted:
        """Of the items of a part that have two ratings or more; of all of them without one."""
        chosen = self.pattern if part is None else self.pattern[part]
        found = np.bincount(chosen, minlength=len(self.rows)) * self.is_shared
        kept = np.flatnonzero(found)
        n = int(found.sum())
        if not n:
            none = undefined(NOTHING_SHARED, 0)
            return Counted(none, none, none, none)
        counts = found[kept]
        (values,) = self._of(counts[None].astype(np.float64), kept)
        drawn = np.concatenate([self._of(weights, kept) for weights in _resamples(counts, self.seed, self.resamples)])
        alike = ONE_SHARED_VALUE if np.count_nonzero(self.rows[kept].sum(axis=0)) < 2 else ""
        reasons = ("", alike, alike, alike)
        return Counted(
            *(
                undefined(reason, n) if reason else figure_of(float(value), column, n)
                for value, column, reason in zip(values, drawn.T, reasons, strict=True)
            )
        )

    def _of(self, weights: Floats, kept: Ints) -> Floats:
        """Percent, AC1, alpha nominal and ordinal of each row of weights: see `agreement` for the formulas."""
        rows, sizes, agreeing = self.rows[kept], self.sizes[kept], self.agreeing[kept]
        items = weights.sum(axis=1)
        observed = weights @ agreeing / items
        shares = weights @ (rows / sizes[:, None]) / items[:, None]
        chance = (shares * (1 - shares)).sum(axis=1) / (self.k - 1)
        ac1 = (observed - chance) / (1 - chance)
        of_value = weights @ rows
        n = of_value.sum(axis=1)
        nominal = _alpha(n, weights @ (sizes * (1 - agreeing)), n**2 - (of_value**2).sum(axis=1))
        ranks = np.cumsum(of_value, axis=1) - of_value / 2 - n[:, None] / 2
        spread = 2 * (sizes[:, None, None] * _diagonals(rows) - rows[:, :, None] * rows[:, None, :])
        spread /= (sizes - 1)[:, None, None]
        mixed = (weights @ spread.reshape(len(rows), -1)).reshape(-1, self.k, self.k)
        within = np.einsum("ri,rij,rj->r", ranks, mixed, ranks)
        expected = 2 * (n * (of_value * ranks**2).sum(axis=1) - (of_value * ranks).sum(axis=1) ** 2)
        return np.stack((observed, ac1, nominal, _alpha(n, within, expected)), axis=1)


def _diagonals(rows: Floats) -> Floats:
    diagonals: Floats = rows[:, :, None] * np.eye(rows.shape[1])
    return diagonals


def _alpha(n: Floats, observed: Floats, expected: Floats) -> Floats:
    # What is left of zero by rounding is zero: there is one value, and nothing to expect.
    there = expected > 1e-9 * n**2
    return 1 - (n - 1) * np.divide(observed, expected, out=np.full(len(n), np.nan), where=there)


def _resamples(counts: Ints, seed: int, resamples: int, width: int = 1) -> Iterator[Floats]:
    """Blocks of resamples of how often each pattern occurs; `width`: numbers that each pattern becomes."""
    draw = np.random.default_rng(seed)
    share = counts / counts.sum()
    block = max(1, BLOCK // (len(counts) * width))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        yield draw.multinomial(counts.sum(), share, size=size).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two ratings of one item, one entry each: the item, the pair of raters in order, and the value of either."""

    item: Ints
    pair: Ints
    left: Ints
    right: Ints

    def of(self, part: Bools) -> "Pairs":
        return Pairs(self.item[part], self.pair[part], self.left[part], self.right[part])


def kappa(pairs: Pairs, k: int, *, seed: int = 0, resamples: int = RESAMPLES) -> tuple[int, Figure]:
    """How many pairs of raters share items, and the mean of their kappas: see `agreement`."""
    if not len(pairs.item):
        return 0, undefined(NOTHING_SHARED, 0)
    named, pair = np.unique(pairs.pair, return_inverse=True)
    cells, cell = np.unique((pair * k + pairs.left) * k + pairs.right, return_inverse=True)
    of_pattern, counts = _pooled(pairs.item, cell)
    n = int(counts.sum())
    by_cell = np.argsort(of_pattern[1], kind="stable")
    pattern, cell = of_pattern[0][by_cell], of_pattern[1][by_cell]
    starts = np.searchsorted(cell, np.arange(len(cells)))

    def kappas(weights: Floats) -> Floats:
        return _kappas(np.add.reduceat(weights[:, pattern], starts, axis=1), cells, len(named), k)

    (values,) = kappas(counts[None].astype(np.float64))
    if missing := int(np.isnan(values).sum()):
        return len(named), undefined(no_kappa(missing, len(named)), n)
    blocks = _resamples(counts, seed, resamples, 1 + len(pattern) // len(counts))
    drawn = np.concatenate([_mean(kappas(weights)) for weights in blocks])
    return len(named), figure_of(float(values.mean()), drawn, n)


def _pooled(item: Ints, cell: Ints) -> tuple[tuple[Ints, Ints], Ints]:
    """Items with the same cells are one pattern: its entries (pattern, cell), and how many items each pattern is."""
    _, place = np.unique(item, return_inverse=True)
    mark = np.random.default_rng(0).integers(2**63, size=int(cell.max()) + 1, dtype=np.uint64)
    marks = np.zeros(int(place.max()) + 1, dtype=np.uint64)
    # A sum of random marks tells one set of cells from another, but for one chance in 2^63.
    np.add.at(marks, place, mark[cell])
    _, first, counts = np.unique(marks, return_index=True, return_counts=True)
    pattern_of = np.full(len(marks), -1)
    pattern_of[first] = np.arange(len(first))
    kept = pattern_of[place] >= 0
    return (pattern_of[place][kept], cell[kept]), counts


def _kappas(of_cell: Floats, cells: Ints, pairs: int, k: int) -> Floats:
    """Cohen's kappa of each pair, row by row of cells; NaN where chance agreement is 1, or nothing is shared."""
    flat = np.zeros((len(of_cell), pairs * k * k))
    flat[:, cells] = of_cell
    table = flat.reshape(-1, pairs, k, k)
    n = table.sum(axis=(2, 3))
    agreed = np.trace(table, axis1=2, axis2=3)
    by_chance = (table.sum(axis=3) * table.sum(axis=2)).sum(axis=2)
    possible = n**2 - by_chance
    found: Floats = np.divide(n * agreed - by_chance, possible, out=np.full(n.shape, np.nan), where=possible > 0)
    return found


def _mean(values: Floats) -> Floats:
    """The mean of each row's defined values; NaN where there is none."""
    there = ~np.isnan(values)
    how_many = there.sum(axis=1)
    total = np.where(there, values, 0).sum(axis=1)
    return np.divide(total, how_many, out=np.full(len(values), math.nan), where=how_many > 0)
