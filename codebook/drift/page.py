"""What the reports on drift say on a screen. Pure: reports in, rows out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codebook.agreement.reading_figures import Shown, shown
from codebook.models import DriftReport
from hitl.models import User
from hitl.statistics import Interval, wilson

# Fewer answers say more of chance than of the person who gave them.
TELLS_FROM = 10

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """The verdict, or one category: kappa of then and now, and the share of the same answers."""

    title: str
    kappa: Shown
    same: Shown
    alarm: bool
    given_then: int | None = None
    given_now: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One reviewer's last report. `alarms`: what in it is alarming, by name."""

    report: DriftReport
    reviewer: User
    pairs: int
    verdict: Measure
    categories: tuple[Measure, ...]

    @property
    def alarms(self) -> list[str]:
        return [one.title for one in (self.verdict, *self.categories) if one.alarm]

    @property
    def words(self) -> str:
        return str(self.report.result["versions_in_words"])


@dataclass(frozen=True, slots=True)
class Own:
    """How steady a person's own decisions are: the same verdict on so many of the old cases they decided again."""

    title: str
    same: int
    share: Interval


def row(report: DriftReport) -> Row:
    result = report.result
    return Row(
        report=report,
        reviewer=report.reviewer,
        pairs=result["pairs"],
        verdict=_measure("Verdict", result["verdict"]),
        categories=tuple(_measure(one["title"], one) for one in result["categories"]),
    )


def own(reports: list[DriftReport]) -> list[Own]:
    """Of the person's own reports, those that stand on enough cases to say something."""
    found = [(one.codebook.title, one.result["same"], one.result["pairs"]) for one in reports]
    return [
        Own(title, same, share)
        for title, same, pairs in found
        if pairs >= TELLS_FROM and (share := wilson(same, pairs))
    ]


def _measure(title: str, one: Json) -> Measure:
    return Measure(
        title=title,
        kappa=shown(one["kappa"]),
        same=shown(one["percent"]),
        alarm=one["alarm"],
        given_then=one.get("given_then"),
        given_now=one.get("given_now"),
    )
