"""What labels say of a tenant's traffic: how much of it fails, what each policy found, what signals are worth."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from hitl.access import doors as access
from hitl.models import Tenant
from queues.models import SignalWeights
from queues.sampling import plans
from queues.traces import reweighing, weights
from reviews.models import TrafficReport
from reviews.traffic import page, priors, reports, waiting

PAGES = frozenset(("estimates", "sampling_yield", "signal_weights"))


@require_safe
def estimates(request: HttpRequest, slug: str) -> HttpResponse:
    context = page.common(_led(request, slug), access.signed_in(request), request.GET.get("period", ""), timezone.now())
    if report := context["report"]:
        context |= page.estimates(report)
    return render(request, "traces/estimates.html", context | {"here": "estimates"})


@require_safe
def sampling_yield(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = _led(request, slug)
    context = page.common(tenant, access.signed_in(request), request.GET.get("period", ""), timezone.now())
    if report := context["report"]:
        plan = plans.current(tenant)
        found = page.proposal(report, plan)
        context |= {"plan": plan, "proposal": found, "rows": page.policies(report, found)}
    return render(request, "traces/sampling_yield.html", context | {"here": "sampling_yield"})


@require_POST
def take_mix(request: HttpRequest, slug: str) -> HttpResponse:
    """The proposed mix becomes the plan's next revision, if the plan is still the one that it was proposed for."""
    tenant = _led(request, slug)
    report = _report(request, tenant)
    found = page.proposal(report, plans.current(tenant))
    back = _back("sampling_yield", tenant, report)
    try:
        if not found.may_be_taken:
            raise plans.Overtaken
        plans.save(
            tenant=tenant,
            change={"mix": found.mix},
            because=request.POST.get("because", "").strip() or found.because,
            by=access.signed_in(request),
            after=_number(request, "revision"),
            now=timezone.now(),
            measured={"period": report.period, "policies": report.result["policies"]},
        )
    except plans.Overtaken:
        messages.error(request, "The plan was changed in the meantime. Nothing was saved; here is what holds now.")
    except plans.Refused as refused:
        messages.error(request, f"The plan cannot be saved: {refused} Nothing was changed.")
    else:
        messages.success(request, "Saved. The next sample is drawn by this mix.")
    return back


@require_safe
def signal_weights(request: HttpRequest, slug: str) -> HttpResponse:
    tenant, now = _led(request, slug), timezone.now()
    context = page.common(tenant, access.signed_in(request), request.GET.get("period", ""), now)
    standing = weights.of(tenant)
    if report := context["report"]:
        found = page.weighings(report, standing)
        rows, silent = page.signals(report, found)
        context |= {"rows": rows, "silent": silent, "changed": priors.changed(found), "base": report.result["base"]}
    revisions = SignalWeights.objects.filter(tenant=tenant).select_related("by").order_by("-revision")
    context |= {"here": "signal_weights", "standing": standing, "revisions": revisions[:10]}
    context["waiting"] = waiting.now_waiting(tenant, now)
    return render(request, "traces/signal_weights.html", context)


@require_POST
def take_weights(request: HttpRequest, slug: str) -> HttpResponse:
    """The proposed weights of one kind of signal, or of all."""
    tenant = _led(request, slug)
    report = _report(request, tenant)
    found = page.weighings(report, weights.of(tenant))
    kind = request.POST.get("kind", "")
    back = _back("signal_weights", tenant, report)
    changed = priors.changed(found, [kind] if kind else None)
    if not changed:
        messages.error(request, "Nothing of this is proposed any more. Here is what holds now.")
        return back
    try:
        reweighing.change(
            tenant=tenant, changed=changed, by=access.signed_in(request), after=_number(request, "revision"),
            measured=page.measured_of([one for one in found if one.kind in changed], report),
            because=request.POST.get("because", "").strip() or "By what people found on the traces with these signals.",
            now=timezone.now(),
        )  # fmt: skip
    except reweighing.Overtaken:
        messages.error(request, "The weights were changed in the meantime. Nothing was saved; here is what holds now.")
    else:
        messages.success(request, "Saved. Traces are weighed anew in the background, the oldest first.")
    return back


@require_POST
def measure(request: HttpRequest, slug: str) -> HttpResponse:
    """Has it measured now; back to the page that asked."""
    tenant = _led(request, slug)
    reports.measure_now(tenant=tenant, by=access.signed_in(request))
    asked = request.POST.get("page", "")
    return redirect(asked if asked in PAGES else "estimates", slug=tenant.slug)


def _led(request: HttpRequest, slug: str) -> Tenant:
    return access.get(access.tenants(access.signed_in(request), *access.LEADS), slug=slug)


def _report(request: HttpRequest, tenant: Tenant) -> TrafficReport:
    return access.get(TrafficReport.objects.filter(tenant=tenant), pk=_number(request, "report"))


def _back(name: str, tenant: Tenant, report: TrafficReport) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse(name, args=[tenant.slug])}?period={report.period}")


def _number(request: HttpRequest, name: str) -> int:
    """A whole number of the form; one that cannot be is nobody's."""
    given = request.POST.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 18 else -1
