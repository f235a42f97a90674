"""Figures with their uncertainty. Pure functions: counts in, numbers out."""

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with the interval around it, all from 0 to 1, and the n it stands on."""

    share: float
    low: float
    high: float
    n: int


def wilson(successes: int, n: int, z: float = 1.959963984540054) -> Interval | None:
    """The score interval of a share; `z` is 1.96 for 95%. None when nothing was counted.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927), 209-212. Unlike the textbook interval it stays within 0 and 1, and holds for few
    cases and for shares near the ends. Raises ValueError for counts that cannot be.
    """
    if n < 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a share.")
    if n == 0:
        return None
    share = successes / n
    spread = z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    # At the ends the formula meets them exactly; rounding must not step over.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(share, low, high, n)
