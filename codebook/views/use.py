"""A lead chooses the codebook of a queue."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from codebook import using
from codebook.doors import codebooks
from codebook.models import Codebook, Version
from hitl.access import doors as access
from queues import doors


class UseForm(forms.Form):
    codebook = forms.ModelChoiceField(
        Codebook.objects.none(), empty_label="Choose one", help_text="Those that you may read, and that are published."
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        readable = Codebook.objects.all() if user.is_superuser else codebooks(user)
        published = Version.objects.filter(state=Version.State.PUBLISHED).values("codebook")
        field = self.fields["codebook"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = readable.filter(pk__in=published).order_by("title")


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    led = doors.queues(user, *doors.LEADS).select_related("codebook_use__codebook")
    queue = access.get(led, slug=slug)
    used = getattr(queue, "codebook_use", None)
    form = UseForm(request.POST or None, user=user, initial={"codebook": used.codebook_id if used else None})
    if form.is_valid():
        codebook = form.cleaned_data["codebook"]
        if using.choose(queue=queue, codebook=codebook, by=user):
            messages.success(request, f"Cases of {queue} are labelled with {codebook} from now on.")
        return redirect("queue", slug=slug)
    context = {"queue": queue, "used": used, "form": form}
    return render(request, "codebook/use.html", context, status=422 if form.is_bound else 200)
