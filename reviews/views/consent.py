"""What users allow, and taking it back for one of them: here, since this room knows the datasets that held it."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from hitl.access import doors as access
from queues.models import ConsentWithdrawal
from queues.traces import consent
from reviews.datasets.holding import any_made, holding
from reviews.traffic.consent import figures

PERIOD = timedelta(days=30)
LISTED = 50


class WithdrawForm(forms.Form):
    user_key = forms.CharField(
        label="User key", max_length=200,
        help_text="As your product names the user in its traces. What is personal in it is taken out as it was then.",
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    tenant = access.get(access.tenants(user, *access.LEADS), slug=slug)
    now = timezone.now()
    form = WithdrawForm(request.POST or None)
    if form.is_valid():
        done = consent.withdraw(
            tenant=tenant, user_key=form.cleaned_data["user_key"], by=user, source="a lead", now=now
        )
        lost = f"{done.signals} of {done.given} signals" if done.given else "No signal of theirs is here; none"
        messages.success(request, f"Taken back. {lost} lost their consent; what comes late is held to it, too.")
        return redirect("consent", slug=slug)
    listed = ConsentWithdrawal.objects.filter(tenant=tenant).select_related("by").order_by("-at")[:LISTED]
    context = {
        "tenant": tenant,
        "here": "consent",
        "form": form,
        "figures": figures(tenant, now - PERIOD),
        "days": PERIOD.days,
        "withdrawals": [(one, holding(tenant, one.user_key)) for one in listed],
        "listed": LISTED,
        "any_made": any_made(tenant),
    }
    return render(request, "traces/consent.html", context, status=422 if form.is_bound else 200)
