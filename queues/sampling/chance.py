"""Chance that can be had again: each trace's number follows from its id and the seed, not from the order it is read in.

The same seed gives every trace the same number on every machine, so that a sample is drawn by sorting (the lowest
numbers are a simple random sample: A. B. Sunter, "List sequential sampling with equal or unequal probabilities without
replacement", Applied Statistics 26 (1977), 261-268).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Words = NDArray[np.uint64]

_STEP: Final = 0x9E3779B97F4A7C15
_FULL: Final = (1 << 64) - 1


def chances(high: Words, low: Words, *, seed: int, purpose: int) -> Numbers:
    """A number from 0 to below 1 for each id (its two halves); those of different purposes have nothing in common."""
    start = _mixed_word(_mixed_word(seed & _FULL) + purpose * _STEP & _FULL)
    found = _mixed(low ^ _mixed(high ^ np.uint64(start)))
    return (found >> np.uint64(11)).astype(np.float64) * 2.0**-53


def seed_of(seed: int, moment: int) -> int:
    """The seed of one draw out of a plan's own, by when it is drawn; below 2**63, as the database keeps it."""
    return _mixed_word(_mixed_word(seed & _FULL) ^ (moment & _FULL)) >> 1


def _mixed(words: Words) -> Words:
    """The output function of SplitMix64: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number
    generators", OOPSLA 2014.
    """
    with np.errstate(over="ignore"):
        words = words + np.uint64(_STEP)
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: Words = words ^ (words >> np.uint64(31))
    return mixed


def _mixed_word(word: int) -> int:
    word = (word + _STEP) & _FULL
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & _FULL
    word = (word ^ word >> 27) * 0x94D049BB133111EB & _FULL
    return word ^ word >> 31
