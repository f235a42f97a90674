"""Routing rules: in their order, a new one, a changed one with what it would move, and a case to try them with."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from hitl.access import doors as access
from hitl.models import Tenant, User
from queues import doors, rules, terms, where_to, wording
from queues.models import RoutingRule
from queues.risk import Risk
from queues.routing import rulebook
from queues.rule_forms import RuleForm, TryForm
from queues.weighing import Facts


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    user = lead(request)
    mine = doors.rules(user).select_related("queue").prefetch_related("tenants")
    ordered = rulebook(terms.rules_in_force()).rules
    rows = wording.rule_rows(mine, ordered, user)
    strangers = len(ordered) - sum(row.place is not None for row in rows)
    context = {"rows": rows, "strangers": strangers, "queues": doors.queues(user, *doors.LEADS)}
    return render(request, "queues/rules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    user = lead(request)
    queue = doors.queues(user, *doors.LEADS).filter(slug=request.GET.get("queue", "")).first()
    form = RuleForm(request.POST or None, user=user, queue=queue)
    return _edit(request, user, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    user = lead(request)
    rule = access.get(doors.rules_run(user).prefetch_related("tenants"), pk=pk)
    return _edit(request, user, RuleForm(request.POST or None, user=user, rule=rule), rule)


@require_safe
def try_out(request: HttpRequest) -> HttpResponse:
    """By GET: nothing is stored, and the address may be sent to a colleague."""
    user = lead(request)
    form = TryForm(request.GET or None, user=user)
    context: dict[str, Any] = {"form": form, "now": (now := timezone.now())}
    if form.is_valid():
        found = _facts(form, user, now)
        if found:
            tenant, facts = found
            context |= {"answered": where_to.ask(user=user, tenant=tenant, facts=facts, now=now), "facts": facts}
    return render(request, "queues/where_to.html", context, status=422 if form.errors else 200)


def lead(request: HttpRequest) -> User:
    """The person, if they run a queue at all; else there is no such page."""
    user = access.signed_in(request)
    if not doors.queues(user, *doors.LEADS).exists() and not user.is_superuser:
        raise Http404
    return user


def _edit(request: HttpRequest, user: User, form: RuleForm, rule: RoutingRule | None) -> HttpResponse:
    """Shown first what it would move; saved when that is what was looked at."""
    context: dict[str, Any] = {"form": form, "rule": rule}
    if form.is_valid():
        fields, tenants = form.values(), list(form.cleaned_data["tenants"])
        if request.POST.get("looked") == form.mark:
            saved = rules.save(by=user, rule=rule, fields=fields, tenants=tenants)
            messages.success(request, f"The rule “{saved}” is saved. It holds for what comes in from now on.")
            return redirect("rules")
        becomes = rules.as_tried(rule.pk if rule else None, fields["queue"], fields, tenants)
        context["trial"] = rules.would_move(user=user, rule_id=rule.pk if rule else None, becomes=becomes)
    return render(request, "queues/rule_edit.html", context, status=422 if form.errors else 200)


def _facts(form: TryForm, user: User, now: datetime) -> tuple[Tenant, Facts] | None:
    given = form.cleaned_data
    if wanted := given["case"].strip():
        case = doors.cases_led(user).filter(external_id=wanted, tenant=given["tenant"]).select_related("tenant").first()
        if case is None:
            form.add_error("case", f"{given['tenant']} has no case of this id in your queues or your unrouted tray.")
            return None
        return case.tenant, where_to.facts_of(case, now)
    asked = None if given["minutes"] is None else now + timedelta(minutes=given["minutes"])
    fired = frozenset(given["triggers"])
    facts = Facts(given["domain"], given["topic"], given["language"], Risk(given["risk"]), fired, asked, None)
    return given["tenant"], facts
