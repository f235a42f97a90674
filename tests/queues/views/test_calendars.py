from datetime import date

import pytest
from django.urls import reverse

from queues import terms
from queues.models import Calendar
from queues.views.calendars import ahead
from tests.factories.queues import CalendarFactory, LaneFactory, QueueFactory, lead_of

pytestmark = pytest.mark.django_db

FIELDS = {"name": "Vienna", "time_zone": "Europe/Vienna", "mon": "09:00-12:00, 13:00-17:00", "country": "at",
          "extra_holidays": "2026-12-24"}  # fmt: skip


@pytest.fixture
def lead():
    return lead_of(LaneFactory())


def test_a_calendar_is_made_and_shows_its_next_days(sign_in, lead):
    answer = sign_in(lead).post(reverse("calendar_new"), FIELDS, follow=True)
    calendar = Calendar.objects.get(name="Vienna")
    assert calendar.hours == {"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}
    assert (calendar.country, calendar.extra_holidays) == ("AT", [date(2026, 12, 24)])
    assert "09:00 to 12:00, 13:00 to 17:00" in answer.content.decode()


def test_the_next_days_name_the_holidays_among_them():
    calendar = terms.calendar(CalendarFactory(country="AT", extra_holidays=[date(2026, 12, 24)]))
    days = ahead(calendar, date(2026, 12, 23))
    assert days[:4] == [
        (date(2026, 12, 23), "09:00 to 17:00"),
        (date(2026, 12, 24), "holiday"),
        (date(2026, 12, 25), "holiday"),
        (date(2026, 12, 28), "09:00 to 17:00"),
    ]
    assert sum(hours != "holiday" for _, hours in days) == 10


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"mon": "9 to 5"}, "mon"),
        ({"mon": ""}, "mon"),
        ({"country": "ZZ"}, "country"),
        ({"subdivision": "XX"}, "subdivision"),
        ({"extra_holidays": "24.12.2026"}, "extra_holidays"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
    ],
)
def test_a_fault_stands_at_its_field(sign_in, lead, change, field):
    answer = sign_in(lead).post(reverse("calendar_new"), FIELDS | change)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_a_calendar_that_strangers_queues_hang_on_is_not_mine_to_change(sign_in, lead):
    calendar = CalendarFactory(name="Shared")
    own = lead.queueuserpermission_set.first().content_object
    own.calendar = calendar
    own.save()
    url = reverse("calendar", args=[calendar.pk])
    assert sign_in(lead).post(url, FIELDS).status_code == 302
    QueueFactory(calendar=calendar)
    assert sign_in(lead).get(url).status_code == 404
    assert sign_in(lead).post(url, FIELDS).status_code == 404
    assert sign_in(lead).get(reverse("calendars")).status_code == 200


def test_a_strangers_calendar_is_not_in_the_list(sign_in, lead):
    QueueFactory(calendar=CalendarFactory(name="Zyxomma"))
    assert "Zyxomma" not in sign_in(lead).get(reverse("calendars")).content.decode()
