"""Guarantee 4, the other half: a label means what its version said. Where the words changed it counts for nothing until
the owner says, with a reason on record, that it still means the same."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from codebook.labels.carrying import CannotCarry, carry_over
from codebook.models import Category, CategoryLink, Codebook, Version
from codebook.rubric.publishing import publish
from codebook.standing import standing
from hitl.models import AuditEvent
from tests.factories.codebook import CodebookFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def draft(codebook: Codebook, **definitions):
    version = Version.objects.create(codebook=codebook, number=codebook.versions.count() + 1)
    for position, (key, definition) in enumerate(definitions.items(), 1):
        Category.objects.create(
            version=version, key=key, title=key.title(), position=position, definition=definition,
            positive_example="One.", negative_example="None.", edge_case="Almost.",
        )  # fmt: skip
    return version


class Book:
    """Version 1 has tone, facts and source. In version 2 tone has other words, facts is the same, source is split."""

    def __init__(self):
        self.codebook = CodebookFactory()
        self.owner = self.codebook.owner
        self.one = draft(self.codebook, tone="Rude.", facts="Wrong.", source="No source, or a wrong one.")
        publish(version=self.one, by=self.owner, now=NOW)
        self.two = draft(
            self.codebook, tone="Rude or sarcastic.", facts="Wrong.", missing="No source.", wrong="Not it."
        )
        for key, before, kind in (
            ("tone", "tone", "reworded"), ("facts", "facts", "same"),
            ("missing", "source", "split"), ("wrong", "source", "split"),
        ):  # fmt: skip
            CategoryLink.objects.get_or_create(
                version=self.two, category=self.of(self.two, key), ancestor=self.of(self.one, before),
                defaults={"kind": kind, "confirmed_by": self.owner},
            )  # fmt: skip
        publish(version=self.two, by=self.owner, now=NOW)

    def of(self, version, key):
        return version.categories.get(key=key)

    def link(self, key):
        return CategoryLink.objects.get(version=self.two, category=self.of(self.two, key))

    def counts(self, key):
        return standing(self.codebook.pk).counts_as.get(self.of(self.one, key).pk)


@pytest.fixture
def book():
    return Book()


def test_what_is_the_same_counts_by_itself(book):
    assert book.counts("facts") == book.of(book.two, "facts").pk
    assert standing(book.codebook.pk).judged_under[book.of(book.two, "facts").pk] == {book.one.pk, book.two.pk}


def test_publishing_other_words_takes_the_old_labels_out(book):
    assert book.counts("tone") is None
    found = standing(book.codebook.pk)
    tone = book.of(book.two, "tone").pk
    # Not given is not "absent" either: what was asked was something else.
    assert found.judged_under[tone] == {book.two.pk}
    assert found.quarantined[tone] == {book.one.pk}


def test_the_owner_brings_them_back_with_a_reason_on_record(book):
    with pytest.raises(CannotCarry):
        carry_over(link=book.link("tone"), by=book.owner, because="", now=NOW)
    assert book.counts("tone") is None
    carry_over(link=book.link("tone"), by=book.owner, because="Nobody was sarcastic yet.", now=NOW)
    assert book.counts("tone") == book.of(book.two, "tone").pk
    event = AuditEvent.objects.get(action="category.carried")
    assert (event.actor, event.detail["because"]) == (book.owner, "Nobody was sarcastic yet.")


def test_a_split_never_counts(book):
    with pytest.raises(CannotCarry, match="relabel"):
        carry_over(link=book.link("wrong"), by=book.owner, because="It will do.", now=NOW)
    with pytest.raises(DatabaseError, match="link_carried_where_it_can_be"), transaction.atomic():
        CategoryLink.objects.filter(kind="split").update(carried_at=NOW, carried_by=book.owner, carried_because="So.")
    assert book.counts("source") is None


@pytest.mark.parametrize(
    "sql",
    [
        "update codebook_categorylink set kind = 'same' where id = %s",
        "delete from codebook_categorylink where id = %s",
        "update codebook_categorylink set carried_at = now() where id = %s",
    ],
)
def test_not_even_by_sql_through_the_apps_role(book, sql):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [book.link("tone").pk])
    assert book.counts("tone") is None
