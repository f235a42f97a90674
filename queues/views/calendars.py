"""Calendars: the hours that deadlines are counted in."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from hitl.access import doors as access
from queues import doors, steering, terms
from queues.calendars import BusinessCalendar
from queues.forms import CalendarForm

WORKING_DAYS, LOOK_AHEAD = 10, 60


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    user = access.signed_in(request)
    if not (doors.may_open(user) or doors.queues(user, *doors.LEADS).exists()):
        raise Http404
    run = set(doors.calendars_run(user).values_list("pk", flat=True))
    found = doors.calendars(user).order_by("name")
    rows = [(one, one.pk in run, weekly_hours(terms.calendar(one))) for one in found]
    return render(request, "queues/calendars.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    user = access.signed_in(request)
    if not (doors.may_open(user) or doors.queues(user, *doors.LEADS).exists()):
        raise Http404
    form = CalendarForm(request.POST or None)
    if form.is_valid():
        calendar = steering.create_calendar(by=user, fields=form.values())
        messages.success(request, f"The calendar {calendar} is there. See below whether its days are right.")
        return redirect("calendar", pk=calendar.pk)
    return render(request, "queues/calendar.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    user = access.signed_in(request)
    calendar = access.get(doors.calendars_run(user), pk=pk)
    form = CalendarForm(request.POST or None, calendar=calendar)
    if form.is_valid():
        steering.change_calendar(calendar=calendar, by=user, fields=form.values())
        messages.success(request, "Saved. See below whether its days are right; deadlines of waiting cases stay.")
        return redirect("calendar", pk=pk)
    business = terms.calendar(calendar)
    days = ahead(business, timezone.now().astimezone(business.zone).date())
    context = {"form": form, "calendar": calendar, "days": days, "queues": calendar.queue_set.all()}
    return render(request, "queues/calendar.html", context, status=422 if form.is_bound else 200)


def ahead(calendar: BusinessCalendar, today: date) -> list[tuple[date, str]]:
    """The next working days with their hours, and the holidays among them, as somebody would check them."""
    days: list[tuple[date, str]] = []
    left = WORKING_DAYS
    for offset in range(LOOK_AHEAD):
        day = today + timedelta(offset)
        if shifts := calendar.shifts_on(day):
            days.append((day, ", ".join(f"{_clock(opens)} to {_clock(closes)}" for opens, closes in shifts)))
            left -= 1
        elif calendar.week[day.weekday()]:
            days.append((day, "holiday"))
        if not left:
            break
    return days


def weekly_hours(calendar: BusinessCalendar) -> float:
    return sum(closes - opens for shifts in calendar.week for opens, closes in shifts) / 60


def _clock(minutes: int) -> str:
    return "24:00" if minutes == 24 * 60 else f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
