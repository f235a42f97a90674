"""Guarantee 4: every label points at a published version through its batch; a published version cannot be changed, not
even by SQL through the app's role."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from codebook.models import Category, Label, LabelBatch, LabelCategory, Version
from tests.factories.codebook import CodebookFactory, published
from tests.factories.queues import SlotFactory, reviewer_of

pytestmark = pytest.mark.django_db


def refused(sql, *parameters):
    """The name of the constraint or the words with which the database refuses; an AssertionError if it does not."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
    except DatabaseError as error:
        return str(error)
    raise AssertionError(f"The database took: {sql}")


def test_the_tests_themselves_run_as_the_app():
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("hitl_app",)


@pytest.mark.parametrize(
    "sql",
    [
        "update codebook_version set note = 'other words' where id = %s",
        "update codebook_version set state = 'draft', published_at = null, published_by_id = null, content_hash = '' "
        "where id = %s",
        "update codebook_version set number = 9 where id = %s",
        "delete from codebook_version where id = %s",
        "update codebook_category set definition = 'other words' where version_id = %s",
        "update codebook_category set key = key || '-2' where version_id = %s",
        "delete from codebook_category where version_id = %s",
        "insert into codebook_category (version_id, key, title, position, definition, positive_example, "
        "negative_example, edge_case) values (%s, 'new', 'New', 9, '', '', '', '')",
        "alter table codebook_version disable trigger all; select %s",
        "truncate codebook_category cascade; select %s",
    ],
)
def test_a_published_version_cannot_be_changed(sql):
    version = published()
    assert refused(sql, version.pk)
    version.refresh_from_db()
    assert version.state == "published"


def test_a_category_cannot_be_moved_into_a_published_version():
    version = published()
    draft = Version.objects.create(codebook=CodebookFactory(), number=1)
    category = Category.objects.create(version=draft, key="late", title="Late", position=1)
    assert refused("update codebook_category set version_id = %s where id = %s", version.pk, category.pk)


class TestALabel:
    def setup_method(self):
        self.slot = SlotFactory()
        self.queue = self.slot.lane.queue
        self.version, self.other = published(self.queue), published()
        self.batch = self.open_batch(self.version)
        self.label = self.give(self.batch, self.version)

    def open_batch(self, version):
        return LabelBatch.objects.create(
            version=version, queue=self.queue, origin="escalation", purpose="first", opened_at=timezone.now()
        )

    def give(self, batch, version):
        return Label.objects.create(
            case=self.slot.case,
            slot=self.slot,
            batch=batch,
            version=version,
            user=reviewer_of(self.slot.lane),
            verdict="accept",
            created_at=timezone.now(),
        )

    def test_its_batch_is_of_its_own_version(self):
        Label.objects.update(undone_at=timezone.now())
        assert "label_in_a_batch_of_its_version" in refused(
            "insert into codebook_label (case_id, round, slot_id, batch_id, version_id, rater, user_id, rater_name, "
            "verdict, created_at, is_amendment) select case_id, round, slot_id, batch_id, %s, rater, user_id, "
            "rater_name, verdict, created_at, false from codebook_label",
            self.other.pk,
        )

    def test_its_categories_are_of_its_own_version(self):
        foreign = self.other.categories.first()
        sql = "insert into codebook_labelcategory (label_id, category_id, version_id) values (%s, %s, %s)"
        assert "label_category" in refused(sql, self.label.pk, foreign.pk, self.version.pk)
        assert "label_category" in refused(sql, self.label.pk, foreign.pk, self.other.pk)

    def test_a_batch_cannot_be_opened_under_a_draft(self):
        draft = Version.objects.create(codebook=CodebookFactory(), number=1)
        with pytest.raises(DatabaseError, match="published version only"), transaction.atomic():
            self.open_batch(draft)

    @pytest.mark.parametrize(
        "sql",
        [
            "update codebook_label set verdict = 'reject'",
            "update codebook_label set user_id = null, rater = 'judge', rater_name = 'a judge'",
            "delete from codebook_label",
            "update codebook_labelcategory set category_id = category_id",
            "delete from codebook_labelcategory",
        ],
    )
    def test_it_is_never_changed_or_removed(self, sql):
        LabelCategory.objects.create(
            label=self.label, category=self.version.categories.first(), version_id=self.version.pk
        )
        assert "never changed" in refused(sql)

    def test_it_may_be_undone_once(self):
        Label.objects.update(undone_at=timezone.now())
        assert "never changed" in refused("update codebook_label set undone_at = null")

    def test_two_labels_of_one_slot_do_not_stand_side_by_side(self):
        with pytest.raises(DatabaseError, match="label_one_standing_per_slot"), transaction.atomic():
            self.give(self.batch, self.version)
