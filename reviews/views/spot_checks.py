"""Spot checks: the owner's list by reviewer, and one decision to agree with or to decide otherwise."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from codebook.adjudication import spot_checks
from codebook.adjudication.adjudicating import NotSettled
from codebook.doors import owned
from codebook.labels.labelling import WrongVersion
from codebook.models import Codebook, SpotCheck
from codebook.standing import Standing, standing
from hitl.access import doors
from hitl.models import User
from reviews import forms
from reviews.given import Invalid
from reviews.views.access import person
from reviews.views.disagreements import CHANGED, look, say

MOST = 200
CHECKED = 50


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """How often the owner agreed with whom, what is to be looked at, and what was."""
    user = person(request)
    codebook = doors.get(owned(user), slug=slug)
    shown = spot_checks.visible(user, codebook).select_related("label__case", "reviewer", "adjudication__label")
    context = {
        "codebook": codebook,
        "here": "codebook_spot_checks",
        "figures": spot_checks.figures(codebook, shown, timezone.now()),
        "open": shown.filter(checked_at=None).order_by("day", "reviewer__name", "pk")[:MOST],
        "checked": shown.exclude(checked_at=None).order_by("-checked_at")[:CHECKED],
        "each": spot_checks.A_DAY_EACH,
    }
    return render(request, "codebook/spot_checks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One decision: agreed with, or decided otherwise, which is the last word on its case."""
    user = person(request)
    codebook = doors.get(owned(user), slug=slug)
    mine = spot_checks.visible(user, codebook).select_related("label__case__tenant", "label__case__queue", "reviewer")
    spot = doors.get(mine, pk=pk)
    stands = standing(codebook.pk)
    refusal = ""
    if request.method == "POST":
        try:
            _say(request, user, codebook, spot, stands)
        except (NotSettled, Invalid) as problem:
            refusal = str(problem)
        except WrongVersion:
            refusal = CHANGED
        else:
            return _next(request, user, codebook, spot)
    context = look(user, codebook, spot.label.case, spot.label.round, stands, request.POST)
    context["decisions"] = [each for each in context["decisions"] if each.label.pk == spot.label_id]
    context |= {"here": "codebook_spot_checks", "spot": spot, "refusal": refusal}
    return render(request, "codebook/spot_check.html", context, status=409 if refusal else 200)


@transaction.atomic
def _say(request: HttpRequest, user: User, codebook: Codebook, spot: SpotCheck, stands: Standing) -> None:
    agrees = forms.whole(request.POST, "side", 0) == spot.label_id
    word = None
    if not agrees:
        word = say(user, codebook, spot.label.case, spot.label.round, stands, request.POST)
    spot_checks.check(spot=spot, agrees=agrees, by=user, now=timezone.now(), adjudication=word)


def _next(request: HttpRequest, user: User, codebook: Codebook, checked: SpotCheck) -> HttpResponse:
    messages.success(request, f"{checked.label.case.external_id} is checked.")
    ahead = spot_checks.visible(user, codebook).filter(checked_at=None).order_by("day", "reviewer__name", "pk").first()
    if ahead is None:
        return redirect("codebook_spot_checks", codebook.slug)
    return redirect("codebook_spot_check", codebook.slug, ahead.pk)
