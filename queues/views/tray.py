"""The unrouted tray of a lead's tenants."""

import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from hitl.access import doors as access
from hitl.models import User
from queues import doors, placing, tray, wording
from queues.forms import SendForm
from queues.models import Case, Queue

A_PAGE = 50
WHOLE = re.compile(r"[0-9]{1,18}")
CHOOSE_FIRST = "Tick at least one case first. Nothing was changed."


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    user = _lead(request)
    return _page(request, user, SendForm(user=user))


@require_POST
def route_again(request: HttpRequest) -> HttpResponse:
    """The ticked cases, or all, by the rules as they are now."""
    user = _lead(request)
    found = _chosen(request, user)
    if not found:
        return _nothing(request)
    done = placing.route_again(cases=found, by=user, now=timezone.now())
    if done.routed:
        messages.success(request, f"{done.routed} found a queue.")
    if done.unrouted:
        messages.warning(request, f"No rule takes {done.unrouted} of them: change a rule, or send them by hand.")
    return redirect("unrouted")


@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """The ticked cases to a queue, by hand; only where the person works in their tenant and runs the queue."""
    user = _lead(request)
    form = SendForm(request.POST, user=user)
    if not form.is_valid():
        return _page(request, user, form, status=422)
    found = _chosen(request, user)
    if not found:
        return _nothing(request)
    queue: Queue = form.cleaned_data["queue"]
    authority = form.cleaned_data["authority"]
    count = tray.send(cases=found, queue=queue, authority=authority, by=user, now=timezone.now())
    messages.success(request, f"{count} sent to {queue}. That is on record.")
    return redirect("unrouted")


def _lead(request: HttpRequest) -> User:
    user = access.signed_in(request)
    if not doors.may_open(user):
        raise Http404
    return user


def _chosen(request: HttpRequest, user: User) -> QuerySet[Case]:
    found = tray.unrouted(user)
    if "all" not in request.POST:
        found = found.filter(pk__in=[int(pk) for pk in request.POST.getlist("case") if WHOLE.fullmatch(pk)])
    return found[: tray.AT_ONCE]


def _nothing(request: HttpRequest) -> HttpResponseRedirect:
    messages.error(request, CHOOSE_FIRST)
    return redirect("unrouted")


def _page(request: HttpRequest, user: User, form: SendForm, status: int = 200) -> HttpResponse:
    page = Paginator(tray.unrouted(user).select_related("tenant"), A_PAGE).get_page(request.GET.get("page"))
    ticked = set(request.POST.getlist("case"))
    known = wording.rule_names(user)
    rows = [(case, wording.why(case.routing, known), str(case.pk) in ticked) for case in page]
    context = {"rows": rows, "page": page, "form": form, "now": timezone.now(), "at_once": tray.AT_ONCE}
    return render(request, "queues/unrouted.html", context, status=status)
