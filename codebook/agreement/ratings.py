"""Ratings as arrays: pooled where items look alike, and drawn again. Pure, and not for the web, as it needs numpy."""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Rating = tuple[Hashable, Hashable, Hashable | None]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Items with equally many ratings that look the same, kept once: `rows` of codes, and how many items each is."""

    rows: Ints
    counts: Ints


class Table:
    """The ratings as numbers, missing ones left out: one entry per rating in `items`, `by` and `values`."""

    def __init__(self, ratings: Iterable[Rating], order: Sequence[Hashable] | None) -> None:
        items: dict[Hashable, int] = {}
        raters: dict[Hashable, int] = {}
        scale: dict[Hashable, int] = {value: place for place, value in enumerate(order or ())}
        if order is not None and len(scale) < len(order):
            raise ValueError("The order names a value twice.")
        entries: list[tuple[int, int, int]] = []
        for item, rater, value in ratings:
            if value is None:
                continue
            code = scale.get(value)
            if code is None:
                if order is not None:
                    raise ValueError(f"The order leaves out the value {value!r}.")
                code = scale[value] = len(scale)
            entries.append((items.setdefault(item, len(items)), raters.setdefault(rater, len(raters)), code))
        columns = np.array(entries, dtype=np.int64).reshape(-1, 3).T
        self.items, self.by, self.values = columns
        self.raters = len(raters)
        self.scale = list(scale)
        if len(np.unique(self.items * max(1, self.raters) + self.by)) < len(entries):
            raise ValueError("A rater rated the same item twice.")
        self.is_shared = np.bincount(self.items, minlength=len(items)) >= 2
        self.shared = int(self.is_shared.sum())
        self.numbers = _numbers(self.scale, np.unique(self.values))
        self.ranked = order is not None
        if self.numbers is not None and order is None:
            place = np.argsort(np.argsort(self.numbers))
            self.values, self.numbers, self.ranked = place[self.values], np.sort(self.numbers), True

    def patterns(self, codes: Ints) -> list[Pattern]:
        """The items with two ratings or more, those with the same codes pooled. One entry per number of ratings."""
        kept = self.is_shared[self.items]
        items, codes = self.items[kept], codes[kept]
        by_item = np.lexsort((codes, items))
        items, codes = items[by_item], codes[by_item]
        starts = np.flatnonzero(np.diff(items, prepend=-1))
        sizes = np.diff(starts, append=len(items))
        pooled = []
        for size in np.unique(sizes):
            rows = codes[starts[sizes == size, None] + np.arange(size)]
            pooled.append(Pattern(*np.unique(rows, axis=0, return_counts=True)))
        return pooled


def _numbers(scale: list[Hashable], used: Ints) -> Floats | None:
    """The values as numbers; None if one in use is not. A word of the scale that nobody used is in no distance."""
    found = [value for code in used if isinstance(value := scale[code], int | float) and math.isfinite(value)]
    if len(found) < len(used) or not found:
        return None
    numbers = np.zeros(len(scale))
    numbers[used] = found
    return numbers


class Resampling:
    """Draws the resamples of a measurement, and tells how far it is, fifty at a time, over its two rounds."""

    def __init__(self, seed: int, resamples: int, progress: Callable[[int, int], None] | None) -> None:
        self.rng = np.random.default_rng(seed)
        self.resamples, self.progress, self.done = resamples, progress, 0

    def of(self, counts: Ints, figures: Callable[[Floats], Sequence[float]]) -> Floats:
        """One row of figures per resample; `figures` is told how often each pattern occurs in it."""
        drawn = []
        for _ in range(self.resamples):
            weights = self.rng.multinomial(counts.sum(), counts / counts.sum()).astype(np.float64)
            drawn.append(figures(weights))
            self.done += 1
            if self.progress and self.done % 50 == 0:
                self.progress(self.done, 2 * self.resamples)
        return np.array(drawn)
