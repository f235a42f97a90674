from datetime import datetime, timedelta

import pytest

from queues.quarters import quarter_of


@pytest.mark.parametrize(
    ("moment", "name", "begins", "ends"),
    [
        ("2026-01-01T00:00:00+00:00", "2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026-11-20T09:00:00+00:00", "2026-Q4", "2026-10-01", "2027-01-01"),
        ("2027-01-01T00:30:00+01:00", "2026-Q4", "2026-10-01", "2027-01-01"),
    ],
)
def test_quarters_are_counted_in_utc(moment, name, begins, ends):
    quarter = quarter_of(datetime.fromisoformat(moment))
    assert (quarter.name, f"{quarter.begins:%Y-%m-%d}", f"{quarter.ends:%Y-%m-%d}") == (name, begins, ends)


def test_how_much_is_over_goes_from_nothing_to_all():
    quarter = quarter_of(datetime.fromisoformat("2026-11-20T09:00:00+00:00"))
    half = quarter.begins + (quarter.ends - quarter.begins) / 2
    moments = (quarter.begins - timedelta(days=1), quarter.begins, half, quarter.ends, quarter.ends + timedelta(days=1))
    assert [quarter.over(moment) for moment in moments] == [0, 0, 0.5, 1, 1]
