"""Working hours as a value: when is it open, in whose time zone, on which days not.

A minute is open when the clock on the wall there shows working hours. So when the clock goes forward, the hour that
never was isn't counted, and when it goes back, the hour that happens twice is counted twice.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final
from zoneinfo import ZoneInfo

import holidays

from queues.json_values import Reader, shown

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEARS_AHEAD: Final = 10
_DAY: Final = 24 * 60
_SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Shift = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The open stretches of one UTC year in microseconds since 1970, with the open time before each of them."""

    begin: int
    starts: Sequence[int]
    ends: Sequence[int]
    before: Sequence[int]

    @property
    def total(self) -> int:
        return self.before[-1]

    def open_until(self, moment: int) -> int:
        """The open time from the year's begin to a moment."""
        place = bisect_right(self.starts, moment)
        if place == 0:
            return 0
        return self.before[place - 1] + min(moment, self.ends[place - 1]) - self.starts[place - 1]

    def moment_of(self, open_time: int) -> int:
        """The first moment by which that much has been open; more than 0 and at most the total."""
        place = bisect_left(self.before, open_time) - 1
        return self.starts[place] + open_time - self.before[place]


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Working hours in a time zone. `week` has seven days from Monday, each with its shifts in minutes from midnight.

    A shift may end past midnight (22:00 to 06:00 is 1320 to 1800); it belongs to the day it starts on, and a holiday
    takes out the shifts that start on it. Holidays are those of `country` and `subdivision`, and `extra_holidays`.
    """

    time_zone: str
    week: tuple[tuple[Shift, ...], ...]
    country: str = ""
    subdivision: str = ""
    extra_holidays: frozenset[date] = frozenset()
    name: str = ""
    _timelines: dict[int, Timeline] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.week) != len(DAYS) or not any(self.week):
            raise ValueError("A calendar needs seven days, and a shift on at least one of them.")
        # Equal calendars share what was worked out: an intake reads its calendar anew from the database each time.
        object.__setattr__(self, "_timelines", _shared_timelines(self))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def shifts_on(self, day: date) -> tuple[Shift, ...]:
        """The shifts that start on a day; none on a holiday."""
        shifts = self.week[day.weekday()]
        return () if shifts and self.is_holiday(day) else shifts

    def is_holiday(self, day: date) -> bool:
        return day in self.extra_holidays or day in _public_holidays(self.country, self.subdivision, day.year)

    def timeline(self, year: int) -> Timeline:
        """The open stretches of a UTC year, worked out once."""
        found = self._timelines.get(year)
        if found is None:
            found = self._timelines[year] = _timeline(self, year)
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "time_zone": self.time_zone,
            "hours": {
                day: [[_clock(start), _clock(end if end <= _DAY else end - _DAY)] for start, end in shifts]
                for day, shifts in zip(DAYS, self.week, strict=True)
                if shifts
            },
            "country": self.country,
            "subdivision": self.subdivision,
            "extra_holidays": [day.isoformat() for day in sorted(self.extra_holidays)],
        }

    @classmethod
    def from_json(cls, data: object) -> "BusinessCalendar":
        """From JSON such as `{"time_zone": "Europe/Vienna", "hours": {"mon": [["09:00", "17:00"]]}, "country": "AT"}`.

        A shift that ends before its start ends on the next day; 24:00 is the end of the day. Raises `Refused` with a
        sentence for each fault.
        """
        reader = Reader(data)
        time_zone = reader.text("time_zone", "UTC", 60)
        if not _is_zone(time_zone):
            reader.fault("time_zone", f"{shown(time_zone)} is not a time zone; give one such as Europe/Vienna or UTC.")
        hours = reader.object("hours")
        week = tuple(_read_shifts(hours, day) for day in DAYS)
        hours.finish()
        if not hours.errors and not any(week):
            reader.fault("hours", "no day has working hours; give at least one, such as mon: 09:00 to 17:00.")
        country, subdivision = reader.text("country", "", 2).upper(), reader.text("subdivision", "", 10)
        _check_country(reader, country, subdivision)
        extra = frozenset(_read_dates(reader, "extra_holidays"))
        name = reader.text("name", "", 80)
        reader.finish()
        reader.refuse_faults()
        return cls(time_zone, week, country, subdivision, extra, name)


def microseconds(moment: datetime) -> int:
    """An aware moment as microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(since_1970: int) -> datetime:
    return _EPOCH + timedelta(microseconds=since_1970)


@lru_cache(maxsize=256)
def _shared_timelines(calendar: BusinessCalendar) -> dict[int, Timeline]:
    return {}


@lru_cache(maxsize=2048)
def _public_holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    if not country:
        return frozenset()
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


