"""What a tenant takes in, for how long it is kept, and from which web pages."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hitl.access import doors as access
from queues.intake import changing
from queues.intake.settings_form import IntakeForm
from queues.masks import vault
from queues.models import IntakeSettings


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    tenant = access.get(access.tenants(user, *access.LEADS), slug=slug)
    form = IntakeForm(request.POST or None, instance=IntakeSettings.of(tenant))
    if form.is_valid():
        changed = changing.change(tenant=tenant, by=user, fields=form.cleaned_data)
        messages.success(request, "Saved. That is on record." if changed else "Nothing changed.")
        if "keeps_vault" in changed and not form.cleaned_data["keeps_vault"] and (kept := vault.size(tenant)):
            messages.info(request, f"{kept:,} masked values from before are still kept. Forget them under Scrubbing.")
        return redirect("intake_settings", slug=slug)
    context = {"tenant": tenant, "here": "intake_settings", "form": form}
    return render(request, "traces/intake_settings.html", context, status=422 if form.is_bound else 200)
