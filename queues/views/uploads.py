"""Files of cases that a lead brings to a tenant: the list, a new one, what it holds, what became of it."""

import csv

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from hitl.access import doors
from hitl.models import Tenant
from queues.intake import dropping, uploads
from queues.models import Upload

LISTED = 100
# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\x00")


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File",
        max_length=200,
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(uploads.FORMATS)}),
        help_text=f"JSONL, JSON or CSV, at most {uploads.FILE_BYTES // 1024 // 1024} MB. Nothing is taken in yet.",
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        try:
            uploads.check(file.name or "", file.size or 0)
        except uploads.Refused as refused:
            raise forms.ValidationError(str(refused)) from None
        return file


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = _led(request, slug)
    brought = Upload.objects.filter(tenant=tenant).select_related("uploaded_by", "job").defer("rows", "problems")
    context = {"tenant": tenant, "uploads": brought.order_by("-pk")[:LISTED]}
    return render(request, "queues/uploads.html", context)


def new(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = _led(request, slug)
    form = UploadForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        by = doors.signed_in(request)
        try:
            upload = uploads.bring(tenant=tenant, by=by, name=file.name, content=file.read(), now=timezone.now())
        except uploads.Refused as refused:
            form.add_error("file", str(refused))
        else:
            return redirect("upload", slug=slug, pk=upload.pk)
    context = {"tenant": tenant, "form": form}
    return render(request, "queues/upload_new.html", context, status=422 if form.is_bound else 200)


@require_safe
def upload(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    brought = _upload(request, slug, pk)
    return render(request, "queues/upload.html", {"tenant": brought.tenant, "upload": brought, "job": brought.job})


@require_POST
def confirm(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    try:
        job = uploads.confirm(upload=_upload(request, slug, pk), by=doors.signed_in(request))
    except uploads.Refused as refused:
        messages.error(request, str(refused))
        return redirect("upload", slug=slug, pk=pk)
    return redirect("job", pk=job.pk)


@require_POST
def drop(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    try:
        dropping.drop(upload=_upload(request, slug, pk), by=doors.signed_in(request), now=timezone.now())
    except uploads.Refused as refused:
        messages.error(request, str(refused))
        return redirect("upload", slug=slug, pk=pk)
    messages.success(request, "The file was dropped. None of its cases was taken in.")
    return redirect("uploads", slug=slug)


@require_safe
def rejected(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The rows that were not taken, as a table for a spreadsheet; no cell of it starts a formula."""
    brought = _upload(request, slug, pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-{brought.pk}.csv"'
    response.write("\ufeff")
    table = csv.writer(response)
    table.writerow(["row", "case_id", "reason"])
    for one in brought.problems:
        table.writerow([one["row"], _cell(one["case_id"]), _cell(one["error"])])
    return response


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _led(request: HttpRequest, slug: str) -> Tenant:
    return doors.get(doors.tenants(request.user, *doors.LEADS), slug=slug)


def _upload(request: HttpRequest, slug: str, pk: int) -> Upload:
    brought = Upload.objects.filter(tenant=_led(request, slug)).select_related("tenant", "uploaded_by", "job")
    return doors.get(brought.defer("rows"), pk=pk)
