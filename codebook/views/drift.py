"""How far reviewers decide old cases as they did then: all of them, and one. For the owner alone."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from codebook.doors import owned
from codebook.drift import checks as drift
from codebook.drift import reports as drift_reports
from codebook.drift.page import row
from hitl.access import doors


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    codebook = doors.get(owned(doors.signed_in(request)), slug=slug)
    rows = [row(report) for report in drift_reports.latest(codebook.pk)]
    context = {
        "codebook": codebook,
        "here": "codebook_drift",
        "rows": sorted(rows, key=lambda one: (not one.alarms, one.reviewer.name)),
        "alarmed": sum(bool(one.alarms) for one in rows),
        "a_week": drift.A_WEEK,
        "old_days": drift.OLD.days,
    }
    return render(request, "codebook/drift.html", context)


@require_safe
def reviewer(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`pk`: the reviewer's."""
    codebook = doors.get(owned(doors.signed_in(request)), slug=slug)
    # The order that finds the latest of each is not one that a single row is taken by.
    reports = codebook.drift_reports.filter(reviewer=pk).select_related("reviewer").order_by("-pk")
    report = doors.get(reports.filter(pk__in=reports.values("pk")[:1]))
    context = {"codebook": codebook, "here": "codebook_drift", "row": row(report)}
    return render(request, "codebook/drift_reviewer.html", context)
