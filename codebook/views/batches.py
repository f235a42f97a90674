"""Label batches: all that a person may see of a codebook, one, and closing it by hand."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from codebook.doors import codebooks
from codebook.labels import batch_page, batches
from codebook.models import Codebook, LabelBatch, Version
from hitl.access import doors as access
from hitl.models import User
from queues.doors import LEADS, queues
from queues.models import Queue

HERE = "codebook_batches"
A_PAGE = 50


class FilterForm(forms.Form):
    queue = forms.ModelChoiceField(Queue.objects.none(), required=False, empty_label="All", to_field_name="slug")
    version = forms.ModelChoiceField(Version.objects.none(), required=False, empty_label="All", to_field_name="number")
    state = forms.ChoiceField(
        choices=[("", "Open and closed"), ("open", "Open"), ("closed", "Closed")], required=False, label="State"
    )

    def __init__(self, *args: Any, shown: QuerySet[Queue], versions: QuerySet[Version], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, queryset in (("queue", shown), ("version", versions)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = queryset
        self.fields["version"].label_from_instance = lambda version: f"Version {version.number}"  # type: ignore[attr-defined]

    def among(self, rows: QuerySet[LabelBatch]) -> QuerySet[LabelBatch]:
        """What was asked for; a filter that makes no sense filters nothing."""
        wanted = self.cleaned_data if self.is_valid() else {}
        if queue := wanted.get("queue"):
            rows = rows.filter(queue=queue)
        if version := wanted.get("version"):
            rows = rows.filter(version=version)
        if state := wanted.get("state"):
            rows = rows.filter(closed_at__isnull=state == "open")
        return rows


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(codebooks(user), slug=slug)
    every = LabelBatch.objects.filter(version__codebook=codebook)
    shown = _batches(user, codebook)
    form = FilterForm(
        request.GET,
        shown=queues(user).filter(pk__in=every.values("queue")),
        versions=codebook.versions.exclude(state=Version.State.DRAFT).order_by("-number"),
    )
    rows = form.among(shown).select_related("queue", "version", "counts").order_by("-pk")
    context = {
        "codebook": codebook,
        "here": HERE,
        "form": form,
        "batches": Paginator(rows, A_PAGE).get_page(request.GET.get("page")),
        "elsewhere": every.exclude(pk__in=shown.values("pk")).count(),
        "filters": urlencode({name: request.GET[name] for name in form.fields if request.GET.get(name)}),
    }
    return render(request, "codebook/batches.html", context)


@require_safe
def batch(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(codebooks(user), slug=slug)
    found = access.get(_batches(user, codebook).select_related("queue", "version", "counts", "closed_by"), pk=pk)
    may_act = _may_act(user, codebook, found)
    context = {
        "codebook": codebook,
        "here": HERE,
        "batch": found,
        "may_act": may_act,
        "page": batch_page.page(found, with_names=may_act),
    }
    return render(request, "codebook/batch.html", context)


@require_POST
def close(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    codebook = access.get(codebooks(user), slug=slug)
    found = access.get(_batches(user, codebook), pk=pk)
    if not _may_act(user, codebook, found):
        raise Http404
    try:
        batches.close(batch=found, by=user, now=timezone.now())
    except batches.CannotClose as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The batch is closed. The next label opens another.")
    return redirect("codebook_batch", slug=slug, pk=pk)


def _batches(user: User, codebook: Codebook) -> QuerySet[LabelBatch]:
    """Batches of queues that the person works in; having the last word on a rubric opens no queue."""
    return LabelBatch.objects.filter(version__codebook=codebook, queue__in=queues(user))


def _may_act(user: User, codebook: Codebook, found: LabelBatch) -> bool:
    return codebook.owner_id == user.pk or queues(user, *LEADS).filter(pk=found.queue_id).exists()
