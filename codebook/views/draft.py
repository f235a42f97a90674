"""The draft of a codebook: its owner writes it, part by part; who reads the codebook reads along and comments."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from codebook.doors import codebooks, owned
from codebook.models import Category, Codebook
from codebook.rubric import authoring
from codebook.rubric.authoring import Refused, draft_of, newest_of
from codebook.rubric.content import WORDS
from codebook.rubric.draft_page import Card, Part, draft_page, typed
from hitl.access import doors as access


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """By POST the owner starts one."""
    user = access.signed_in(request)
    readable = owned(user) if request.method == "POST" else codebooks(user)
    codebook = access.get(readable.select_related("owner"), slug=slug)
    if request.method == "POST":
        authoring.start_draft(codebook=codebook, by=user)
        return redirect("codebook_draft", slug)
    draft = draft_of(codebook)
    context = {
        "codebook": codebook,
        "here": "codebook_draft",
        "draft": draft,
        "newest": newest_of(codebook),
        "is_owner": codebook.owner_id == user.pk,
        "page": draft_page(draft) if draft else None,
    }
    return render(request, "codebook/draft.html", context)


@require_safe
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The draft as the review screen will show it."""
    codebook = access.get(codebooks(access.signed_in(request)).select_related("owner"), slug=slug)
    draft = draft_of(codebook)
    if draft is None:
        return redirect("codebook_draft", slug)
    categories = list(draft.categories.all())
    context = {"codebook": codebook, "here": "codebook_draft", "draft": draft, "categories": categories}
    return render(request, "codebook/preview.html", context)


@require_POST
def save(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What was typed into a category: all of its form, or the one part that htmx sends while it is being typed."""
    user = access.signed_in(request)
    codebook = access.get(owned(user), slug=slug)
    fields = typed(request.POST)
    category = Category.objects.filter(pk=pk).select_related("version").first()
    if category and category.version.codebook_id != codebook.pk:
        raise Http404
    try:
        if category is None:
            raise Refused("This category was removed meanwhile. What you typed was not saved.")
        saved = authoring.save_category(category=category, fields=fields, by=user)
    except Refused as refused:
        return _not_saved(request, codebook, str(refused), fields)
    if request.headers.get("HX-Request"):
        key = Part(pk, "key", saved.category.key) if saved.has_new_key else None
        context = {"codebook": codebook, "card": Card(saved.category), "refused": saved.refused, "key": key}
        return render(request, "codebook/_saved.html", context, status=422 if saved.refused else 200)
    if saved.refused:
        return _not_saved(
            request, codebook, " ".join(saved.refused.values()), {part: fields[part] for part in saved.refused}
        )
    return redirect(f"{reverse('codebook_draft', args=[slug])}#category-{pk}")


@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(owned(user), slug=slug)
    draft = draft_of(codebook) or authoring.start_draft(codebook=codebook, by=user)
    return _after(request, slug, lambda: authoring.add_category(version=draft, by=user))


@require_POST
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    category = _category(request, slug, pk)

    def done() -> None:
        authoring.remove_category(category=category, by=user)
        messages.success(request, f"“{category.title or category.key}” is out of the draft.")

    return _after(request, slug, done)


@require_POST
def move(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    category = _category(request, slug, pk)
    steps = -1 if request.POST.get("to") == "up" else 1

    def done() -> Category:
        authoring.move_category(category=category, by=user, steps=steps)
        return category

    return _after(request, slug, done)


@require_POST
def drop(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(owned(user), slug=slug)

    def done() -> None:
        if draft := draft_of(codebook):
            authoring.drop_draft(version=draft, by=user)
            messages.success(request, "The draft is dropped. What is published stays as it is.")

    return _after(request, slug, done)


def _category(request: HttpRequest, slug: str, pk: int) -> Category:
    codebook = access.get(owned(access.signed_in(request)), slug=slug)
    return access.get(Category.objects.filter(version__codebook=codebook), pk=pk)


def _after(request: HttpRequest, slug: str, verb: object) -> HttpResponse:
    """Back to the draft, at the category that the verb gives; what it refuses is said there."""
    assert callable(verb)
    anchor = ""
    try:
        category = verb()
        anchor = f"#category-{category.pk}" if isinstance(category, Category) else ""
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(f"{reverse('codebook_draft', args=[slug])}{anchor}")


def _not_saved(request: HttpRequest, codebook: Codebook, why: str, fields: dict[str, str]) -> HttpResponse:
    """The reason, and for whoever works without JavaScript what they typed, to be copied."""
    if request.headers.get("HX-Request"):
        return render(request, "codebook/_not_saved.html", {"why": why}, status=409)
    kept = [(WORDS[name], text) for name, text in fields.items()]
    context = {"codebook": codebook, "here": "codebook_draft", "why": why, "kept": kept}
    return render(request, "codebook/not_saved.html", context, status=409)
