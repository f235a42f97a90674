import json
from datetime import date

import pytest

from queues.calendars import DAYS, BusinessCalendar, always
from queues.json_values import Refused

OFFICE = {
    "name": "Vienna",
    "time_zone": "Europe/Vienna",
    "hours": {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in DAYS[:5]},
    "country": "AT",
    "subdivision": "9",
    "extra_holidays": ["2026-12-24"],
}


def test_reads_a_calendar_and_gives_the_same_back():
    calendar = BusinessCalendar.from_json(OFFICE)

    assert calendar.week == (((540, 720), (780, 1020)),) * 5 + ((), ())
    assert calendar.to_json() == OFFICE
    assert BusinessCalendar.from_json(json.loads(json.dumps(calendar.to_json()))) == calendar


def test_a_shift_may_end_past_midnight_and_a_day_may_be_whole():
    calendar = BusinessCalendar.from_json({"hours": {"fri": [["22:00", "06:00"]], "sat": [["00:00", "24:00"]]}})

    assert calendar.week[4] == ((1320, 1800),)
    assert calendar.week[5] == ((0, 1440),)
    assert calendar.to_json()["hours"] == {"fri": [["22:00", "06:00"]], "sat": [["00:00", "24:00"]]}


def test_shifts_may_be_written_as_text():
    assert BusinessCalendar.from_json({"hours": {"mon": ["9:00-17:30"]}}).week[0] == ((540, 1050),)


def test_holidays_are_those_of_the_country_its_part_and_ones_own():
    calendar = BusinessCalendar.from_json(OFFICE)

    assert calendar.shifts_on(date(2026, 12, 23))
    assert not calendar.shifts_on(date(2026, 12, 24)), "an extra holiday"
    assert not calendar.shifts_on(date(2026, 12, 25)), "Christmas"
    assert not calendar.shifts_on(date(2026, 12, 26)), "a Saturday"


def test_a_part_of_a_country_has_its_own_holidays():
    germany = {"hours": {day: [["09:00", "17:00"]] for day in DAYS}, "country": "DE"}
    epiphany = date(2026, 1, 6)

    assert BusinessCalendar.from_json(germany).shifts_on(epiphany)
    assert not BusinessCalendar.from_json({**germany, "subdivision": "BY"}).shifts_on(epiphany)


def test_equal_calendars_share_what_was_worked_out():
    one, other = BusinessCalendar.from_json(OFFICE), BusinessCalendar.from_json(OFFICE)

    assert one is not other
    assert one.timeline(2026) is other.timeline(2026)


def test_day_and_night_is_always_open():
    assert always().timeline(2028).total == 366 * 24 * 3600 * 1_000_000


@pytest.mark.parametrize("hours", [[["09:00", "17:00"], ["16:00", "20:00"]], [["09:00", "16:00"], ["16:00", "20:00"]]])
def test_shifts_that_overlap_or_touch_are_counted_once(hours):
    calendar = BusinessCalendar.from_json({"hours": {"mon": hours}})

    assert calendar.timeline(2026).total == 52 * 11 * 3600 * 1_000_000


def test_every_fault_is_named_and_nothing_is_taken():
    with pytest.raises(Refused) as refused:
        BusinessCalendar.from_json(
            {
                "time_zone": "Mars/Olympus",
                "hours": {
                    "mon": "nine to five",
                    "tue": [["09:00"]],
                    "wed": [["09:00", "25:00"]],
                    "thu": [["10:00", "10:00"]],
                    "fri": [["9", "17:00"], 7, ["24:00", "08:00"]],
                    "monday": [],
                },
                "country": "ZZ",
                "extra_holidays": ["24.12.2026", "2026-02-30"],
                "color": "red",
            }
        )

    assert set(refused.value.errors) == {
        "time_zone: “Mars/Olympus” is not a time zone; give one such as Europe/Vienna or UTC.",
        "hours.mon: must be a list of shifts such as [[“09:00”, “17:00”]], not “nine to five”.",
        "hours.tue: shift 1 must be two times such as [“09:00”, “17:00”], not “09:00”.",
        "hours.wed: shift 1 must be two times such as [“09:00”, “17:00”], not “09:00” to “25:00”.",
        "hours.thu: shift 1 has no length; a whole day is 00:00 to 24:00.",
        "hours.fri: shift 1 must be two times such as [“09:00”, “17:00”], not “9” to “17:00”.",
        "hours.fri: shift 2 must be two times such as [“09:00”, “17:00”], not “7”.",
        "hours.fri: shift 3 has no length; a whole day is 00:00 to 24:00.",
        "hours.monday: is not a setting here; check its spelling.",
        "country: no holidays are known for “ZZ”; give a code such as AT or US, or none.",
        "extra_holidays: “24.12.2026” is not a date; give one such as 2026-12-24.",
        "extra_holidays: “2026-02-30” is not a date; give one such as 2026-12-24.",
        "color: is not a setting here; check its spelling.",
    }


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "hours: no day has working hours; give at least one, such as mon: 09:00 to 17:00."),
        ({"hours": {"mon": []}}, "hours: no day has working hours; give at least one, such as mon: 09:00 to 17:00."),
        ({"hours": 8}, "hours: must be an object with named fields, not a number."),
        (
            {"hours": {"mon": ["09:00-17:00"]}, "time_zone": "../../etc/passwd"},
            "time_zone: “../../etc/passwd” is not a time zone; give one such as Europe/Vienna or UTC.",
        ),
        (
            {"hours": {"mon": ["09:00-17:00"]}, "country": "at", "subdivision": "Wien 9"},
            "subdivision: “Wien 9” is not known for AT; give one of 1, 2, 3, 4, 5, 6, 7, 8, 9, ",
        ),
        (
            {"hours": {"mon": ["09:00-17:00"]}, "subdivision": "9"},
            "subdivision: needs a country; give one such as AT or US.",
        ),
    ],
)
def test_a_fault_has_its_sentence(data, sentence):
    with pytest.raises(Refused) as refused:
        BusinessCalendar.from_json(data)

    assert len(refused.value.errors) == 1
    assert refused.value.errors[0].startswith(sentence)


def test_a_calendar_that_never_opens_cannot_be_made():
    with pytest.raises(ValueError, match="seven days"):
        BusinessCalendar("UTC", ((),) * 7)