def _timeline(calendar: BusinessCalendar, year: int) -> Timeline:
    """Lay every shift over the zone's stretches of constant offset, join what touches, and cut at the year's ends."""
    begin, end = _seconds(date(year, 1, 1)), _seconds(date(year, 12, 31)) + 86_400
    offsets = _offsets(calendar.time_zone, year)
    stretches: list[tuple[int, int]] = []
    # Three days either side: a shift may last into the next day, and no zone is further than 14 h from UTC.
    for ordinal in range(date(year, 1, 1).toordinal() - 3, date(year, 12, 31).toordinal() + 4):
        day = date.fromordinal(ordinal)
        midnight = _seconds(day)
        for start, stop in calendar.shifts_on(day):
            for since, until, offset in offsets:
                opens = max(since, midnight + start * 60 - offset)
                closes = min(until, midnight + stop * 60 - offset)
                if opens < closes:
                    stretches.append((opens, closes))
    stretches.sort()
    starts: list[int] = []
    ends: list[int] = []
    for opens, closes in stretches:
        opens, closes = max(opens, begin), min(closes, end)
        if opens >= closes:
            continue
        if ends and opens <= ends[-1]:
            ends[-1] = max(ends[-1], closes)
        else:
            starts.append(opens)
            ends.append(closes)
    before = accumulate((closes - opens for opens, closes in zip(starts, ends, strict=True)), initial=0)
    return Timeline(
        begin * _SECOND,
        tuple(opens * _SECOND for opens in starts),
        tuple(closes * _SECOND for closes in ends),
        tuple(time * _SECOND for time in before),
    )


@lru_cache(maxsize=1024)
def _offsets(time_zone: str, year: int) -> tuple[tuple[int, int, int], ...]:
    """A zone's stretches of constant offset over a year and five days either side: from, until, offset, in seconds."""
    zone = ZoneInfo(time_zone)

    def offset(at: int) -> int:
        there = datetime.fromtimestamp(at, zone).utcoffset() or timedelta()
        return int(there.total_seconds())

    at, last = _seconds(date(year, 1, 1)) - 5 * 86_400, _seconds(date(year, 12, 31)) + 6 * 86_400
    found = []
    since, current = at, offset(at)
    while at < last:
        following = at + 86_400
        if (there := offset(following)) != current:
            low, high = at, following
            while high - low > 1:
                middle = (low + high) // 2
                if offset(middle) == current:
                    low = middle
                else:
                    high = middle
            found.append((since, high, current))
            since, current = high, there
        at = following
    found.append((since, last, current))
    return tuple(found)


def _seconds(day: date) -> int:
    return (day.toordinal() - 719_163) * 86_400


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@lru_cache(maxsize=1024)
def _is_zone(key: str) -> bool:
    try:
        ZoneInfo(key)
    except (ValueError, OSError, KeyError):
        return False
    return bool(key)


def _read_shifts(hours: Reader, day: str) -> tuple[Shift, ...]:
    value = hours.raw(day, [])
    if not isinstance(value, list | tuple):
        hours.fault(day, f"must be a list of shifts such as [[“09:00”, “17:00”]], not {shown(value)}.")
        return ()
    shifts = []
    for position, entry in enumerate(value, 1):
        pair = entry if isinstance(entry, list | tuple) else str(entry).split("-")
        times = [_read_clock(part) for part in pair]
        if len(times) != 2 or None in times:
            hours.fault(day, f"shift {position} must be two times such as [“09:00”, “17:00”], not {_pair_shown(pair)}.")
            continue
        start, end = (minutes or 0 for minutes in times)
        if start in (end, _DAY):
            hours.fault(day, f"shift {position} has no length; a whole day is 00:00 to 24:00.")
            continue
        shifts.append((start, end if end > start else end + _DAY))
    return tuple(sorted(shifts))


def _pair_shown(pair: Iterable[object]) -> str:
    return " to ".join(shown(part) for part in list(pair)[:3]) or "nothing"


def _read_clock(value: object) -> int | None:
    """Minutes from midnight for a time such as 09:00 or 24:00."""
    if not isinstance(value, str):
        return None
    hour, colon, minute = value.strip().partition(":")
    if not (colon and hour.isascii() and hour.isdigit() and len(hour) <= 2 and minute.isascii() and minute.isdigit()):
        return None
    total = int(hour) * 60 + int(minute) if len(minute) == 2 and int(minute) < 60 else _DAY + 1
    return total if total <= _DAY else None


def _read_dates(reader: Reader, key: str) -> list[date]:
    found = []
    for text in reader.texts(key, (), 10, most=3660):
        try:
            found.append(date.fromisoformat(text))
        except ValueError:
            reader.fault(key, f"{shown(text)} is not a date; give one such as 2026-12-24.")
    return found


def _check_country(reader: Reader, country: str, subdivision: str) -> None:
    if not country:
        if subdivision:
            reader.fault("subdivision", "needs a country; give one such as AT or US.")
        return
    known = _subdivisions(country)
    if known is None:
        reader.fault("country", f"no holidays are known for {shown(country)}; give a code such as AT or US, or none.")
    elif subdivision and subdivision not in known:
        offered = f"one of {', '.join(known[:60])}" if known else "none"
        reader.fault("subdivision", f"{shown(subdivision)} is not known for {country}; give {offered}.")


@lru_cache(maxsize=512)
def _subdivisions(country: str) -> tuple[str, ...] | None:
    """The parts of a country whose holidays differ; None for a country without known holidays."""
    try:
        calendar = holidays.country_holidays(country)
    except (NotImplementedError, AttributeError, KeyError):
        return None
    return (*calendar.subdivisions, *calendar.subdivisions_aliases)


def always(time_zone: str = "UTC") -> BusinessCalendar:
    """Open day and night, every day."""
    return BusinessCalendar(time_zone, (((0, _DAY),),) * len(DAYS), name="Day and night")
