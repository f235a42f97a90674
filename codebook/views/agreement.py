"""How far people agree: the report that was measured last, a category of it, and the report as a file."""

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from codebook.agreement import measured, subjective
from codebook.agreement import page as agreement_page
from codebook.agreement.page import Reader
from codebook.doors import codebooks, owned
from codebook.models import AgreementReport, Codebook
from hitl.access import doors as access

# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class SubjectiveForm(forms.Form):
    because = forms.CharField(
        label="Why people may differ on it", max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    weight = forms.DecimalField(
        label="Weight of its labels in datasets", min_value=0, max_value=1, decimal_places=2, initial=subjective.WEIGHT,
        help_text="From 0 (left out) to 1 (in full).",
    )  # fmt: skip


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    user, codebook, who, report = _asked(request, slug)
    job = measured.running(codebook)
    context: dict[str, Any] = {
        "codebook": codebook,
        "here": "codebook_agreement",
        "who": who,
        "is_owner": codebook.owner_id == user.pk,
        "report": report,
        "running": job,
        "job": job if job and (job.started_by_id == user.pk or user.is_superuser) else None,
    }
    if report:
        context |= _figures(report, codebook, who)
    return render(request, "codebook/agreement.html", context)


def _figures(report: AgreementReport, codebook: Codebook, who: Reader) -> dict[str, Any]:
    result = report.result
    called = agreement_page.names(result, who)
    queues, elsewhere = agreement_page.parts(result, who)
    rows = agreement_page.categories(result, subjective.standing(codebook))
    return {
        "newer": measured.newer_labels(report),
        "counted_at_most": measured.COUNTED_AT_MOST,
        "reworded": measured.is_of_other_words(report),
        "rows": rows,
        "to_do": sorted((row for row in rows if row.wants_something), key=lambda row: -row.differ),
        "verdict": agreement_page.overall(result["verdict"]),
        "anything": agreement_page.overall(result["any"]),
        "pairs": agreement_page.pairs(result["pairs"], called, "verdict", "any"),
        "queues": queues,
        "elsewhere": elsewhere,
        "editions": agreement_page.editions(result),
        "line": agreement_page.over_time(result["rolling"], "verdict"),
        "months": agreement_page.months(result["months"], "verdict", "any"),
        "month_measures": ("Verdict", "Any category"),
        "confusion": result["confusion"][:5],
    }


@require_safe
def category(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    return _category(request, slug, key, SubjectiveForm())


def _category(request: HttpRequest, slug: str, key: str, form: forms.Form, status: int = 200) -> HttpResponse:
    user, codebook, who, report = _asked(request, slug)
    found = next((one for one in report.result["categories"] if one["key"] == key), None) if report else None
    if report is None or found is None:
        raise Http404("This category is not in the report that was measured last.")
    (row,) = agreement_page.categories({"categories": [found]}, subjective.standing(codebook))
    context = {
        "codebook": codebook,
        "here": "codebook_agreement",
        "report": report,
        "is_owner": codebook.owner_id == user.pk,
        "row": row,
        "line": agreement_page.over_time(found["rolling"], "alpha"),
        "months": agreement_page.months(found["months"], "alpha"),
        "month_measures": ("Alpha",),
        "pairs": agreement_page.pairs(found["pairs"], agreement_page.names(report.result, who), "kappa"),
        "form": form,
    }
    return render(request, "codebook/agreement_category.html", context, status=status)


@require_POST
def accept(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """The owner accepts a category as subjective, or takes that back."""
    user = access.signed_in(request)
    codebook = access.get(owned(user), slug=slug)
    if not codebook.versions.filter(categories__key=key).exists():
        raise Http404
    now = timezone.now()
    if "withdraw" in request.POST:
        subjective.withdraw(codebook=codebook, key=key, by=user, now=now)
        messages.success(request, "Its labels count in full again.")
        return redirect("codebook_agreement_category", slug=slug, key=key)
    form = SubjectiveForm(request.POST)
    if not form.is_valid():
        return _category(request, slug, key, form, 422)
    subjective.accept(codebook=codebook, key=key, by=user, now=now, **form.cleaned_data)
    messages.success(request, "Accepted as subjective. It is on record, and its labels weigh less in datasets.")
    return redirect("codebook_agreement_category", slug=slug, key=key)


@require_POST
def measure(request: HttpRequest, slug: str) -> HttpResponse:
    user, codebook, who, _ = _asked(request, slug)
    if not who.may_measure:
        raise Http404
    measured.measure_now(codebook=codebook, by=user)
    return redirect("codebook_agreement", slug=slug)


@require_safe
def file(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """The report as JSON, or its figures as a table."""
    _, codebook, who, report = _asked(request, slug)
    if report is None:
        raise Http404("Nothing has been measured yet.")
    head = {"codebook": codebook.slug, "measured_at": report.computed_at.isoformat()}
    told = agreement_page.told(report.result, who)
    response: HttpResponse = JsonResponse(head | told, json_dumps_params={"indent": 1, "ensure_ascii": False})
    if kind == "csv":
        response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
        csv.writer(response).writerows(_table(told, head))
    response["Content-Disposition"] = f'attachment; filename="agreement-{codebook.slug}.{kind}"'
    return response


def _table(told: dict[str, Any], head: dict[str, str]) -> Iterator[list[str]]:
    yield ["codebook", "versions", "measured_at", "of", "what", "figure", "value", "low", "high", "n", "reason"]
    versions = " ".join(map(str, told["versions"]))
    for of, what, name, figure in agreement_page.listed(told):
        numbers = ["" if figure[key] is None else str(figure[key]) for key in ("value", "low", "high", "n")]
        cells = [head["codebook"], versions, head["measured_at"], of, what, name]
        yield [*(_cell(cell) for cell in cells), *numbers, figure.get("reason", "")]


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _asked(request: HttpRequest, slug: str) -> tuple[Any, Codebook, Reader, AgreementReport | None]:
    user = access.signed_in(request)
    codebook = access.get(codebooks(user).select_related("owner"), slug=slug)
    return user, codebook, agreement_page.reader(user, codebook), measured.latest(codebook)
