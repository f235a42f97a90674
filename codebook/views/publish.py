"""The owner publishes the draft, or brings one as a file."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from codebook.doors import owned
from codebook.forms import ImportForm
from codebook.models import Version
from codebook.rubric import files
from codebook.rubric.authoring import draft_of
from codebook.rubric.publish_page import chosen, publish_page
from codebook.rubric.publishing import NotPublishable, publish
from hitl.access import doors as access
from hitl.models import User


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """What is in the way, what is different, how it came about; by POST it is published as it was confirmed."""
    user = access.signed_in(request)
    codebook = access.get(owned(user).select_related("owner"), slug=slug)
    draft = draft_of(codebook)
    if draft is None:
        if request.method == "POST":
            messages.error(request, "There is no draft any more: it was published or dropped meanwhile.")
        return redirect("codebook_draft", slug)
    refused: tuple[str, ...] = ()
    if request.method == "POST":
        try:
            return _published(request, draft, user)
        except NotPublishable as fault:
            refused = fault.faults
    answers = chosen(draft, request.POST) if refused else None
    context = {
        "codebook": codebook,
        "here": "codebook_draft",
        "draft": draft,
        "page": publish_page(draft, user, answers),
        "refused": refused,
        "note": request.POST.get("note", draft.note),
    }
    return render(request, "codebook/publish.html", context, status=422 if refused else 200)


def _published(request: HttpRequest, draft: Version, user: User) -> HttpResponse:
    version = publish(
        version=draft, by=user, now=timezone.now(), origins=chosen(draft, request.POST) if _asks(draft) else None,
        note=request.POST.get("note", "").replace("\r\n", "\n").replace("\x00", "").strip(),
        looked=request.POST.get("looked", ""),
    )  # fmt: skip
    messages.success(request, f"Version {version.number} is published. From now on cases are labelled with it.")
    return redirect("codebook", draft.codebook.slug)


def _asks(draft: Version) -> bool:
    """A first version came from nothing; there is nothing to confirm."""
    return draft.codebook.versions.filter(state=Version.State.PUBLISHED).exists()


@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest, slug: str) -> HttpResponse:
    """A file becomes the draft; nothing is published by it."""
    user = access.signed_in(request)
    codebook = access.get(owned(user).select_related("owner"), slug=slug)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            content = files.from_yaml(form.cleaned_data["file"].read(files.LONGEST_FILE + 1))
            files.read_in_as_draft(content=content, by=user, codebook=codebook)
        except files.Unreadable as fault:
            form.add_error("file", str(fault))
        else:
            messages.success(request, "The file is the draft now. Look at it, then publish it.")
            return redirect("codebook_draft", slug)
    context = {"codebook": codebook, "here": "codebook_draft", "form": form, "draft": draft_of(codebook)}
    return render(request, "codebook/import.html", context, status=422 if request.method == "POST" else 200)
