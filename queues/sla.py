"""Deadlines: in minutes, in minutes of working time, or in working days, and how much is left of them in words."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from queues.calendars import YEARS_AHEAD, BusinessCalendar, microseconds, moment

_MINUTE: Final = 60_000_000
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_COUNTED: Final = timedelta(days=YEARS_AHEAD * 365)
_COUNTED_FROM: Final = datetime(1900, 1, 1, tzinfo=UTC)
_COUNTED_TO: Final = datetime(9980, 1, 1, tzinfo=UTC)


class Unit(StrEnum):
    """What a queue's deadline is counted in; the values are those of the queue's own field."""

    NONE = "none"
    MINUTES = "minutes"
    BUSINESS_MINUTES = "business_minutes"
    BUSINESS_DAYS = "business_days"


@dataclass(frozen=True, slots=True)
class Sla:
    """What a queue allows, such as 240 minutes or 1 working day."""

    unit: Unit = Unit.NONE
    amount: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", Unit(self.unit))
        if self.unit is not Unit.NONE and self.amount <= 0:
            raise ValueError("A deadline needs an amount above 0.")

    @property
    def words(self) -> str:
        if self.unit is Unit.NONE:
            return "no deadline"
        if self.unit is Unit.BUSINESS_DAYS:
            return f"{self.amount} working {'day' if self.amount == 1 else 'days'}"
        return f"{_length(self.amount)}{' of working time' if self.unit is Unit.BUSINESS_MINUTES else ''}"


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a case is due (UTC), and in words whose deadline that is. `overdue` says that it had passed on arrival."""

    due_at: datetime
    source: str
    by_producer: bool
    overdue: bool


class NeverOpen(ValueError):
    """The calendar has no working time left within ten years; the message is the sentence to show."""


def deadline(
    received: datetime,
    queue_sla: Sla,
    calendar: BusinessCalendar | None,
    producer_deadline: datetime | None = None,
) -> Deadline | None:
    """The earlier of the producer's deadline and the queue's; None when neither has one.

    Both times must have a zone. A deadline that had already passed is kept as it is. Working time needs a calendar.
    """
    received = in_utc(received)
    ours = _by_queue(received, queue_sla, calendar)
    theirs = None if producer_deadline is None else in_utc(producer_deadline)
    if ours is None:
        if theirs is None:
            return None
        due, source, by_producer = theirs, "the application's deadline", True
    elif theirs is None:
        due, source, by_producer = ours, f"the queue's {queue_sla.words}", False
    elif theirs < ours:
        due, by_producer = theirs, True
        source = f"the application's deadline, earlier than the queue's {queue_sla.words}"
    else:
        due, by_producer = ours, False
        source = f"the queue's {queue_sla.words}, earlier than the application's deadline"
    overdue = due <= received
    if overdue:
        source = f"{source}; it had passed when the case arrived"
    return Deadline(due, source, by_producer, overdue)


def add_minutes(start: datetime, minutes: int, calendar: BusinessCalendar | None = None) -> datetime:
    """`start` plus that many minutes of the calendar's working time, in UTC; without a calendar, of the clock's.

    The result is the first moment by which that much working time has passed: four hours that end at closing time end
    then, not when the doors open again. Raises NeverOpen when ten years don't hold that much.
    """
    if minutes < 0:
        raise ValueError("Minutes to add must not be below 0.")
    start = in_utc(start)
    if calendar is None:
        try:
            return start + timedelta(minutes=minutes)
        except OverflowError:
            return _LATEST
    if minutes == 0:
        return start
    left = minutes * _MINUTE
    for year in range(start.year, min(start.year + YEARS_AHEAD, 9998) + 1):
        timeline = calendar.timeline(year)
        passed = timeline.open_until(microseconds(start)) if year == start.year else 0
        if passed + left <= timeline.total:
            return moment(timeline.moment_of(passed + left))
        left -= timeline.total - passed
    raise NeverOpen(f"The calendar {calendar.name} has less than {_length(minutes)} of working time in ten years.")


