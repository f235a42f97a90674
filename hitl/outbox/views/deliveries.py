"""What goes out to a tenant's systems: waiting, sent, failing; and sending it again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hitl import clock
from hitl.access import doors
from hitl.access.models import Tenant
from hitl.outbox import reading, resending
from hitl.outbox.forms import FilterForm
from hitl.outbox.models import Message


@require_safe
def deliveries(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = led(request, slug)
    form = FilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    now = clock.now()
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "tenant": tenant,
        "form": form,
        "now": now,
        "counts": reading.counts(tenant, now),
        "page": reading.page(tenant, **wanted),
        "filtered": any(wanted.values()),
        "query": query.urlencode(),
    }
    template = "outbox/_messages.html" if getattr(request, "htmx", False) else "outbox/deliveries.html"
    return render(request, template, context)


@require_POST
def send_all_again(request: HttpRequest, slug: str) -> HttpResponse:
    count = resending.send_all_again(tenant=led(request, slug), by=doors.signed_in(request))
    if count:
        messages.success(request, f"{count:,} {'message goes' if count == 1 else 'messages go'} out again now.")
    else:
        messages.info(request, "Nothing was sent again: nothing fails, or its address is switched off.")
    return redirect("deliveries", slug=slug)


@require_POST
def send_again(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    try:
        resending.send_again(message=_message(request, slug, pk), by=doors.signed_in(request))
    except resending.CannotSend as refused:
        messages.error(request, f"It was not sent again. {refused}")
    else:
        messages.success(request, "It goes out again now.")
    return redirect("deliveries", slug=slug)


@require_POST
def call_off(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    try:
        resending.call_off(message=_message(request, slug, pk), by=doors.signed_in(request))
    except resending.CannotSend as refused:
        messages.error(request, f"It was not called off. {refused}")
    else:
        messages.success(request, "It was called off. Whoever asks for the verdict by its address still gets it.")
    return redirect("deliveries", slug=slug)


def led(request: HttpRequest, slug: str) -> Tenant:
    """The tenant, if the person runs it; else 404."""
    return doors.get(doors.tenants(request.user, *doors.LEADS), slug=slug)


def _message(request: HttpRequest, slug: str, pk: int) -> Message:
    return doors.get(Message.objects.filter(tenant=led(request, slug)), pk=pk)
