"""What a figure of agreement says, in words and as places on a drawing. Pure: the JSON of a report in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

ENOUGH: Final = 0.6
WIDEST: Final = 0.3
UNKNOWN, LOW, UNSURE, HOLDS = "unknown", "low", "unsure", "holds"
# The drawings' own units: see _interval.html and _over_time.html.
BAR: Final = 120
WIDE, HIGH, MARGIN = 640, 120, 6

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure with its interval. `state`: unknown, low, unsure or holds; `meaning` says it in a sentence."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str
    state: str
    meaning: str

    @property
    def words(self) -> str:
        return "cannot be said yet" if self.value is None else f"{self.value:.2f}"

    @property
    def interval(self) -> str:
        return "" if self.low is None or self.high is None else f"{self.low:.2f} to {self.high:.2f}"

    @property
    def bar(self) -> dict[str, str]:
        """Where the interval and the figure stand on a line from 0 to 1; below 0 they stand at its beginning."""
        if self.value is None or self.low is None or self.high is None:
            return {}
        left, right = _along(self.low), _along(self.high)
        return {"left": f"{left:.1f}", "width": f"{max(right - left, 1):.1f}", "at": f"{_along(self.value):.1f}"}


def shown(figure: Json) -> Shown:
    value, low, high, n = figure["value"], figure["low"], figure["high"], figure["n"]
    state, meaning = _meaning(value, low, high, n, figure.get("reason", ""))
    return Shown(value, low, high, n, figure.get("reason", ""), state, meaning)


def _meaning(value: float | None, low: float | None, high: float | None, n: int, reason: str) -> tuple[str, str]:
    if value is None or low is None or high is None:
        return UNKNOWN, f"It cannot be said yet: {reason}"
    if high < ENOUGH:
        return LOW, f"People read it differently: it is under {ENOUGH}, and more cases will hardly change that."
    if low > ENOUGH and high - low <= WIDEST:
        return HOLDS, f"People read it the same: it is above {ENOUGH}."
    if low > ENOUGH:
        return (
            UNSURE,
            f"It is above {ENOUGH}, but from {low:.2f} to {high:.2f} is too wide to build on.{_more(low, high, n)}",
        )
    side = "under" if value < ENOUGH else "above"
    said = f"It is {side} {ENOUGH}, but the interval holds {ENOUGH}: it does not say yet which side is true."
    return UNSURE, said + (_more(low, high, n) if high - low > WIDEST else "")


def _more(low: float, high: float, n: int) -> str:
    """An interval is narrowed as the root of the cases it stands on."""
    wanted = round(n * ((high - low) / WIDEST) ** 2) - n
    return f" About {max(wanted, 1):,} more cases decided twice would narrow it." if wanted >= 0 else ""


def _along(value: float) -> float:
    return BAR * min(1.0, max(0.0, value))


@dataclass(frozen=True, slots=True)
class Line:
    """A line over time as drawn: `lines` and `bands` are point lists, broken where a figure is undefined."""

    lines: tuple[str, ...]
    bands: tuple[str, ...]
    dots: tuple[tuple[str, str], ...]
    enough: str
    since: str
    until: str
    words: str


def line(points: Iterable[Json], name: str, place: str = "until") -> Line | None:
    """The figure called `name` of each point; None where not one is defined."""
    listed = list(points)
    runs: list[list[tuple[float, Json]]] = [[]]
    for number, point in enumerate(listed):
        if point[name]["value"] is None:
            runs.append([])
        else:
            x = MARGIN + (WIDE - 2 * MARGIN) * (number / (len(listed) - 1) if len(listed) > 1 else 0.5)
            runs[-1].append((x, point[name]))
    runs = [run for run in runs if run]
    if not runs:
        return None
    first, last = runs[0][0][1]["value"], runs[-1][-1][1]["value"]
    banded = [[(x, one) for x, one in run if one["low"] is not None] for run in runs]
    return Line(
        lines=tuple(" ".join(f"{x:.1f},{_up(one['value'])}" for x, one in run) for run in runs if len(run) > 1),
        bands=tuple(_band(run) for run in banded if len(run) > 1),
        dots=tuple((f"{run[0][0]:.1f}", _up(run[0][1]["value"])) for run in runs if len(run) == 1),
        enough=_up(ENOUGH),
        since=listed[0][place],
        until=listed[-1][place],
        words=f"from {first:.2f} to {last:.2f}",
    )


def _band(run: list[tuple[float, Json]]) -> str:
    over = [f"{x:.1f},{_up(one['high'])}" for x, one in run]
    return " ".join([*over, *(f"{x:.1f},{_up(one['low'])}" for x, one in reversed(run))])


def _up(value: float) -> str:
    return f"{HIGH - MARGIN - (HIGH - 2 * MARGIN) * min(1.0, max(0.0, value)):.1f}"
