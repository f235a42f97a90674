"""What people look at out of the traffic: the sampling plan, what it would pick, and what it did."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from hitl.access import doors as access
from hitl.models import Job, Tenant, User
from queues.models import SamplingPlan
from queues.sampling import page as shown
from queues.sampling import plans, reports, scheduling
from queues.sampling.form import PlanForm

WHY_LONGEST = 500


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The plan is tried or saved by the same form; a trial is asked for again by its number while it runs."""
    user = access.signed_in(request)
    tenant = access.get(access.tenants(user, *access.LEADS), slug=slug)
    plan = plans.current(tenant)
    trial = scheduling.trial(tenant, user, request.GET.get("trial", ""))
    if trial and request.htmx:  # type: ignore[attr-defined]
        return render(request, "traces/_sampling_trial.html", {"tenant": tenant, **_trial(trial, tenant)})
    tried = trial.result.get("trial", {}).get("plan") if trial else None
    form = PlanForm(request.POST or None, tenant=tenant, user=user, plan=plan, tried=tried)
    why = request.POST.get("why", "").strip()[:WHY_LONGEST]
    fault = ""
    if request.method == "POST" and form.check(timezone.now()):
        if "try" in request.POST:
            trial = scheduling.try_out(tenant=tenant, change=form.as_json, by=user)
        elif why:
            return _save(request, tenant, form, why, user)
        else:
            fault = "Say in a few words why, so that the record tells it later."
    context = {"form": form, "why": why, "fault": fault, **(_trial(trial, tenant) if trial else {})}
    status = 422 if form.errors or fault else 200
    return render(request, "traces/sampling.html", {**_standing(tenant, user, plan), **context}, status=status)


@require_POST
def draw(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    tenant = access.get(access.tenants(user, *access.LEADS), slug=slug)
    if plans.current(tenant) is None:
        messages.error(request, "There is no sampling plan yet, so nothing was drawn. Save one first.")
    else:
        scheduling.draw_now(tenant=tenant, by=user)
    return redirect("sampling", slug=slug)


def _save(request: HttpRequest, tenant: Tenant, form: PlanForm, why: str, user: User) -> HttpResponse:
    after = request.POST.get("after", "")
    try:
        plan = plans.save(
            tenant=tenant, change=form.change, because=why, by=user, after=int(after) if after.isdecimal() else -1,
            now=timezone.now(),
        )  # fmt: skip
    except plans.Overtaken:
        messages.error(request, "Somebody saved another plan just now. Yours is not saved; begin again.")
    else:
        messages.success(request, f"Saved as revision {plan.revision}. The next sample is drawn by it.")
    return redirect("sampling", slug=tenant.slug)


def _trial(job: Job, tenant: Tenant) -> dict[str, Any]:
    return {"trial_job": job, "trial": shown.trial(job, tenant)}


def _standing(tenant: Tenant, user: User, plan: SamplingPlan | None) -> dict[str, Any]:
    """All of the page but the form."""
    now = timezone.now()
    job = scheduling.running(tenant)
    return {
        "tenant": tenant,
        "here": "sampling",
        "now": now,
        "plan": plan,
        "sent": shown.queue_words(plan, user) if plan else "",
        "running": job,
        "job": job if job and (job.started_by_id == user.pk or user.is_superuser) else None,
        "runs": shown.runs(tenant),
        "reports": reports.latest(tenant, now),
        "rooms": shown.rooms(tenant, user, plan, now),
        "revisions": shown.revisions(tenant),
        **shown.drops(tenant, user, now),
    }
