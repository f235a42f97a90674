import pytest
from django.utils import timezone

from codebook.labels.carrying import CannotCarry, carry_over, take_back_carry
from codebook.models import Category, CategoryLink, Version
from codebook.standing import standing
from hitl.models import AuditEvent
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
BECAUSE = "Only a comma was moved."


class TwoVersions:
    def __init__(self):
        self.codebook = CodebookFactory()
        self.owner = self.codebook.owner
        self.one = published(codebook=self.codebook, keys=["tone", "other"])
        self.two = published(codebook=self.codebook, keys=["tone", "other"])
        self.old, self.new = (version.categories.get(key="tone") for version in (self.one, self.two))

    def link(self, kind="reworded", **fields):
        return CategoryLink.objects.create(
            **{"version": self.two, "category": self.new, "ancestor": self.old, "kind": kind} | fields
        )


@pytest.fixture
def book():
    return TwoVersions()


@pytest.mark.parametrize("kind", ["reworded", "merged"])
def test_what_was_carried_over_counts_and_the_reason_is_on_record(book, kind):
    link = book.link(kind)
    assert book.old.pk not in standing(book.codebook.pk).counts_as
    carried = carry_over(link=link, by=book.owner, because=f"  {BECAUSE} ", now=NOW)
    assert (carried.carried_by, carried.carried_at, carried.carried_because) == (book.owner, NOW, BECAUSE)
    assert standing(book.codebook.pk).counts_as[book.old.pk] == book.new.pk
    event = AuditEvent.objects.get(action="category.carried")
    assert (event.actor, event.subject) == (book.owner, f"codebook:{book.codebook.pk}")
    assert event.detail == {
        "category": "tone", "version": 2, "from": "tone", "from_version": 1, "because": BECAUSE
    }  # fmt: skip


def test_taken_back_it_is_in_quarantine_again(book):
    link = carry_over(link=book.link(), by=book.owner, because=BECAUSE, now=NOW)
    take_back_carry(link=link, by=book.owner)
    assert book.old.pk not in standing(book.codebook.pk).counts_as
    assert AuditEvent.objects.filter(action="category.carry_taken_back").count() == 1
    with pytest.raises(CannotCarry, match="nothing to take back"):
        take_back_carry(link=link, by=book.owner)


@pytest.mark.parametrize("verb", [lambda **a: carry_over(because=BECAUSE, now=NOW, **a), take_back_carry])
def test_only_the_owner_says_what_counts(book, verb):
    with pytest.raises(CannotCarry, match="Only"):
        verb(link=book.link(), by=UserFactory(is_superuser=True))


@pytest.mark.parametrize(
    ("kind", "says"), [("split", "order a relabel instead"), ("same", "count by themselves"), ("new", "nothing before")]
)
def test_only_reworded_and_merged_can_be_carried_over(book, kind, says):
    link = book.link(kind, ancestor=None if kind == "new" else book.old)
    with pytest.raises(CannotCarry, match=says):
        carry_over(link=link, by=book.owner, because=BECAUSE, now=NOW)
    assert not AuditEvent.objects.filter(action="category.carried").exists()


def test_it_needs_a_reason(book):
    with pytest.raises(CannotCarry, match="Say why"):
        carry_over(link=book.link(), by=book.owner, because="  ", now=NOW)


def test_once_is_enough(book):
    link = carry_over(link=book.link(), by=book.owner, because=BECAUSE, now=NOW)
    with pytest.raises(CannotCarry, match="already"):
        carry_over(link=link, by=book.owner, because=BECAUSE, now=NOW)


def test_a_label_counts_for_one_category(book):
    carry_over(link=book.link(), by=book.owner, because=BECAUSE, now=NOW)
    second = book.link("merged", category=book.two.categories.get(key="other"))
    with pytest.raises(CannotCarry, match="count for “Tone” already"):
        carry_over(link=second, by=book.owner, because=BECAUSE, now=NOW)


def test_in_a_draft_there_is_nothing_to_carry_yet(book):
    draft = Version.objects.create(codebook=book.codebook, number=3)
    category = Category.objects.create(version=draft, key="tone", title="Tone", position=1)
    with pytest.raises(CannotCarry, match="not published yet"):
        carry_over(
            link=book.link(version=draft, category=category, ancestor=book.new), by=book.owner, because=BECAUSE, now=NOW
        )


def test_a_link_that_nobody_recorded_is_recorded_with_it(book):
    guessed = CategoryLink(version=book.two, category=book.new, ancestor=book.old, kind="reworded")
    carry_over(link=guessed, by=book.owner, because=BECAUSE, now=NOW)
    assert CategoryLink.objects.get().carried_because == BECAUSE
