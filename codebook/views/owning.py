"""Making a codebook, and what is settled about it: its name, its batches, its owner."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from codebook.doors import may_open, run
from codebook.forms import HandOverForm, NewForm, SettingsForm
from codebook.rubric import authoring, owning
from codebook.rubric.authoring import Refused
from hitl.access import doors as access


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    user = access.signed_in(request)
    if not may_open(user):
        raise Http404
    form = NewForm(request.POST or None)
    if form.is_valid():
        try:
            codebook = owning.create_codebook(owner=user, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            authoring.start_draft(codebook=codebook, by=user)
            messages.success(
                request, f"{codebook} is there, and you have the last word on it. Write its first version."
            )
            return redirect("codebook_draft", codebook.slug)
    return render(request, "codebook/new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Two forms: what it is called, and whose it is. Each is sent by itself."""
    user = access.signed_in(request)
    codebook = access.get(run(user).select_related("owner"), slug=slug)
    is_handed = "to" in request.POST
    form = SettingsForm(None if is_handed else request.POST or None, instance=codebook)
    heir = HandOverForm(request.POST if is_handed else None, codebook=codebook)
    title = codebook.title
    try:
        if form.is_bound and form.is_valid():
            changed = owning.change_codebook(codebook=codebook, by=user, fields=form.cleaned_data)
            messages.success(request, "Saved." if changed else "Nothing changed.")
            return redirect("codebook_settings", slug)
        if heir.is_bound and heir.is_valid():
            to = heir.cleaned_data["to"]
            owning.hand_over(codebook=codebook, to=to, by=user)
            messages.success(request, f"{to} has the last word on {title} now.")
            return redirect("codebook", slug)
    except Refused as refused:
        (heir if is_handed else form).add_error(None, str(refused))
    codebook.title = title
    context = {"codebook": codebook, "here": "codebook", "form": form, "heir": heir}
    return render(request, "codebook/settings.html", context, status=422 if request.POST else 200)
