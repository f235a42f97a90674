"""What is looked for in texts and how well it is found, as rows for a screen."""

from dataclasses import dataclass

from hitl.models import Tenant
from hitl.statistics import Interval
from queues.models import ScrubMeasurement
from queues.scrub.kinds import WORDS
from queues.scrub.measuring import Figure, Measured
from queues.scrubbing import left_by


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its counts and interval; without either where nothing was counted."""

    of: int
    n: int
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of value, or a file's type. `looked_for` is False where the tenant switched it off, or nothing does."""

    name: str
    words: str
    looked_for: bool
    recall: Share | None = None
    hides: Share | None = None
    precision: Share | None = None


def kinds(tenant: Tenant, measurement: ScrubMeasurement | None) -> list[Row]:
    """Every kind that the scrub knows, with its figures where it was measured."""
    measured = {one.kind: one for one in Measured.from_json(measurement.result).kinds} if measurement else {}
    left = left_by(tenant)
    switched_off = {kind for kind in ("address",) if kind in left}
    if {"name said", "name known"} <= left:
        switched_off.add("name")
    return [
        _row(kind, words, measured.get(kind), looked_for=tenant.scrubs and kind not in switched_off)
        for kind, (_, words) in WORDS.items()
    ]


def types(measurement: ScrubMeasurement) -> list[Row]:
    """The types as the file calls them."""
    found = Measured.from_json(measurement.result).types
    return [_row(one.name, WORDS[one.kind][1] if one.kind else "", one, looked_for=bool(one.kind)) for one in found]


def _row(name: str, words: str, figure: Figure | None, *, looked_for: bool) -> Row:
    if figure is None:
        return Row(name, words, looked_for)
    return Row(
        name,
        words,
        looked_for,
        Share(figure.found, figure.marked, figure.recall),
        Share(figure.hidden, figure.marked, figure.hides),
        Share(figure.right, figure.masked, figure.precision),
    )