def add_business_days(start: datetime, days: int, calendar: BusinessCalendar) -> datetime:
    """The deadline that many working days on, in UTC.

    What arrives in working hours is due at the same local time that many working days later: Friday 10:00 and one day
    is Monday 10:00. What arrives outside them is due when the last of that many whole working days closes: Saturday, or
    Monday before opening, and one day is Monday's closing time. A working day is one on which a shift starts; it lasts
    from its first opening to its last closing, and a due time outside that is moved to the nearer of the two.
    """
    if days < 0:
        raise ValueError("Days to add must not be below 0.")
    start = in_utc(start)
    if days == 0:
        return start
    zone = calendar.zone
    wall = start.astimezone(zone).replace(tzinfo=None)
    today = wall.date()
    # A night shift that began yesterday may still be on.
    for day in (today - timedelta(1), today):
        opens, closes = _span(calendar, day)
        if opens <= wall < closes:
            due_day = _nth_day(calendar, day, days)
            first, last = _span(calendar, due_day)
            due = min(max(first, _midnight(due_day) + (wall - _midnight(day))), last)
            return due.replace(tzinfo=zone).astimezone(UTC)
    opens, _ = _span(calendar, today)
    before = today - timedelta(1) if wall < opens else today
    _, last = _span(calendar, _nth_day(calendar, before, days))
    return last.replace(tzinfo=zone).astimezone(UTC)


def business_minutes_between(start: datetime, end: datetime, calendar: BusinessCalendar) -> int:
    """Whole minutes of working time from one moment to another; below 0 when the end comes first.

    Counts ten years at most, so that a deadline in the year 9999 costs no more than any other.
    """
    start, end = in_utc(start), in_utc(end)
    if end < start:
        return -business_minutes_between(end, start, calendar)
    start = min(max(start, _COUNTED_FROM), _COUNTED_TO)
    end = min(max(end, start), start + _COUNTED)
    worked = -calendar.timeline(start.year).open_until(microseconds(start))
    for year in range(start.year, end.year):
        worked += calendar.timeline(year).total
    worked += calendar.timeline(end.year).open_until(microseconds(end))
    return worked // _MINUTE


def time_left_words(due: datetime, now: datetime) -> str:
    """ "41 min left", "2 h 10 min left", "3 days left", "overdue by 12 min"; rounded down, so never too generous."""
    seconds = int((in_utc(due) - in_utc(now)).total_seconds())
    if seconds > 0:
        return f"{_length(seconds // 60)} left"
    return f"overdue by {_length(-seconds // 60)}" if seconds <= -60 else "due now"


def duration_words(duration: timedelta) -> str:
    """ "41 min", "2 h 10 min", "3 days"; rounded down."""
    return _length(int(duration.total_seconds()) // 60)


def in_utc(there: datetime) -> datetime:
    """An aware time in UTC; at the ends of the calendar the nearest time that exists. Naive times are refused."""
    if there.tzinfo is UTC:
        return there
    if there.utcoffset() is None:
        raise ValueError("The time has no time zone.")
    try:
        return there.astimezone(UTC)
    except OverflowError:
        return _LATEST if there.year > 5000 else _EARLIEST


def _by_queue(received: datetime, sla: Sla, calendar: BusinessCalendar | None) -> datetime | None:
    if sla.unit is Unit.NONE:
        return None
    if sla.unit is Unit.MINUTES:
        return add_minutes(received, sla.amount)
    if calendar is None:
        raise ValueError("Working time needs a calendar.")
    if sla.unit is Unit.BUSINESS_MINUTES:
        return add_minutes(received, sla.amount, calendar)
    return add_business_days(received, sla.amount, calendar)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _span(calendar: BusinessCalendar, day: date) -> tuple[datetime, datetime]:
    """A working day's first opening and last closing on the wall; an empty span at midnight on any other day."""
    shifts = calendar.shifts_on(day)
    midnight = _midnight(day)
    if not shifts:
        return midnight, midnight
    return (
        midnight + timedelta(minutes=min(opens for opens, _ in shifts)),
        midnight + timedelta(minutes=max(closes for _, closes in shifts)),
    )


def _nth_day(calendar: BusinessCalendar, day: date, days: int) -> date:
    """The n-th working day after a day."""
    left = days
    for _ in range(YEARS_AHEAD * 366):
        day += timedelta(1)
        if calendar.shifts_on(day):
            left -= 1
            if left == 0:
                return day
    raise NeverOpen(f"The calendar {calendar.name} has fewer than {days} working days in ten years.")


def _length(minutes: int) -> str:
    """A stretch of time as people say it: the bigger it is, the rounder."""
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    if days >= 3 or not hours:
        return f"{days} {'day' if days == 1 else 'days'}"
    return f"{days} {'day' if days == 1 else 'days'} {hours} h"
