"""Figures with their uncertainty. Pure functions: counts in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, log1p, sqrt
from typing import Final

Z: Final = 1.959963984540054
TINY: Final = 1e-300


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
    share = successes / n
    spread = z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    # At the ends the formula meets them exactly; rounding must not step over.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(share, low, high, n)


def jeffreys(share: float, n: float, level: float = 0.95) -> Interval:
    """The interval of a share that tells as much as `n` cases drawn at random would; `n` need not be whole.

    L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001),
    101-133, section 4.1.1. Its two ends miss about equally often, which those of Wilson's do not for rare failures: in
    a sum (see `weighted`) that tells (P. J. Laud, "Equal-tailed confidence intervals for comparison of rates",
    Pharmaceutical Statistics 16 (2017), 334-348). Raises ValueError without any case.
    """
    if n <= 0 or not 0 <= share <= 1:
        raise ValueError(f"{share} of {n} cases is not a share.")
    count, tail = share * n, (1 - level) / 2
    low = 0.0 if share <= 0 else beta_quantile(tail, count + 0.5, n - count + 0.5)
    high = 1.0 if share >= 1 else beta_quantile(1 - tail, count + 0.5, n - count + 0.5)
    return Interval(share, min(share, low), max(share, high), round(n))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Where the beta distribution reaches `p`: by Newton's steps, and by halving where one would lead out."""
    low, high, x = 0.0, 1.0, a / (a + b)
    scale = lgamma(a + b) - lgamma(a) - lgamma(b)
    for _ in range(200):
        over = _beta_share(x, a, b) - p
        low, high = (low, x) if over > 0 else (x, high)
        density = exp(scale + (a - 1) * log(x) + (b - 1) * log1p(-x))
        step = x - over / density if density else 0.0
        before, x = x, step if low < step < high else (low + high) / 2
        if abs(x - before) <= 1e-12 * x or x < 1e-300 or x >= 1:
            break
    return x


def _beta_share(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function, by its continued fraction (NIST Handbook, 8.17.22) on the side where
    that ends soon.
    """
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_share(1 - x, b, a)
    if x <= 0:
        return 0.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, 1000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / ((1 + term * d) or TINY)
            c = (1 + term / c) or TINY
            found *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return front * found


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
