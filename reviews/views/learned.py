"""How mine ended: a reviewer's own decisions on which the owner of the codebook had a word, to learn from."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reviews.figures import learned
from reviews.views.access import person

A_PAGE = 20


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What I said, the last word, and what the categories mean. Nobody else's decision, and no score."""
    shown = Paginator(learned.ended(person(request)), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "reviews/learned.html", {"shown": shown, "ended": learned.lay_out(shown)})
