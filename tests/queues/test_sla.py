from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues.calendars import DAYS, BusinessCalendar, always
from queues.sla import (
    Deadline,
    NeverOpen,
    Sla,
    Unit,
    add_business_days,
    add_minutes,
    business_minutes_between,
    deadline,
    in_utc,
    time_left_words,
)

ZONES = (
    "Europe/Vienna",
    "Europe/Dublin",
    "America/New_York",
    "America/Havana",  # changes at midnight
    "America/Santiago",
    "America/St_Johns",  # -3:30
    "Africa/Casablanca",  # back during Ramadan
    "Asia/Beirut",  # changes at midnight
    "Asia/Kathmandu",  # +5:45, no change
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Apia",  # left out 30 December 2011
    "Pacific/Chatham",  # +12:45
)
YEARS = (2011, 2025, 2026)


def office(zone: str = "Europe/Vienna", hours: str = "09:00-17:00", **more) -> BusinessCalendar:
    days = more.pop("days", DAYS[:5])
    return BusinessCalendar.from_json({"time_zone": zone, "hours": {day: [hours] for day in days}, **more})


def there(text: str, zone: str = "Europe/Vienna", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The hours in which the zone's clock is changed, found by asking it every hour."""
    found = []
    for year in YEARS:
        moment = datetime(year, 1, 1, tzinfo=UTC)
        while moment.year == year:
            following = moment + timedelta(hours=1)
            if moment.astimezone(ZoneInfo(zone)).utcoffset() != following.astimezone(ZoneInfo(zone)).utcoffset():
                found.append(moment)
            moment = following
    return tuple(found) or (datetime(2026, 3, 29, tzinfo=UTC),)


def is_open(calendar: BusinessCalendar, moment: datetime) -> bool:
    """Whether the clock on the wall shows working hours; asked anew for every minute, and nothing else."""
    wall = moment.astimezone(ZoneInfo(calendar.time_zone))
    minute = wall.hour * 60 + wall.minute
    for day, at in ((wall.date(), minute), (wall.date() - timedelta(1), minute + 1440)):
        if day not in calendar.extra_holidays:
            for start, end in calendar.week[day.weekday()]:
                if start <= at < end:
                    return True
    return False


minutes_of_day = st.integers(0, 1439)


@st.composite
def shifts(draw) -> tuple[tuple[int, int], ...]:
    drawn = draw(st.lists(st.tuples(minutes_of_day, st.integers(1, 1440)), min_size=1, max_size=3))
    return tuple(sorted((start, start + length) for start, length in drawn))


# A shift by day or by night that ends before the next day's can begin.
one_day = st.tuples(st.integers(720, 1439), st.integers(1, 720)).map(lambda drawn: ((drawn[0], sum(drawn)),))


@st.composite
def situations(draw) -> tuple[BusinessCalendar, datetime]:
    """A calendar of any shifts, by night and overlapping too, and a minute near a change of its zone's clock."""
    zone = draw(st.sampled_from(ZONES))
    week = tuple(draw(st.one_of(shifts(), st.just(()))) for _ in range(6))
    change = draw(st.sampled_from(changes(zone)))
    start = change + timedelta(minutes=draw(st.integers(-2880, 1440)))
    holiday = start.date() + timedelta(days=draw(st.integers(-1, 4)))
    return BusinessCalendar(zone, (draw(shifts()), *week), extra_holidays=frozenset({holiday})), start


class TestAgainstAMinuteCounter:
    @settings(max_examples=200, deadline=None)
    @given(situations(), st.integers(1, 900))
    def test_adding_minutes(self, situation, minutes):
        calendar, start = situation
        moment, left = start, minutes
        horizon = start + timedelta(days=4)
        while left and moment < horizon:
            left -= is_open(calendar, moment)
            moment += timedelta(minutes=1)

        if left:
            assert add_minutes(start, minutes, calendar) > horizon
        else:
            assert add_minutes(start, minutes, calendar) == moment

    @settings(max_examples=100, deadline=None)
    @given(situations(), st.integers(0, 4000))
    def test_minutes_between(self, situation, length):
        calendar, start = situation
        counted = sum(is_open(calendar, start + timedelta(minutes=minute)) for minute in range(length))
        end = start + timedelta(minutes=length)

        assert business_minutes_between(start, end, calendar) == counted
        assert business_minutes_between(end, start, calendar) == -counted

    @pytest.mark.parametrize(("zone", "year"), list(product(ZONES, (2025, 2026))))
    def test_a_year_has_as_many_open_minutes_as_the_counter_finds_in_its_changes(self, zone, year):
        calendar = BusinessCalendar(zone, (((30, 150), (1380, 1590)),) * 7)
        for change in (one for one in changes(zone) if one.year == year):
            start, end = change - timedelta(hours=30), change + timedelta(hours=30)
            counted = sum(is_open(calendar, start + timedelta(minutes=minute)) for minute in range(3600))
            assert business_minutes_between(start, end, calendar) == counted


class TestMinutes:
    @pytest.mark.parametrize(
        ("received", "minutes", "due"),
        [
            ("2026-11-20T10:00", 60, "2026-11-20T11:00"),
            ("2026-11-20T16:00", 120, "2026-11-23T10:00"),
            ("2026-11-20T15:00", 120, "2026-11-20T17:00"),
            ("2026-11-21T12:00", 60, "2026-11-23T10:00"),
            ("2026-11-20T07:00", 240, "2026-11-20T13:00"),
            ("2026-11-20T10:00", 5 * 480, "2026-11-27T10:00"),
        ],
    )
    def test_working_time_runs_only_in_working_hours(self, received, minutes, due):
        assert add_minutes(there(received), minutes, office()) == there(due)

    def test_without_a_calendar_the_clock_runs_day_and_night(self):
        due = add_minutes(there("2026-10-25T01:30"), 120)

        # In UTC, because times of two zones never compare equal in the hour that comes twice.
        assert due == there("2026-10-25T02:30", fold=1).astimezone(UTC)

    def test_seconds_are_kept(self):
        due = add_minutes(there("2026-11-20T16:59:59.000007"), 1, office())

        assert due == there("2026-11-23T09:00:59.000007")

    def test_a_night_shift_runs_over_midnight_and_belongs_to_the_day_it_starts_on(self):
        night = office(hours="22:00-06:00", days=["fri"])

        assert add_minutes(there("2026-11-20T23:00"), 420, night) == there("2026-11-21T06:00")
        assert add_minutes(there("2026-11-20T23:00"), 421, night) == there("2026-11-27T22:01")
        closed = office(hours="22:00-06:00", days=["fri"], extra_holidays=["2026-11-20"])
        assert add_minutes(there("2026-11-20T23:00"), 60, closed) == there("2026-11-27T23:00")

    def test_a_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn(self):
        night = office(hours="22:00-06:00", days=DAYS)

        spring = business_minutes_between(there("2026-03-28T22:00"), there("2026-03-29T06:00"), night)
        autumn = business_minutes_between(there("2026-10-24T22:00"), there("2026-10-25T06:00"), night)

        assert (spring, autumn) == (7 * 60, 9 * 60)

    def test_holidays_are_left_out(self):
        assert add_minutes(there("2026-12-24T16:00"), 120, office(country="AT")) == there("2026-12-28T10:00")

    def test_runs_over_the_new_year(self):
        calendar = office(zone="Pacific/Auckland")

        due = add_minutes(there("2026-12-31T16:00", "Pacific/Auckland"), 120, calendar)

        assert due == there("2027-01-01T10:00", "Pacific/Auckland")

    def test_nothing_to_add_changes_nothing(self):
        assert add_minutes(there("2026-11-21T12:00"), 0, office()) == there("2026-11-21T12:00")

    def test_time_cannot_be_taken_off(self):
        with pytest.raises(ValueError, match="below 0"):
            add_minutes(there("2026-11-21T12:00"), -1, office())

    def test_a_calendar_without_that_much_time_in_ten_years_is_said(self):
        every_day_off = office(hours="09:00-09:01", days=["mon"])

        with pytest.raises(NeverOpen, match="less than 1 day 16 h of working time in ten years"):
            add_minutes(there("2026-11-21T12:00"), 2400, every_day_off)

    def test_a_time_without_a_zone_is_refused(self):
        with pytest.raises(ValueError, match="no time zone"):
            add_minutes(datetime(2026, 1, 1), 5, office())  # noqa: DTZ001


class TestWorkingDays:
    @pytest.mark.parametrize(
        ("received", "days", "due"),
        [
            ("2026-11-18T10:00", 1, "2026-11-19T10:00"),
            ("2026-11-20T10:00", 1, "2026-11-23T10:00"),
            ("2026-11-20T10:00", 5, "2026-11-27T10:00"),
            ("2026-11-21T12:00", 1, "2026-11-23T17:00"),
            ("2026-11-21T12:00", 2, "2026-11-24T17:00"),
            ("2026-11-23T08:00", 1, "2026-11-23T17:00"),
            ("2026-11-23T17:00", 1, "2026-11-24T17:00"),
            ("2026-11-23T20:00", 1, "2026-11-24T17:00"),
            ("2026-12-23T10:00", 1, "2026-12-24T10:00"),
            ("2026-12-24T10:00", 1, "2026-12-28T10:00"),
            ("2026-11-18T10:00", 0, "2026-11-18T10:00"),
        ],
    )
    def test_is_due_at_the_same_time_or_at_closing_when_it_came_outside_hours(self, received, days, due):
        assert add_business_days(there(received), days, office(country="AT")) == there(due)

    def test_keeps_the_local_time_when_the_clock_changes(self):
        due = add_business_days(there("2026-03-27T10:00"), 1, office())

        assert due == there("2026-03-30T10:00")
        assert due - there("2026-03-27T10:00").astimezone(UTC) == timedelta(days=3, hours=-1)

    def test_a_shorter_day_moves_the_time_to_its_nearer_end(self):
        calendar = BusinessCalendar.from_json({"hours": {"mon": ["09:00-17:00"], "tue": ["12:00-14:00"]}})

        assert add_business_days(datetime(2026, 11, 23, 10, tzinfo=UTC), 1, calendar) == datetime(
            2026, 11, 24, 12, tzinfo=UTC
        )
        assert add_business_days(datetime(2026, 11, 23, 16, tzinfo=UTC), 1, calendar) == datetime(
            2026, 11, 24, 14, tzinfo=UTC
        )

    def test_a_lunch_break_is_part_of_the_day(self):
        calendar = BusinessCalendar.from_json(
            {"time_zone": "Europe/Vienna", "hours": {day: ["09:00-12:00", "13:00-17:00"] for day in DAYS[:5]}}
        )

        assert add_business_days(there("2026-11-18T12:30"), 1, calendar) == there("2026-11-19T12:30")

    def test_after_midnight_a_night_shift_is_still_the_day_it_began_on(self):
        night = office(hours="22:00-06:00", days=DAYS[:5])

        assert add_business_days(there("2026-11-21T03:00"), 1, night) == there("2026-11-24T03:00")

    def test_day_and_night_a_working_day_is_a_day(self):
        calendar = always("Europe/Vienna")

        assert add_business_days(there("2026-11-21T03:00"), 2, calendar) == there("2026-11-23T03:00")

    def test_a_due_time_that_the_clock_leaves_out_is_moved_on(self):
        due = add_business_days(there("2026-03-28T02:30"), 1, always("Europe/Vienna"))

        assert due == there("2026-03-29T03:30")

    def test_a_calendar_without_that_many_days_in_ten_years_is_said(self):
        with pytest.raises(NeverOpen, match="fewer than 1000 working days in ten years"):
            add_business_days(there("2026-11-21T12:00"), 1000, office(days=["mon"]))

    @settings(max_examples=200, deadline=None)
    @given(one_day, one_day, st.integers(1, 6), st.integers(0, 20_000), st.integers(0, 3000))
    def test_what_came_later_is_never_due_sooner(self, weekday, other, days, minute, later):
        calendar = BusinessCalendar("UTC", (weekday, (), other, weekday, other, (), ()))
        first = datetime(2026, 11, 16, tzinfo=UTC) + timedelta(minutes=minute)
        second = first + timedelta(minutes=later)

        assert first < add_business_days(first, days, calendar) <= add_business_days(second, days, calendar)


class TestDeadline:
    RECEIVED = there("2026-11-20T10:00")

    def test_is_the_queues_where_the_application_sends_none(self):
        assert deadline(self.RECEIVED, Sla(Unit.MINUTES, 240), None) == Deadline(
            there("2026-11-20T14:00"), "the queue's 4 h", by_producer=False, overdue=False
        )

    def test_is_the_applications_where_the_queue_has_none(self):
        assert deadline(self.RECEIVED, Sla(), None, there("2026-11-20T12:00")) == Deadline(
            there("2026-11-20T12:00"), "the application's deadline", by_producer=True, overdue=False
        )

    def test_is_none_where_nobody_has_one(self):
        assert deadline(self.RECEIVED, Sla(), None) is None

    def test_is_the_earlier_of_the_two(self):
        sla = Sla(Unit.BUSINESS_DAYS, 1)

        sooner = deadline(self.RECEIVED, sla, office(), there("2026-11-20T12:00"))
        later = deadline(self.RECEIVED, sla, office(), there("2026-12-20T12:00"))

        assert sooner == Deadline(
            there("2026-11-20T12:00"), "the application's deadline, earlier than the queue's 1 working day", True, False
        )
        assert later == Deadline(
            there("2026-11-23T10:00"),
            "the queue's 1 working day, earlier than the application's deadline",
            False,
            False,
        )

    def test_a_deadline_that_has_passed_is_kept_and_said(self):
        found = deadline(self.RECEIVED, Sla(Unit.BUSINESS_MINUTES, 90), office(), there("2020-01-01T00:00"))

        assert found.overdue
        assert found.due_at == there("2020-01-01T00:00")
        assert found.source == (
            "the application's deadline, earlier than the queue's 1 h 30 min of working time; "
            "it had passed when the case arrived"
        )

    @pytest.mark.parametrize(("text", "year"), [("9999-12-31T23:59:59-12:00", 9999), ("0001-01-01T00:00:00+14:00", 1)])
    def test_the_ends_of_time_are_no_harm(self, text, year):
        extreme = datetime.fromisoformat(text)

        found = deadline(self.RECEIVED, Sla(), None, extreme)

        assert found.due_at.year == year
        assert time_left_words(extreme, self.RECEIVED)
        assert isinstance(business_minutes_between(self.RECEIVED, extreme, office()), int)
        assert in_utc(extreme).tzinfo is UTC

    def test_is_in_utc(self):
        assert deadline(self.RECEIVED, Sla(Unit.MINUTES, 5), None).due_at.tzinfo is UTC

    def test_the_reason_fits_its_column(self):
        longest = deadline(self.RECEIVED, Sla(Unit.BUSINESS_MINUTES, 999_999), always(), there("2020-01-01T00:00"))

        assert len(longest.source) <= 200

    def test_a_queues_unit_may_be_given_by_its_stored_value(self):
        assert Sla("business_days", 2).words == "2 working days"
        assert Sla("none").words == "no deadline"

    def test_a_deadline_needs_an_amount_and_working_time_a_calendar(self):
        with pytest.raises(ValueError, match="amount above 0"):
            Sla(Unit.MINUTES, 0)
        with pytest.raises(ValueError, match="needs a calendar"):
            deadline(self.RECEIVED, Sla(Unit.BUSINESS_DAYS, 1), None)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(minutes=41), "41 min left"),
        (timedelta(minutes=41, seconds=59), "41 min left"),
        (timedelta(seconds=59), "less than a minute left"),
        (timedelta(0), "due now"),
        (timedelta(seconds=-59), "due now"),
        (timedelta(hours=2), "2 h left"),
        (timedelta(hours=2, minutes=10), "2 h 10 min left"),
        (timedelta(hours=24), "1 day left"),
        (timedelta(hours=29, minutes=59), "1 day 5 h left"),
        (timedelta(days=3, hours=20), "3 days left"),
        (timedelta(days=400), "400 days left"),
        (timedelta(minutes=-12), "overdue by 12 min"),
        (timedelta(minutes=-12, seconds=-59), "overdue by 12 min"),
        (timedelta(hours=-2, minutes=-10), "overdue by 2 h 10 min"),
        (timedelta(days=-2), "overdue by 2 days"),
    ],
)
def test_time_left_is_said_in_words(left, words):
    now = there("2026-11-20T10:00")

    assert time_left_words(now.astimezone(UTC) + left, now) == words


def test_the_day_that_samoa_left_out_has_no_working_time():
    apia = office(zone="Pacific/Apia", hours="00:00-24:00", days=DAYS)

    assert date(2011, 12, 30).weekday() == 4
    start, end = there("2011-12-29T00:00", "Pacific/Apia"), there("2012-01-01T00:00", "Pacific/Apia")
    assert business_minutes_between(start, end, apia) == 2 * 1440
