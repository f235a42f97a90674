"""Files of earlier labels that the owner of a codebook brings: a new one, what it holds, what became of it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from codebook.doors import cases, owned
from codebook.labels import dropping, importing, label_files
from codebook.models import Codebook, LabelFile
from hitl.access import doors as access
from hitl.models import Tenant, User

LISTED = 20


class LabelFileForm(forms.Form):
    tenant = forms.ModelChoiceField(
        Tenant.objects.none(), label="Whose cases", empty_label="Choose one", help_text="Tenants that you work in."
    )
    title = forms.CharField(
        label="What these labels are called together",
        max_length=120,
        initial=importing.TITLE,
        help_text="The first file under a name declares its categories. Other categories need another name.",
    )
    file = forms.FileField(
        label="File",
        max_length=200,
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(label_files.FORMATS)}),
        help_text=f"CSV, JSONL or JSON, at most {label_files.FILE_BYTES // 1024 // 1024} MB; for a larger one an "
        "administrator runs import_labels. Nothing is taken in yet.",
    )

    def __init__(self, *args: Any, user: User, codebook: Codebook, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tenant"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = access.tenants(user).filter(lane__queue__in=codebook.queue_uses.values("queue")).distinct()


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    user, codebook = _owned(request, slug)
    form = LabelFileForm(request.POST or None, request.FILES or None, user=user, codebook=codebook)
    if form.is_valid():
        sent, said = form.cleaned_data["file"], form.cleaned_data
        try:
            file = label_files.bring(
                codebook=codebook, tenant=said["tenant"], title=said["title"], by=user, name=sent.name or "",
                content=sent.read(label_files.FILE_BYTES + 1), now=timezone.now(),
            )  # fmt: skip
        except label_files.Refused as refused:
            form.add_error("file", str(refused))
        else:
            return redirect("codebook_labels_file", slug=slug, pk=file.pk)
    context = {
        "codebook": codebook,
        "here": "codebook_agreement",
        "form": form,
        "can_see": cases(user, codebook).exists(),
        "files": _files(user, codebook).order_by("-pk")[:LISTED],
    }
    return render(request, "codebook/labels_import.html", context, status=422 if form.is_bound else 200)


@require_safe
def page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user, codebook = _owned(request, slug)
    file = access.get(_files(user, codebook), pk=pk)
    context = {"codebook": codebook, "here": "codebook_agreement", "file": file, "looked": file.looked, "job": file.job}
    return render(request, "codebook/labels_file.html", context)


@require_POST
def settle(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Takes the file in, or lets it go."""
    user, codebook = _owned(request, slug)
    file = access.get(_files(user, codebook), pk=pk)
    if "drop" in request.POST:
        if dropping.drop(file=file, by=user):
            messages.success(request, "The file was dropped. None of its labels was taken in.")
            return redirect("codebook_labels_import", slug=slug)
        messages.error(request, "The file was confirmed in the meantime.")
    else:
        label_files.confirm(file=file, by=user)
    return redirect("codebook_labels_file", slug=slug, pk=pk)


def _owned(request: HttpRequest, slug: str) -> tuple[User, Codebook]:
    user = access.signed_in(request)
    return user, access.get(owned(user), slug=slug)


def _files(user: User, codebook: Codebook) -> Any:
    """Of tenants that the owner still works in."""
    brought = LabelFile.objects.filter(codebook=codebook, tenant__in=access.tenants(user))
    return brought.select_related("tenant", "brought_by", "job").defer("rows")
