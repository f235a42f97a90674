"""Complaints that name no trace: the list, a new one, and one with the traces that it is likely about."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hitl.access import doors as access
from hitl.audit import log
from hitl.models import Tenant
from queues import doors
from queues.complaints import candidates, searching, settling
from queues.complaints.forms import ComplaintForm, DismissForm, LinkForm, SearchForm
from queues.intake import complaints as door
from queues.models import Complaint, IntakeSettings, Trace

LISTED = 100
COUNTED = 1_000


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = _led(request, slug)
    settled = request.GET.get("state") == "settled"
    of_tenant = Complaint.objects.filter(tenant=tenant)
    is_open = of_tenant.filter(state=Complaint.State.OPEN)
    rows = of_tenant.exclude(state=Complaint.State.OPEN) if settled else is_open
    context = {
        "tenant": tenant,
        "here": "complaints",
        "settled": settled,
        "complaints": rows.select_related("settled_by").order_by("-at")[:LISTED],
        "listed": LISTED,
        "open": is_open[: COUNTED + 1].count(),
        "counted": COUNTED,
        "takes": IntakeSettings.of(tenant).takes_complaints,
        "now": timezone.now(),
    }
    return render(request, "traces/complaints.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """One complaint, pasted by a person, by the same door as those of the API."""
    user = access.signed_in(request)
    tenant = _led(request, slug)
    form = ComplaintForm(request.POST or None)
    if form.is_valid():
        try:
            taken = door.complaints([form.row()], tenant=tenant, now=timezone.now(), source="form", actor=user)
        except door.NotTaken as off:
            form.add_error(None, str(off))
        else:
            if not taken.rejected:
                said = "It was here already." if taken.duplicates else "It is here."
                messages.success(request, said)
                return redirect("complaints", slug=slug)
            form.add_error(None, taken.rejected[0].error)
    takes = IntakeSettings.of(tenant).takes_complaints
    context = {"tenant": tenant, "here": "complaints", "form": form, "takes": takes}
    return render(request, "traces/complaint_new.html", context, status=422 if form.is_bound else 200)


@require_safe
@transaction.atomic
def page(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Looking at it is on record, as with a trace."""
    user = access.signed_in(request)
    complaint = _complaint(request, slug, pk)
    tenant = complaint.tenant
    log.append(actor=user, action="complaint.seen", subject=f"complaint:{pk}", tenant_id=tenant.pk)
    search = SearchForm(request.GET or None)
    searched = search.is_valid() and any(search.cleaned_data.values())
    is_open = complaint.state == Complaint.State.OPEN
    context = {
        "tenant": tenant,
        "here": "complaints",
        "complaint": complaint,
        "proposals": candidates.propose(complaint) if is_open and not searched else None,
        "search": search,
        "found": searching.search(complaint, tenant, **search.cleaned_data) if is_open and searched else None,
        "link": LinkForm(auto_id="reason-%s"),
        "dismiss": DismissForm(),
        "stays": complaint.state == Complaint.State.LINKED and settling.is_a_case(complaint),
        "now": timezone.now(),
    }
    return render(request, "traces/complaint.html", context)


@require_POST
def link(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    complaint = _complaint(request, slug, pk)
    try:
        trace_id, reason = LinkForm(request.POST).given()
        trace = access.get(Trace.objects.filter(tenant=complaint.tenant), pk=trace_id)
        settling.link(complaint=complaint, trace=trace, reason=reason, by=user, now=timezone.now())
    except settling.Refused as refused:
        messages.error(request, str(refused))
        return redirect("complaint", slug=slug, pk=pk)
    messages.success(request, "Linked. It counts as negative feedback on that trace from now on.")
    return redirect("complaints", slug=slug)


@require_POST
def dismiss(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    complaint = _complaint(request, slug, pk)
    because = request.POST.get("because", "")
    try:
        settling.dismiss(complaint=complaint, because=because, by=user, now=timezone.now())
    except settling.Refused as refused:
        messages.error(request, str(refused))
        return redirect("complaint", slug=slug, pk=pk)
    messages.success(request, "Dismissed. It can be opened again at any time.")
    return redirect("complaints", slug=slug)


@require_POST
def reopen(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    complaint = _complaint(request, slug, pk)
    try:
        settling.reopen(complaint=complaint, by=user)
    except settling.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "It is open again.")
    return redirect("complaint", slug=slug, pk=pk)


def _led(request: HttpRequest, slug: str) -> Tenant:
    return access.get(access.tenants(request.user, *access.LEADS), slug=slug)


def _complaint(request: HttpRequest, slug: str, pk: int) -> Complaint:
    mine = doors.complaints(access.signed_in(request)).filter(tenant__slug=slug)
    return access.get(mine.select_related("tenant", "settled_by"), pk=pk)
