from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from hitl.database.uuid7 import floor, moment, uuid7

AT = datetime(2026, 11, 20, 9, 30, 15, 123456, tzinfo=UTC)


def test_ids_sort_by_their_time_and_say_it_again():
    ids = [uuid7(AT + timedelta(microseconds=step)) for step in (0, 1, 999, 5_000, 10**9)]
    assert ids == sorted(ids)
    assert moment(ids[0]) == AT.replace(microsecond=123000)
    assert {one.version for one in ids} == {7}


def test_two_of_one_moment_differ():
    assert uuid7(AT) != uuid7(AT)


def test_the_floor_parts_what_came_before_from_what_came_then():
    assert uuid7(AT - timedelta(milliseconds=1)) < floor(AT) < uuid7(AT)


@pytest.mark.django_db
def test_the_database_makes_the_same_ids_but_for_chance():
    with connection.cursor() as cursor:
        cursor.execute("select uuid7(%s), uuid7_floor(%s)", [AT, AT])
        made, lowest = cursor.fetchone()
    assert made.hex[:16] == uuid7(AT).hex[:16]
    assert lowest == floor(AT)
