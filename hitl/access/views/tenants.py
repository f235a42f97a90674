"""The tenants a person runs, and what there is to run of each; a tenant's tokens."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hitl.access import doors, tenants, tokens
from hitl.access.forms import TenantForm, TokenForm
from hitl.access.models import Tenant
from hitl.access.people import Refused


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    led = doors.tenants(request.user, *doors.LEADS).order_by("name")
    return render(request, "access/tenants.html", {"tenants": led})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    doors.people(request.user)
    form = TenantForm(request.POST or None)
    if form.is_valid():
        try:
            made = tenants.create(by=doors.signed_in(request), **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"The tenant {made} is there. Give it people and a token.")
            return redirect("tenant", slug=made.slug)
    return render(request, "access/tenant_new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
def tenant(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "access/tenant.html", {"tenant": _led(request, slug)})


@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = _led(request, slug)
    form = TokenForm(request.POST or None)
    context = {"tenant": tenant, "form": form, "now": timezone.now()}
    status = 200
    if form.is_valid():
        made, context["secret"] = tokens.issue(tenant=tenant, by=doors.signed_in(request), **form.cleaned_data)
        context |= {"made": made, "form": TokenForm()}
    elif form.is_bound:
        status = 422
    context["tokens"] = tenant.tokens.select_related("created_by").order_by("-pk")
    return render(request, "access/tokens.html", context, status=status)


@require_POST
def token_revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    token = doors.get(_led(request, slug).tokens.all(), pk=pk)
    tokens.revoke(token=token, by=doors.signed_in(request))
    messages.success(request, f"The token {token.name} is refused from now on.")
    return redirect("tokens", slug=slug)


def _led(request: HttpRequest, slug: str) -> Tenant:
    return doors.get(doors.tenants(request.user, *doors.LEADS), slug=slug)
