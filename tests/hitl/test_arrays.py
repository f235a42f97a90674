"""Arrays written for PostgreSQL: what it reads is what was meant."""

import uuid

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitl.database import arrays

pytestmark = pytest.mark.django_db
IN_THE_DATABASE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


def read(written, type):
    with connection.cursor() as cursor:
        cursor.execute(f"select %s::{type}[]", [written])
        return cursor.fetchone()[0]


@IN_THE_DATABASE
@given(st.lists(TEXT))
def test_texts_of_any_characters(values):
    assert read(arrays.texts(values), "text") == values


def test_texts_that_look_like_something_else():
    values = ["", "NULL", "null", '"', "\\", "{}", ",", " a ", "\n\t", "\\x00", "{a,b}", "'"]
    assert read(arrays.texts(values), "text") == values


@IN_THE_DATABASE
@given(st.lists(st.binary()))
def test_blobs(values):
    assert [bytes(one) for one in read(arrays.blobs(values), "bytea")] == values


@IN_THE_DATABASE
@given(st.lists(st.floats(allow_nan=False)))
def test_numbers(values):
    assert read(arrays.numbers(values), "float8") == values


def test_uuids_flags_and_nothing():
    ids = [uuid.uuid4() for _ in range(3)]
    assert read(arrays.uuids(ids), "uuid") == ids
    assert read(arrays.flags([True, False]), "bool") == [True, False]
    assert read(arrays.uuids([]), "uuid") == read(arrays.texts([]), "text") == []
