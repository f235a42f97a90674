from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from codebook.labels import labelling
from codebook.models import Category, LabelBatch, Version
from codebook.rubric import authoring, lineage
from codebook.rubric.content import CONTENT, content_hash
from codebook.rubric.lineage import Origin
from codebook.rubric.publishing import NotPublishable, publish
from codebook.versions import rubric
from hitl.models import AuditEvent
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory
from tests.factories.queues import QueueFactory, SlotFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def draft(codebook, *keys, number=1, **parts):
    version = Version.objects.create(codebook=codebook, number=number)
    for position, key in enumerate(keys, 1):
        Category.objects.create(version=version, position=position, **{part: f"{part} of {key}" for part in CONTENT}
            | {"key": key, "title": key.title()} | parts)  # fmt: skip
    return version


class TestPublishing:
    def test_it_freezes_the_version_with_its_hash_and_is_on_record(self):
        codebook = CodebookFactory()
        version = publish(version=draft(codebook, "tone", "format"), by=codebook.owner, now=NOW)
        assert (version.state, version.published_by, len(version.content_hash)) == ("published", codebook.owner, 64)
        assert AuditEvent.objects.get(action="codebook.published").detail["version"] == 1

    def test_only_the_owner_publishes(self):
        codebook = CodebookFactory()
        with pytest.raises(NotPublishable, match=f"Only {codebook.owner.name}"):
            publish(version=draft(codebook, "tone"), by=UserFactory(), now=NOW)

    def test_all_that_is_missing_is_named_at_once(self):
        codebook = CodebookFactory()
        version = draft(codebook, "tone", "format", definition="", edge_case=" ")
        with pytest.raises(NotPublishable) as refusal:
            publish(version=version, by=codebook.owner, now=NOW)
        for words in ("“Tone” has no definition and no edge case", "“Format” has no definition"):
            assert words in str(refusal.value)
        version.refresh_from_db()
        assert version.state == "draft"

    def test_two_categories_of_one_name_are_refused(self):
        codebook = CodebookFactory()
        version = draft(codebook, "tone", "format", title="Tone")
        with pytest.raises(NotPublishable, match="2 categories are called"):
            publish(version=version, by=codebook.owner, now=NOW)

    def test_a_codebook_without_a_category_is_refused(self):
        codebook = CodebookFactory()
        with pytest.raises(NotPublishable, match="no category"):
            publish(version=draft(codebook), by=codebook.owner, now=NOW)

    def test_a_version_that_changes_nothing_is_refused(self):
        codebook = CodebookFactory()
        publish(version=draft(codebook, "tone"), by=codebook.owner, now=NOW)
        with pytest.raises(NotPublishable, match="Nothing is different from version 1"):
            publish(version=draft(codebook, "tone", number=2), by=codebook.owner, now=NOW)

    def test_a_key_that_is_there_twice_is_refused(self):
        codebook = CodebookFactory()
        with pytest.raises(NotPublishable, match="2 categories have the key “tone”"):
            publish(version=draft(codebook, "tone", "Tone"), by=codebook.owner, now=NOW)

    def test_a_draft_that_changed_since_it_was_looked_at_is_shown_again(self):
        codebook = CodebookFactory()
        version = draft(codebook, "tone")
        looked = content_hash(version.categories.all())
        version.categories.update(definition="Something else")
        with pytest.raises(NotPublishable, match="changed since you opened this page"):
            publish(version=version, by=codebook.owner, now=NOW, looked=looked)

    def test_a_draft_that_was_dropped_is_refused(self):
        codebook = CodebookFactory()
        version = draft(codebook, "tone")
        authoring.drop_draft(version=version, by=codebook.owner)
        version.pk = 1
        with pytest.raises(NotPublishable, match="dropped meanwhile"):
            publish(version=version, by=codebook.owner, now=NOW)

    def test_the_note_goes_with_it(self):
        codebook = CodebookFactory()
        assert publish(version=draft(codebook, "tone"), by=codebook.owner, now=NOW, note="Why").note == "Why"


