"""The rubric as the reviewers work with it, and for its owner the new failure modes they named in their own words."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from codebook.doors import codebooks
from codebook.models import Version
from codebook.versions import rubric
from hitl.access import doors
from queues.doors import queues
from reviews.models import Finding
from reviews.views.access import person

CANDIDATES = 100


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The codebooks that the person works with; with one only, that one."""
    mine = list(codebooks(person(request)).select_related("owner").order_by("title"))
    if len(mine) == 1:
        return redirect("codebook", mine[0].slug)
    return render(request, "codebook/codebooks.html", {"codebooks": mine})


@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The version in use, its categories, and the candidates for new ones."""
    user = person(request)
    codebook = doors.get(codebooks(user).select_related("owner"), slug=slug)
    newest = codebook.versions.filter(state=Version.State.PUBLISHED).order_by("-number").first()
    is_owner = codebook.owner_id == user.pk
    uses = codebook.queue_uses.select_related("queue")
    candidates = Finding.objects.none()
    if is_owner:
        candidates = (
            Finding.objects.filter(
                kind=Finding.Kind.NEW_FAILURE_MODE,
                review__label__version__codebook=codebook,
                review__label__undone_at=None,
            )
            .select_related("review__slot__case", "review__label__user")
            .order_by("-pk")
        )
    return render(
        request,
        "codebook/codebook.html",
        {
            "codebook": codebook,
            "version": rubric(newest.pk) if newest else None,
            "is_owner": is_owner,
            "candidates": candidates[:CANDIDATES],
            "queues": uses if is_owner else uses.filter(queue__in=queues(user)),
        },
    )
