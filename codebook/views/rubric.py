"""The codebooks that a person works with, and the rubric of one as it is in use."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from codebook.doors import codebooks, may_open, run
from codebook.rubric.authoring import draft_of, newest_of
from codebook.versions import rubric
from hitl.access import doors as access
from queues.doors import queues


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """With one codebook only, and no right to make another, that one."""
    user = access.signed_in(request)
    mine = list(codebooks(user).select_related("owner").order_by("title", "pk"))
    may = may_open(user)
    if len(mine) == 1 and not may:
        return redirect("codebook", mine[0].slug)
    return render(request, "codebook/codebooks.html", {"codebooks": mine, "may_open": may})


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The version in use and its categories."""
    user = access.signed_in(request)
    codebook = access.get(codebooks(user).select_related("owner"), slug=slug)
    newest = newest_of(codebook)
    is_owner = codebook.owner_id == user.pk
    uses = codebook.queue_uses.select_related("queue").order_by("queue__name")
    context = {
        "codebook": codebook,
        "here": "codebook",
        "version": rubric(newest.pk) if newest else None,
        "is_owner": is_owner,
        "may_run": run(user).filter(pk=codebook.pk).exists(),
        "draft": draft_of(codebook),
        "queues": uses if is_owner else uses.filter(queue__in=queues(user)),
    }
    return render(request, "codebook/codebook.html", context)
