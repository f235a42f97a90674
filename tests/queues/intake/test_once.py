"""Rows that have names are taken once: the same again is a duplicate, other content under a name a conflict."""

from typing import NamedTuple

import pytest
from django.utils import timezone

from queues.intake import once, receipts
from queues.intake.received import Part
from tests.factories.hitl import TenantFactory


class Row(NamedTuple):
    place: int
    key: str
    digests: tuple[bytes, ...]


def test_within_a_part_the_first_of_a_name_counts():
    part = Part(ready=[Row(0, "a", (b"1",)), Row(1, "a", (b"1",)), Row(2, "a", (b"2",)), Row(3, "b", (b"1",))])
    assert [one.place for one in once.firsts(part, "row_id").values()] == [0, 3]
    assert part.duplicates == 1
    (refused,) = part.rejected
    assert (refused.index, refused.name, refused.is_conflict) == (2, "a", True)
    assert refused.error.startswith("conflict: row 0 of the same request has this row_id")


@pytest.mark.django_db
def test_what_came_before_is_settled_also_under_a_key_of_before_and_what_is_gone_is_asked_for_again():
    tenant = TenantFactory()
    receipts.take({1: ("a", b"old"), 2: ("b", b"1")}, kind="complaint", tenant=tenant, now=timezone.now())
    part = Part()
    late = [Row(0, "a", (b"new", b"old")), Row(1, "b", (b"2",)), Row(2, "gone", (b"3",))]
    once.settle_late(late, part, field="row_id", kind="complaint", tenant=tenant)
    assert part.duplicates == 1
    assert [(one.index, one.is_conflict) for one in part.rejected] == [(1, True), (2, False)]
    assert part.rejected[1].error == receipts.JUST_FORGOTTEN


def test_without_a_name_the_content_is_the_name_and_nobody_is_told_it():
    key = once.key_of("", (b"\x01", b"\x02"))
    assert key == "content:01"
    part = Part(ready=[Row(0, key, (b"1",)), Row(1, key, (b"2",))])
    once.firsts(part, "row_id")
    assert part.rejected[0].name is None
