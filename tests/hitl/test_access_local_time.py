from datetime import UTC, datetime

import pytest
from django.urls import reverse

from tests.factories.queues import CaseFactory, LaneFactory, lead_of

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 9, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "shown"), [("UTC", "12:00"), ("Europe/Berlin", "14:00"), ("America/New_York", "08:00")]
)
def test_times_are_shown_as_they_are_where_the_person_is(sign_in, zone, shown):
    lane = LaneFactory()
    case = CaseFactory(tenant=lane.tenant, queue=lane.queue, received_at=NOON)
    page = sign_in(lead_of(lane, time_zone=zone)).get(reverse("case", args=[case.pk]))
    assert f"9 May 2026, {shown}" in page.content.decode()


def test_nobody_sees_the_times_of_whoever_was_served_before(sign_in, client):
    lane = LaneFactory()
    case = CaseFactory(tenant=lane.tenant, queue=lane.queue, received_at=NOON)
    sign_in(lead_of(lane, time_zone="Asia/Tokyo")).get(reverse("case", args=[case.pk]))
    page = sign_in(lead_of(lane, time_zone="UTC")).get(reverse("case", args=[case.pk]))
    assert "9 May 2026, 12:00" in page.content.decode()
