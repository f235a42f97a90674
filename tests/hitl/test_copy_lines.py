"""Lines written for COPY: what the database reads is what was meant."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitl.database import copy_lines

pytestmark = pytest.mark.django_db
IN_THE_DATABASE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
VALUES = st.lists(st.tuples(TEXT, st.none() | st.floats(allow_nan=False), st.booleans()))


def read(rows):
    with connection.cursor() as cursor:
        cursor.execute("create temp table copied (n serial, a text, b float8, c bool) on commit drop")
        with cursor.copy("copy copied (a, b, c) from stdin") as copy:
            for a, b, c in rows:
                copy.write(f"{copy_lines.text(a)}\t{copy_lines.number(b)}\t{copy_lines.flag(c)}\n")
        cursor.execute("select a, b, c from copied order by n")
        found = cursor.fetchall()
        cursor.execute("drop table copied")
    return found


@IN_THE_DATABASE
@given(VALUES)
def test_whatever_stands_in_them(rows):
    assert read(rows) == rows


def test_what_looks_like_something_else():
    rows = [(value, 0.1, False) for value in ("\\N", "\\.", "a\tb\nc\rd", "\\t", "", "\\", "'\"")]
    assert read(rows) == rows
