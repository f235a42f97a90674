"""Readers comment on a draft; its owner settles what they said."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from codebook.doors import codebooks, owned
from codebook.models import Category, Comment
from codebook.rubric import commenting
from codebook.rubric.authoring import Refused, draft_of
from hitl.access import doors as access


@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """`category`: the one that it is about; without it, all of the draft."""
    user = access.signed_in(request)
    codebook = access.get(codebooks(user), slug=slug)
    draft, about, category = draft_of(codebook), request.POST.get("category", ""), None
    if about:
        of_this = Category.objects.filter(version__codebook=codebook)
        category = access.get(of_this, pk=int(about[:18]) if about.isascii() and about.isdigit() else 0)
    try:
        if draft is None:
            raise Refused("There is no draft any more. Your comment was not sent.")
        commenting.comment(
            version=draft, category=category, text=request.POST.get("text", ""), by=user, now=timezone.now()
        )
    except Refused as refused:
        messages.error(request, str(refused))
    return _back(slug, category.pk if category else None)


@require_POST
def resolve(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(owned(user), slug=slug)
    comment = access.get(Comment.objects.filter(version__codebook=codebook), pk=pk)
    try:
        commenting.resolve_comment(comment=comment, by=user, now=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    return _back(slug, comment.category_id)


def _back(slug: str, category_id: int | None) -> HttpResponse:
    anchor = f"#category-{category_id}" if category_id else "#comments"
    return redirect(f"{reverse('codebook_draft', args=[slug])}{anchor}")
