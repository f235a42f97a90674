"""Queues as their leads see them: all of them, one, a new one, and what can be set on it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hitl.access import doors as access
from queues import doors, keeping, overview, steering, terms
from queues.forms import QueueForm
from queues.quarters import quarter_of
from queues.routing import rulebook
from queues.wording import rule_rows


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    user = access.signed_in(request)
    rows = overview.led(user)
    may_open = doors.may_open(user)
    if not (rows or may_open):
        raise Http404
    context = {"rows": rows, "may_open": may_open, "now": timezone.now(), "has_rules": doors.rules(user).exists()}
    return render(request, "queues/queues.html", context)


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    led = doors.queues(user, *doors.LEADS).select_related("calendar", "codebook_use__codebook")
    queue = access.get(led, slug=slug)
    lanes = overview.lanes(user, queue)
    rules = queue.rules.prefetch_related("tenants").select_related("queue")
    ordered = rulebook([terms.as_value(rule) for rule in rules if rule.is_active]).rules
    now = timezone.now()
    context = {
        "queue": queue,
        "promise": terms.queue_terms(queue).sla.words,
        "lanes": lanes,
        "heaviest": steering.HEAVIEST,
        "rules": rule_rows(rules, ordered, user),
        "breaches": overview.breaches(row.lane for row in lanes),
        "kept": keeping.kept_since(queue, access.tenants(user), quarter_of(now).begins),
        "counted_at_most": keeping.COUNTED_AT_MOST,
        "now": now,
    }
    return render(request, "queues/queue.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    user = access.signed_in(request)
    if not doors.may_open(user):
        raise Http404
    form = QueueForm(request.POST or None, user=user)
    if form.is_valid():
        queue = steering.create_queue(by=user, fields=form.values())
        messages.success(request, f"The queue {queue} is there. A rule says which cases go to it; make one.")
        return redirect("queue", slug=queue.slug)
    return render(request, "queues/queue_edit.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    queue = access.get(doors.queues(user, *doors.LEADS), slug=slug)
    name = queue.name
    form = QueueForm(request.POST or None, instance=queue, user=user)
    if form.is_valid():
        changed = steering.change_queue(queue=queue, by=user, fields=form.values())
        said = "Saved. Cases that wait already keep their deadlines." if changed else "Nothing changed."
        messages.success(request, said)
        return redirect("queue", slug=slug)
    context = {"form": form, "queue": queue, "name": name}
    return render(request, "queues/queue_edit.html", context, status=422 if form.is_bound else 200)


@require_POST
def weights(request: HttpRequest, slug: str) -> HttpResponse:
    user = access.signed_in(request)
    queue = access.get(doors.queues(user, *doors.LEADS), slug=slug)
    wanted: dict[int, int] = {}
    for lane in queue.lanes.filter(tenant__in=access.tenants(user)):
        given = request.POST.get(f"weight-{lane.pk}", "")
        if not given:
            continue
        if not (given.isascii() and given.isdigit() and 1 <= int(given[:4]) <= steering.HEAVIEST):
            messages.error(request, f"A weight is a whole number from 1 to {steering.HEAVIEST}. Nothing was changed.")
            return redirect("queue", slug=slug)
        wanted[lane.pk] = int(given[:4])
    changed = steering.weigh_lanes(queue=queue, by=user, weights=wanted)
    messages.success(request, f"Saved: {changed} changed." if changed else "Nothing changed.")
    return redirect("queue", slug=slug)
