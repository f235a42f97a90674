"""Other tools of a tenant: which hear of decisions, what they were told, and what the scores that they send mean."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from hitl import clock
from hitl.access import doors
from hitl.access.models import Tenant
from hitl.models import Endpoint, Message
from hitl.outbox import addresses, endpoints, tools
from queues.intake.foreign import explaining
from queues.models import ScoreName
from reviews.pushing.forms import MeaningsForm, ToolForm

SHOWN = 20


@never_cache
def page(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = _led(request, slug)
    form = ToolForm(request.POST or None)
    if form.is_valid():
        said = form.cleaned_data
        try:
            tools.connect(
                tenant=tenant,
                kind=said["kind"],
                url=said["url"],
                key=form.credential,
                project=said["project"],
                by=doors.signed_in(request),
            )
        except (addresses.Refused, tools.Taken) as refused:
            form.add_error("url", str(refused))
        else:
            messages.success(request, "The tool is added. It hears of each decision from now on; try the connection.")
            return redirect("foreign_tools", slug=slug)
    return _page(request, tenant, form)


@require_POST
def attempt(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    fault = tools.attempt(endpoint=_tool(request, slug, pk), by=doors.signed_in(request))
    if fault:
        messages.error(request, f"The connection does not work. {fault} What waits for it stays.")
    else:
        messages.success(request, "The connection works: the tool answered, and knows the key.")
    return redirect("foreign_tools", slug=slug)


@require_POST
def switch(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    on = request.POST.get("on") == "1"
    endpoints.switch(endpoint=_tool(request, slug, pk), on=on, by=doors.signed_in(request))
    if on:
        messages.success(request, "It is on. What waited goes out now.")
    else:
        messages.success(request, "It is paused: what is decided from now on, it is not told.")
    return redirect("foreign_tools", slug=slug)


@require_POST
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    called_off = tools.remove(endpoint=_tool(request, slug, pk), by=doors.signed_in(request))
    more = f" {called_off:,} waiting messages were called off." if called_off else ""
    messages.success(request, f"The tool is removed, and its key forgotten. What it was told stays there.{more}")
    return redirect("foreign_tools", slug=slug)


@require_POST
def scores(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = _led(request, slug)
    form = MeaningsForm(_names(tenant), request.POST)
    if not form.is_valid():
        return _page(request, tenant, ToolForm(), form)
    changed = explaining.explain(tenant=tenant, meanings=form.meanings, by=doors.signed_in(request))
    said = f"{changed} {'name means' if changed == 1 else 'names mean'} something else from now on."
    messages.success(request, said if changed else "Nothing was changed.")
    return redirect("foreign_tools", slug=slug)


def _page(request: HttpRequest, tenant: Tenant, form: ToolForm, meanings: MeaningsForm | None = None) -> HttpResponse:
    told = Message.objects.filter(tenant=tenant, channel=Message.Channel.TOOL).select_related("endpoint")
    context = {
        "tenant": tenant,
        "here": "foreign_tools",
        "form": form,
        "meanings": meanings or MeaningsForm(_names(tenant)),
        "tools": _tools(tenant).order_by("pk"),
        "told": told.order_by("-pk")[:SHOWN],
        "now": clock.now(),
    }
    faulty = form.errors or (meanings and meanings.errors)
    return render(request, "reviews/foreign_tools.html", context, status=422 if faulty else 200)


def _names(tenant: Tenant) -> list[ScoreName]:
    return list(ScoreName.objects.filter(tenant=tenant).order_by("name"))


def _tools(tenant: Tenant) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(tenant=tenant, removed_at=None).exclude(kind=Endpoint.Kind.WEBHOOK)


def _led(request: HttpRequest, slug: str) -> Tenant:
    """The tenant, if the person runs it; else 404."""
    return doors.get(doors.tenants(request.user, *doors.LEADS), slug=slug)


def _tool(request: HttpRequest, slug: str, pk: int) -> Endpoint:
    return doors.get(_tools(_led(request, slug)), pk=pk)
