"""Figures with their uncertainty. Pure functions: counts in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

Z: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with the interval around it, all from 0 to 1, and the n it stands on."""

    share: float
    low: float
    high: float
    n: int


def wilson(successes: int, n: int, z: float = Z) -> Interval | None:
    """The score interval of a share; `z` is 1.96 for 95%. None when nothing was counted.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927), 209-212. Unlike the textbook interval it stays within 0 and 1, and holds for few
    cases and for shares near the ends. Raises ValueError for counts that cannot be.
    """
    if n < 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a share.")
    if n == 0:
        return None
    found = score(successes / n, n, z)
    # At the ends the formula meets them exactly; rounding must not step over.
    low = 0.0 if successes == 0 else found.low
    high = 1.0 if successes == n else found.high
    return Interval(found.share, low, high, n)


def score(share: float, n: float, z: float = Z) -> Interval:
    """Wilson's interval of a share that so many cases tell as much of as a simple random sample of `n`, not whole.

    For samples drawn with unequal chances: C. Franco, R. J. A. Little, T. A. Louis, E. V. Slud, "Comparative study of
    confidence intervals for proportions in complex sample surveys", Journal of Survey Statistics and Methodology 7
    (2019), 334-364. It holds the share; raises ZeroDivisionError without any case.
    """
    spread = z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(max(0.0, share * (1 - share)) / n + spread / (4 * n)) / (1 + spread)
    return Interval(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)), round(n))


@dataclass(frozen=True, slots=True)
class Weighed:
    """A share, and how much it counts in a sum; a negative weight takes it away."""

    weight: float
    share: Interval


@dataclass(frozen=True, slots=True)
class Sum:
    """A weighted sum of shares with its interval, and how many they stand on together."""

    value: float
    low: float
    high: float
    n: int


def weighted(parts: Sequence[Weighed]) -> Sum:
    """The sum of independent shares times their weights: a stratified rate, or the difference of two.

    Its interval is put together from theirs by the squares of their arms: it has about the level of theirs and, unlike
    one by a standard error, a width where a share is 0 or 1. R. G. Newcombe, "Interval estimation for the difference
    between independent proportions", Statistics in Medicine 17 (1998), 873-890, method 10; for any weights: G. Y. Zou,
    W. Huang, X. Zhang, "A note on confidence interval estimation for a linear function of binomial proportions",
    Computational Statistics & Data Analysis 53 (2009), 1080-1085. Raises ValueError without any part.
    """
    if not parts:
        raise ValueError("Nothing is no sum.")
    value = sum(part.weight * part.share.share for part in parts)
    down = up = 0.0
    for part in parts:
        below = (part.weight * (part.share.share - part.share.low)) ** 2
        above = (part.weight * (part.share.high - part.share.share)) ** 2
        down += below if part.weight > 0 else above
        up += above if part.weight > 0 else below
    return Sum(value, value - sqrt(down), value + sqrt(up), sum(part.share.n for part in parts))