class TestHowItCameAbout:
    @pytest.fixture
    def book(self):
        codebook = CodebookFactory()
        publish(version=draft(codebook, "tone", "format"), by=codebook.owner, now=NOW)
        return codebook

    def links(self, version):
        return {
            (link.kind, link.ancestor and link.ancestor.key, link.category and link.category.key, link.confirmed_by)
            for link in version.links.select_related("ancestor", "category")
        }

    def test_a_first_version_is_new(self, book):
        assert self.links(book.versions.get()) == {("new", None, "tone", None), ("new", None, "format", None)}

    def test_it_is_proposed_where_nobody_was_asked(self, book):
        version = draft(book, "tone", "voice", number=2)
        publish(version=version, by=book.owner, now=NOW)
        assert self.links(version) == {
            ("same", "tone", "tone", None),
            ("new", None, "voice", None),
            ("removed", "format", None, None),
        }

    def test_what_the_publisher_confirms_is_theirs(self, book):
        version = draft(book, "tone", "voice", number=2)
        origins = {key: Origin("split", ("tone",)) for key in ("tone", "voice")}
        publish(version=version, by=book.owner, now=NOW, origins=origins)
        assert self.links(version) == {
            ("split", "tone", "tone", book.owner),
            ("split", "tone", "voice", book.owner),
            ("removed", "format", None, book.owner),
        }

    def test_what_was_said_while_writing_stands(self, book):
        version = draft(book, "tone", "voice", number=2)
        lineage.set_origin(
            category=version.categories.get(key="voice"), kind="reworded", by=book.owner,
            ancestors=[Category.objects.get(version__number=1, key="format")],
        )  # fmt: skip
        publish(version=version, by=book.owner, now=NOW)
        assert ("reworded", "format", "voice", book.owner) in self.links(version)
        assert ("same", "tone", "tone", None) in self.links(version)

    @pytest.mark.parametrize(
        ("origins", "sentence"),
        [
            ({"tone": Origin("same", ("tone",))}, "not said how “Voice” came about"),
            ({"tone": Origin("same", ("tone",)), "voice": Origin("split", ("tone",))}, "say of each that it is split"),
        ],
    )
    def test_what_is_not_said_or_cannot_be_keeps_it_a_draft(self, book, origins, sentence):
        version = draft(book, "tone", "voice", number=2)
        with pytest.raises(NotPublishable, match=sentence):
            publish(version=version, by=book.owner, now=NOW, origins=origins)
        version.refresh_from_db()
        assert (version.state, version.links.count()) == ("draft", 0)

    def test_it_stays_as_it_was_published(self, book):
        with pytest.raises(IntegrityError, match="came about cannot be changed"), transaction.atomic():
            book.versions.get().links.update(kind="same")


class TestItsBatches:
    def batch(self, version, queue=None):
        return LabelBatch.objects.create(
            version=version, origin="escalation", purpose="first", opened_at=NOW, queue=queue or QueueFactory()
        )

    def test_those_of_the_versions_before_are_closed_and_no_others(self):
        book = CodebookFactory()
        first = publish(version=draft(book, "tone"), by=book.owner, now=NOW)
        older, others = self.batch(first), self.batch(published(keys=("tone",)))
        publish(version=draft(book, "tone", "format", number=2), by=book.owner, now=NOW)
        older.refresh_from_db()
        others.refresh_from_db()
        assert (older.closed_at, older.closed_because, older.closed_by) == (NOW, "publishing", book.owner)
        assert others.closed_at is None
        assert AuditEvent.objects.filter(action="codebook.published").last().detail["batches_closed"] == 1

    def test_a_decision_begun_before_is_still_stamped_with_its_version(self):
        """Design, section 4: the version that was on screen, as long as the claim lives."""
        slot = SlotFactory()
        book = CodebookFactory()
        first = publish(version=draft(book, "tone"), by=book.owner, now=NOW - timedelta(minutes=2))
        closed = self.batch(first, queue=slot.lane.queue)
        second = publish(version=draft(book, "tone", "format", number=2), by=book.owner, now=NOW)
        stamp = labelling.version_for(
            newest=rubric(second.pk), version_id=first.pk, claimed_at=NOW - timedelta(minutes=1)
        )
        label = labelling.give(
            slot=slot, queue_id=slot.lane.queue_id, origin="escalation", user=book.owner, stamp=stamp, verdict="reject",
            category_ids=[first.categories.get().pk], now=NOW + timedelta(minutes=1),
        )  # fmt: skip
        assert (label.version_id, label.batch.closed_at) == (first.pk, None)
        assert label.batch != closed


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestTwoTabs:
    def at_once(self, *calls):
        """Each in a connection of its own; what it said or raised."""
        gate = Barrier(len(calls))

        def run(call):
            try:
                gate.wait(10)
                return call()
            except ValueError as refused:
                return refused
            finally:
                connection.close()

        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(run, calls))

    def test_of_two_that_publish_at_once_one_is_told(self):
        book = CodebookFactory()
        version = draft(book, "tone", "format")
        said = self.at_once(*[lambda: publish(version=version, by=book.owner, now=NOW)] * 2)
        refused = [one for one in said if isinstance(one, NotPublishable)]
        assert len(refused) == 1
        assert f"Version 1 is published already, by {book.owner.name}" in str(refused[0])
        assert version.links.count() == 2
        assert AuditEvent.objects.filter(action="codebook.published").count() == 1

    def test_two_that_start_a_draft_at_once_write_the_same_one(self):
        book = CodebookFactory()
        one, other = self.at_once(*[lambda: authoring.start_draft(codebook=book, by=book.owner)] * 2)
        assert one == other

    def test_what_is_typed_while_it_is_published_is_either_in_it_or_refused(self):
        book = CodebookFactory()
        version = draft(book, "tone")
        category = version.categories.get()

        def typing():
            return authoring.save_category(category=category, fields={"definition": "Late"}, by=book.owner)

        frozen, typed = self.at_once(lambda: publish(version=version, by=book.owner, now=NOW), typing)
        assert frozen.state == "published"
        category.refresh_from_db()
        assert (category.definition == "Late") is not isinstance(typed, authoring.Refused)
        assert frozen.content_hash == content_hash(version.categories.all())
