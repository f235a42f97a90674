"""Home, by role: what to do next for a reviewer, what is wrong and who is at work for a lead."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from queues import alarms, overview
from reviews.figures import home, owning
from reviews.views.access import person


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    user = person(request)
    now = timezone.now()
    mine, led = home.mine(user), overview.led(user)
    context: dict[str, Any] = {
        "now": now,
        "mine": mine,
        "led": led,
        "owned": owning.codebooks(user),
        "waiting": sum(row.counts.waiting for row in mine),
        "steps": home.first_steps() if user.is_superuser else (),
        "alarms": alarms.alarms(user),
    }
    if mine:
        context |= {"held": home.held(user), "today": home.today(user, now)}
    if led:
        context["at_work"] = overview.at_work(user, now)
    return render(request, "reviews/home.html", context)
