"""What the team's monitoring reported: slices of the traffic that are looked at ahead of the rest while it lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, F

from hitl.models import Tenant
from queues import languages
from queues.models import DriftReport, Sampled

AT_ONCE: Final = 100
LOOKED_THROUGH: Final = 1_000
LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A report on the page: the slice in words, how many of its traces were picked, and whether it still asks."""

    report: DriftReport
    slice: str
    picked: int
    is_open: bool


def open_reports(tenant: Tenant, now: datetime) -> list[tuple[DriftReport, int]]:
    """The reports that hold now, the strongest first, each with how many traces are still wanted of it."""
    held = DriftReport.objects.filter(tenant=tenant, at__lte=now, until__gt=now)
    found = list(held.order_by(F("score").desc(nulls_last=True), "pk")[:LOOKED_THROUGH])
    picked = _picked(found)
    asking = [(one, one.wanted - picked.get(one.pk, 0)) for one in found]
    return [(one, wanted) for one, wanted in asking if wanted > 0][:AT_ONCE]


def latest(tenant: Tenant, now: datetime) -> list[Row]:
    """The last reports for the page, those that still ask first."""
    found = list(DriftReport.objects.filter(tenant=tenant).order_by("-until")[:LISTED])
    picked = _picked(found)
    rows = [
        Row(one, words(one), count, one.until > now and count < one.wanted)
        for one in found
        for count in [picked.get(one.pk, 0)]
    ]
    return sorted(rows, key=lambda row: not row.is_open)


def words(report: DriftReport) -> str:
    """The slice, such as “topic refund, release 2026.11.2”."""
    parts = [
        ("topic", report.topic),
        ("language", languages.name(report.language) if report.language else ""),
        ("model", report.model),
        ("prompt version", report.prompt_version),
        ("release", report.release),
        ("a cluster of", _traces(report.trace_refs)),
    ]
    return ", ".join(f"{name} {value}" for name, value in parts if value)


def _traces(refs: Sequence[str]) -> str:
    return f"{len(refs):,} {'trace' if len(refs) == 1 else 'traces'}" if refs else ""


def _picked(reports: Sequence[DriftReport]) -> dict[int | None, int]:
    cases = Sampled.objects.filter(drift__in=reports).order_by()
    return dict(cases.values_list("drift").annotate(Count("pk")))
