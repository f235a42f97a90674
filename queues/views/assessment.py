"""When a person is asked: a tenant's thresholds, what a change would have done, and whether asking changes anything."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from hitl.access import doors as access
from queues import thresholds
from queues.assessment_form import AssessmentForm
from queues.models import AssessmentRevision

LISTED, NOTE_LONGEST = 50, 300


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Tried on past cases first; saved when that is what was tried."""
    user = access.signed_in(request)
    tenant = access.get(access.tenants(user, *access.LEADS), slug=slug)
    number, settings = thresholds.current(tenant)
    form = AssessmentForm(request.POST or None, settings=settings)
    now = timezone.now()
    note = request.POST.get("note", "").strip()[:NOTE_LONGEST]
    context: dict[str, Any] = {"tenant": tenant, "form": form, "number": number, "note": note, "now": now}
    if form.is_valid():
        if request.POST.get("tried") == form.mark and request.POST.get("after", "") == str(number):
            try:
                thresholds.save(tenant=tenant, settings=form.settings, note=note, by=user, after=number)
            except thresholds.Overtaken:
                messages.error(request, "Somebody saved other thresholds just now. Yours are not saved; begin again.")
            else:
                messages.success(request, "Saved. Cases that come in from now on are measured by it.")
            return redirect("assessment", slug=slug)
        context["trial"] = thresholds.try_on_past(tenant=tenant, settings=form.settings, now=now)
    context["decided"], context["changed"] = thresholds.what_people_changed(tenant, now)
    revisions = AssessmentRevision.objects.filter(tenant=tenant).select_related("created_by").order_by("-number")
    context["revisions"] = revisions[:LISTED]
    return render(request, "queues/assessment.html", context, status=422 if form.errors else 200)
