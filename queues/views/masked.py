"""What is masked in one case or trace: shown once to who may see it, for a reason, and on record."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from hitl.access import doors as access
from hitl.models import Tenant
from queues import doors
from queues.masks import revealing


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why do you need to see it?", min_length=revealing.SHORTEST, max_length=revealing.LONGEST,
        help_text="It goes on record with your name and the kinds of what you saw.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip


@never_cache
@sensitive_variables("shown")
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    one = access.get(doors.cases_revealed(user).select_related("tenant"), pk=pk)
    form, shown = ReasonForm(request.POST or None), None
    if form.is_valid() and revealing.has_vault(one.tenant):
        shown = revealing.of_case(case=one, by=user, reason=form.cleaned_data["reason"])
    back = reverse("case", args=[one.pk])
    return _render(request, one.tenant, one.external_id, back, form, shown, revealing.in_case(one))


@never_cache
@sensitive_variables("shown")
@require_http_methods(["GET", "HEAD", "POST"])
def trace(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    user = access.signed_in(request)
    one = access.get(doors.traces_revealed(user).select_related("tenant").filter(tenant__slug=slug), pk=pk)
    form, shown = ReasonForm(request.POST or None), None
    if form.is_valid() and revealing.has_vault(one.tenant):
        shown = revealing.of_trace(trace=one, by=user, reason=form.cleaned_data["reason"])
    back = reverse("trace", args=[slug, one.pk])
    return _render(request, one.tenant, one.external_id, back, form, shown, revealing.in_trace(one))


@sensitive_variables("shown")
def _render(
    request: HttpRequest,
    tenant: Tenant,
    name: str,
    back: str,
    form: ReasonForm,
    shown: revealing.Revealed | None,
    masks: int,
) -> HttpResponse:
    context = {
        "tenant": tenant,
        "name": name,
        "back": back,
        "form": form,
        "shown": shown,
        "masks": masks,
        "has_vault": revealing.has_vault(tenant),
    }
    return render(request, "queues/masked.html", context, status=422 if form.is_bound and shown is None else 200)
