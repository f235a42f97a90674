"""What of a tenant's texts is masked, how well it is found, and the vault behind the masks."""

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from hitl.access import doors as access
from hitl.models import Tenant
from queues.masks import changing, measuring, telling, vault
from queues.models import IntakeSettings, ScrubMeasurement
from queues.scrub.kinds import NOT_CLAIMED

LISTED = 20


class MasksForm(forms.ModelForm):
    class Meta:
        model = Tenant
        fields = ["scrubs_names", "scrubs_addresses"]
        labels = {"scrubs_names": "Names of persons", "scrubs_addresses": "Mask postal addresses"}
        help_texts = {
            "scrubs_names": "A text says that a name comes: “my name is”, “Dear”, a title, a signature, a field called "
            "so. Lists find far more; they also mask the famous, of whom many answers speak.",
            "scrubs_addresses": "Also those in documents: an answer that gives an address shows its mask, which is the "
            "same mask where the document gives the same address.",
        }
        widgets = {"scrubs_names": forms.RadioSelect}


class LabelledForm(forms.Form):
    file = forms.FileField(
        label="File of marked texts", max_length=200,
        widget=forms.ClearableFileInput(attrs={"accept": ".jsonl,.ndjson"}),
        help_text=f"JSONL, at most {measuring.BYTES // 1024 // 1024} MB and {measuring.TEXTS:,} texts. Only counts are "
        "kept.",
    )  # fmt: skip

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > measuring.BYTES:
            raise forms.ValidationError(f"It has {file.size:,} bytes; {measuring.BYTES:,} are taken. Split it.")
        return file


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = _led(request, slug)
    form = MasksForm(request.POST or None, instance=tenant)
    if form.is_valid():
        fields = form.cleaned_data
        changed = changing.change(tenant=tenant, by=access.signed_in(request), fields=fields)
        messages.success(request, "Saved, for what comes in from now on." if changed else "Nothing changed.")
        return redirect("scrubbing", slug=slug)
    return _render(request, slug, form, LabelledForm(), status=422 if form.is_bound else 200)


@require_POST
def measure(request: HttpRequest, slug: str) -> HttpResponse:
    """A file of marked texts, of which the counts are kept."""
    tenant = _led(request, slug)
    form = LabelledForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = measuring.bring(
                tenant=tenant, name=file.name, content=file.read(), by=access.signed_in(request), now=timezone.now()
            )
        except measuring.Refused as refused:
            form.add_error("file", str(refused))
        else:
            messages.success(request, f"{made.result['texts']:,} texts were measured. Nothing of them was kept.")
            return redirect("scrubbing", slug=slug)
    return _render(request, slug, MasksForm(instance=tenant), form, status=422)


@require_POST
def empty(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        gone = vault.empty(tenant=_led(request, slug), by=access.signed_in(request))
    except vault.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{gone:,} values are forgotten for good. That is on record.")
    return redirect("scrubbing", slug=slug)


def _render(request: HttpRequest, slug: str, form: MasksForm, labelled: LabelledForm, *, status: int) -> HttpResponse:
    # As it stands, not as a form that was refused would have it.
    tenant = _led(request, slug)
    measurements = ScrubMeasurement.objects.filter(tenant=tenant).select_related("by").order_by("-at")[:LISTED]
    latest = measurements[0] if measurements else None
    context = {
        "tenant": tenant,
        "here": "scrubbing",
        "form": form,
        "labelled": labelled,
        "kinds": telling.kinds(tenant, latest),
        "types": telling.types(latest) if latest else [],
        "latest": latest,
        "measurements": measurements,
        "not_claimed": NOT_CLAIMED,
        "keeps_vault": IntakeSettings.of(tenant).keeps_vault,
        "in_vault": vault.size(tenant),
    }
    return render(request, "traces/scrubbing.html", context, status=status)


def _led(request: HttpRequest, slug: str) -> Tenant:
    return access.get(access.tenants(request.user, *access.LEADS), slug=slug)
