"""A tenant's addresses for its events. A secret is in the answer to the request that made it, and nowhere else."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from hitl import clock
from hitl.access import doors
from hitl.access.models import Tenant
from hitl.outbox import addresses, endpoints
from hitl.outbox.forms import EndpointForm
from hitl.outbox.models import Endpoint, SigningSecret
from hitl.outbox.views.deliveries import led


@never_cache
def index(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = led(request, slug)
    form = EndpointForm(request.POST or None)
    made: dict[str, Any] = {}
    if form.is_valid():
        try:
            made["endpoint"], made["secret"] = endpoints.create(
                tenant=tenant, by=doors.signed_in(request), **form.cleaned_data
            )
            form = EndpointForm()
        except (addresses.Refused, endpoints.Taken) as refused:
            form.add_error("url", str(refused))
    return _index(request, tenant, form, made)


@require_POST
@never_cache
def callback_secret(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = led(request, slug)
    replaced = _callbacks(tenant)
    secret = endpoints.rotate(tenant=tenant, endpoint=None, by=doors.signed_in(request))
    return _index(request, tenant, EndpointForm(), {"secret": secret, "replaced": replaced})


@never_cache
def endpoint(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    one = _endpoint(request, slug, pk)
    form = EndpointForm.of(one, request.POST or None)
    if form.is_valid():
        try:
            endpoints.change(endpoint=one, by=doors.signed_in(request), **form.cleaned_data)
        except (addresses.Refused, endpoints.Taken) as refused:
            form.add_error("url", str(refused))
        else:
            messages.success(request, "The address is saved. What waits goes there.")
            return redirect("endpoint", slug=slug, pk=pk)
    return _one(request, one, form)


@require_POST
@never_cache
def secret(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    one = _endpoint(request, slug, pk)
    new = endpoints.rotate(tenant=one.tenant, endpoint=one, by=doors.signed_in(request))
    return _one(request, one, EndpointForm.of(one), {"secret": new, "replaced": True})


@require_POST
def switch(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    on = request.POST.get("on") == "1"
    endpoints.switch(endpoint=_endpoint(request, slug, pk), on=on, by=doors.signed_in(request))
    said = "It is on. What waited goes out now." if on else "It is off. What waits for it stays until it is on again."
    messages.success(request, said)
    return redirect("endpoint", slug=slug, pk=pk)


@require_POST
def test(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    endpoints.test(endpoint=_endpoint(request, slug, pk), by=doors.signed_in(request))
    messages.success(request, "A test event is on its way. What came of it stands here within seconds.")
    return redirect("deliveries", slug=slug)


def _endpoint(request: HttpRequest, slug: str, pk: int) -> Endpoint:
    webhooks = Endpoint.objects.filter(tenant=led(request, slug), kind=Endpoint.Kind.WEBHOOK)
    return doors.get(webhooks.select_related("tenant"), pk=pk)


def _index(request: HttpRequest, tenant: Tenant, form: EndpointForm, made: dict[str, Any]) -> HttpResponse:
    context = {
        "tenant": tenant,
        "form": form,
        "endpoints": Endpoint.objects.filter(tenant=tenant, kind=Endpoint.Kind.WEBHOOK).order_by("pk"),
        "callbacks": _callbacks(tenant),
        **made,
    }
    return render(request, "outbox/endpoints.html", context, status=422 if form.errors else 200)


def _callbacks(tenant: Tenant) -> SigningSecret | None:
    return SigningSecret.objects.filter(tenant=tenant, endpoint=None, until=None).first()


def _one(request: HttpRequest, one: Endpoint, form: EndpointForm, made: dict[str, Any] | None = None) -> HttpResponse:
    leaving = one.secrets.filter(until__gt=clock.now()).first()
    context = {"tenant": one.tenant, "endpoint": one, "form": form, "leaving": leaving, **(made or {})}
    return render(request, "outbox/endpoint.html", context, status=422 if form.errors else 200)
