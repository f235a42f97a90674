"""The list of a tenant's traces, signals that wait for theirs, and sending traces to a queue."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from hitl.access import doors as access
from hitl.models import Tenant, User
from queues import doors
from queues.models import Queue
from queues.traces import listing, sending, told
from queues.traces.filters import TracesForm
from queues.traces.listing import Figures, Wanted

# Counting goes through all of a period; who comes back to the list within the minute need not wait for it again.
COUNTED_SECONDS = 60
WAITING_LISTED = 100


class SendTracesForm(forms.Form):
    """Where traces are sent: to one of the queues that the person runs, or where the rules lead."""

    queue = forms.ModelChoiceField(
        Queue.objects.none(), label="Send to", required=False, empty_label="Where the rules lead"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        queue = self.fields["queue"]
        assert isinstance(queue, forms.ModelChoiceField)
        queue.queryset = doors.queues(user, *doors.LEADS).filter(is_active=True).order_by("name")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Straight to the traces of the one tenant that the person runs; of several they choose."""
    led = list(access.tenants(request.user, *access.LEADS).order_by("name"))
    if len(led) == 1:
        return redirect("traces", slug=led[0].slug)
    return render(request, "traces/home.html", {"tenants": led})


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    tenant = _led(request, slug)
    form = TracesForm(request.GET, choices=told.choices(tenant))
    wanted = form.wanted(tenant, timezone.now())
    page = listing.page(wanted, request.GET.get("after", ""))
    signals = told.chips([row.id for row in page.rows if row.signals])
    cases = told.cases(tenant, [row.external_id for row in page.rows], user)
    context = {
        "tenant": tenant,
        "here": "traces",
        "form": form,
        "wanted": wanted,
        "page": page,
        "rows": [(row, signals.get(row.id, ()), cases.get(row.external_id)) for row in page.rows],
        "figures": _figures(wanted, form),
        "waiting": told.waiting_count(tenant),
        "send": SendTracesForm(user=user),
        "is_first": "after" not in request.GET,
        "now": timezone.now(),
    }
    return render(request, "traces/traces.html", context)


@require_POST
def send(request: HttpRequest, slug: str) -> HttpResponse:
    """The ticked traces to a queue that the person runs, or by the rules; then back to where they were ticked."""
    user = access.signed_in(request)
    tenant = _led(request, slug)
    form = SendTracesForm(request.POST, user=user)
    back = _back(request, slug)
    if not form.is_valid():
        messages.error(request, "Choose one of the queues that you run. Nothing was sent.")
        return redirect(back)
    ids = [id_ for text in request.POST.getlist("trace") if (id_ := _uuid(text))]
    if not ids:
        messages.error(request, "Tick at least one trace first. Nothing was sent.")
        return redirect(back)
    queue: Queue | None = form.cleaned_data["queue"]
    done = sending.send(tenant=tenant, traces=ids, queue=queue, by=user, now=timezone.now())
    _say(request, done, queue)
    return redirect(back)


@require_safe
def waiting(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = _led(request, slug)
    signals = told.waiting(tenant)[:WAITING_LISTED]
    context = {
        "tenant": tenant,
        "here": "traces",
        "signals": [told.waits(signal) for signal in signals],
        "count": told.waiting_count(tenant),
        "counted_at_most": told.COUNTED,
        "now": timezone.now(),
    }
    return render(request, "traces/waiting.html", context)


def _say(request: HttpRequest, done: sending.Sent, queue: Queue | None) -> None:
    opened = len(done.cases)
    if opened:
        where = f" in {queue}" if queue else ", where the rules lead"
        messages.success(request, f"{opened} {'case' if opened == 1 else 'cases'} opened{where}. That is on record.")
    if done.unrouted:
        messages.warning(request, f"No rule takes {done.unrouted} of them: they wait in the unrouted tray.")
    if done.already:
        were = "was a case" if done.already == 1 else "were cases"
        messages.info(request, f"{done.already} {were} already and stayed where they are.")
    if not (opened or done.already):
        messages.error(request, "These traces are not here any more. Nothing was sent.")


def _figures(wanted: Wanted, form: TracesForm) -> Figures:
    given = form.cleaned_data
    key = f"traces:{wanted.tenant_id}:{given.get('days')}:{given.get('until')}:{timezone.get_current_timezone_name()}"
    found: Figures | None = cache.get(key)
    if found is None:
        found = listing.figures(wanted.tenant_id, wanted.since, wanted.until)
        cache.set(key, found, COUNTED_SECONDS)
    return found


def _back(request: HttpRequest, slug: str) -> str:
    """The page of ours that the form stood on."""
    back = request.POST.get("back", "")
    if back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return back
    return reverse("traces", args=[slug])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _led(request: HttpRequest, slug: str) -> Tenant:
    return access.get(access.tenants(request.user, *access.LEADS), slug=slug)
