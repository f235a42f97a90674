from datetime import timedelta

import pytest
from django.utils import timezone

from codebook.labels import importing
from codebook.labels.importing import Import
from codebook.models import CategoryLink, Label, LabelBatch, Version
from codebook.standing import standing
from codebook.versions import current
from hitl.audit.models import AuditEvent
from queues.intake.rows import Unreadable
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory
from tests.factories.queues import CaseFactory, LaneFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def lane():
    return LaneFactory(tenant=TenantFactory(slug="acme"))


@pytest.fixture
def codebook(lane):
    return published(lane.queue, keys=("tone", "wrong-source")).codebook


@pytest.fixture
def case(lane):
    return CaseFactory(tenant=lane.tenant, queue=lane.queue, external_id="c-1")


def take(rows, codebook, lane, **more):
    return importing.receive(rows, into=Import(lane.tenant, codebook, source="a test", **more), now=NOW)


def row(**more):
    return {"item": "c-1", "rater": "anna", "verdict": "reject", "categories": ["tone"], **more}


def errors(received):
    return [(one.index, one.error) for one in received.rejected]


class TestGoodRows:
    def test_they_are_labels_of_an_imported_version_that_is_frozen(self, codebook, lane, case):
        received = take([row(at="2026-01-02T10:00:00Z")], codebook, lane)
        label = Label.objects.get()
        assert (received.accepted, received.version) == (1, 2)
        assert (label.rater, label.rater_name, label.slot, label.case) == ("imported", "anna", None, case)
        assert label.created_at.isoformat() == "2026-01-02T10:00:00+00:00"
        assert [one.category.key for one in label.given.all()] == ["tone"]
        assert label.version.state == Version.State.IMPORTED
        assert label.version.content_hash
        assert (label.batch.purpose, label.batch.queue) == (LabelBatch.Purpose.IMPORTED, lane.queue)

    def test_the_version_that_cases_are_labelled_with_stays_what_it_was(self, codebook, lane, case):
        before = current(lane.queue_id)
        take([row()], codebook, lane)
        assert current(lane.queue_id) == before

    def test_a_draft_keeps_its_number_and_can_be_worked_on(self, codebook, lane, case):
        draft = Version.objects.create(codebook=codebook, number=2)
        assert take([row()], codebook, lane).version == 3
        draft.refresh_from_db()
        assert (draft.number, draft.state) == (2, Version.State.DRAFT)

    def test_a_category_without_a_verdict_is_a_reject(self, codebook, lane, case):
        take([row(verdict=None)], codebook, lane)
        assert Label.objects.get().verdict == "reject"

    def test_the_first_import_declares_the_categories_with_their_words(self, codebook, lane, case):
        sent = {"key": "rude", "title": "Rude to the customer", "definition": "Shouts."}
        take([row(categories=["Wrong Source", sent])], codebook, lane)
        declared = Version.objects.get(state="imported").categories.values_list("key", "title", "definition")
        assert list(declared) == [
            ("wrong-source", "Wrong Source", ""),
            ("rude", "Rude to the customer", "Shouts."),
        ]

    def test_they_count_for_a_category_of_ours_only_once_the_owner_carries_it_over(self, codebook, lane, case):
        take([row()], codebook, lane)
        imported = Version.objects.get(state="imported")
        link = CategoryLink.objects.get(version=imported)
        assert (link.ancestor.key, link.kind) == ("tone", "reworded")
        tone = standing(codebook.pk).newest.categories[0]
        assert imported.pk not in standing(codebook.pk).judged_under[tone.pk]
        CategoryLink.objects.filter(pk=link.pk).update(
            carried_at=NOW, carried_by=codebook.owner, carried_because="The same words."
        )
        assert imported.pk in standing(codebook.pk).judged_under[tone.pk]

    def test_sent_again_they_are_duplicates_and_nothing_is_stored_twice(self, codebook, lane, case):
        take([row()], codebook, lane)
        again = take([row(), row()], codebook, lane)
        assert (again.accepted, again.duplicates, Label.objects.count()) == (0, 2, 1)

    def test_another_title_is_another_version_with_categories_of_its_own(self, codebook, lane, case):
        take([row()], codebook, lane)
        assert take([row(categories=["new-one"])], codebook, lane, version_title="Pilot").version == 3

    def test_each_part_is_on_record_with_what_became_of_it(self, codebook, lane, case):
        take([row(), row(item="nowhere")], codebook, lane)
        event = AuditEvent.objects.get(action="labels.imported")
        assert event.detail == {"accepted": 1, "duplicates": 0, "rejected": 1, "version": 2, "source": "a test"}

    def test_a_name_that_is_an_address_is_not_stored_in_clear(self, codebook, lane, case):
        take([row(rater="anna.schmidt@example.org")], codebook, lane)
        assert "@" not in Label.objects.get().rater_name

    def test_parts_do_not_forget_which_categories_the_first_rows_named(self, codebook, lane, monkeypatch):
        monkeypatch.setattr(importing, "PART_ROWS", 1)
        for number in range(3):
            CaseFactory(tenant=lane.tenant, queue=lane.queue, external_id=f"p-{number}")
        received = take([row(item=f"p-{n}", categories=[f"kind-{n}"]) for n in range(3)], codebook, lane)
        assert (received.accepted, received.version) == (3, 2)


class TestBadRows:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"item": "nowhere"}, "there is no such case of acme"),
            ({"item": None}, "item: is missing"),
            ({"rater": None}, "rater: is missing"),
            ({"rater": "  "}, "rater: holds a character"),
            ({"at": (NOW + timedelta(hours=1)).isoformat()}, "lies in the future"),
            ({"at": "2026-01-02T10:00:00"}, "has no time zone"),
            ({"at": "yesterday"}, "is not a time"),
            ({"verdict": None, "categories": []}, "neither is there"),
            ({"verdict": "maybe"}, "must be one of accept, edit, reject"),
            ({"categories": ["тон"]}, "a key needs letters"),
            ({"categories": [{"key": "a", "definition": "nul \x00"}]}, "categories[0].definition"),
            ({"categories": [7]}, "categories[0]"),
            ({"mood": "bad"}, "mood: is not a field here"),
        ],
    )
    def test_each_says_what_is_wrong_and_the_others_are_kept(self, codebook, lane, case, change, said):
        received = take([row(**change), row(rater="ben")], codebook, lane)
        ((index, error),) = errors(received)
        assert index == 0
        assert said in error
        assert Label.objects.get().rater_name == "ben"

    def test_what_could_not_be_read_at_all(self, codebook, lane, case):
        assert errors(take([Unreadable("Line 1 is not JSON."), 7], codebook, lane)) == [
            (0, "Line 1 is not JSON."),
            (1, "The label must be an object, not a number."),
        ]

    def test_where_none_is_good_no_version_is_made(self, codebook, lane):
        take([row()], codebook, lane)
        assert not Version.objects.filter(state="imported").exists()

    def test_a_category_that_nobody_declared(self, codebook, lane, case):
        take([row()], codebook, lane)
        ((_, error),) = errors(take([row(rater="ben", categories=["new-one"])], codebook, lane))
        assert "new-one: nobody declared it" in error
        assert "another title" in error

    def test_another_answer_of_the_same_rater_is_a_conflict(self, codebook, lane, case):
        take([row()], codebook, lane)
        received = take([row(verdict="accept", categories=[])], codebook, lane)
        assert "conflict" in errors(received)[0][1]
        assert Label.objects.get().verdict == "reject"

    def test_a_case_of_another_tenant_or_of_a_queue_with_another_codebook_is_not_there(self, codebook, lane):
        CaseFactory(tenant=TenantFactory(), queue=lane.queue, external_id="c-1")
        other = LaneFactory(tenant=lane.tenant)
        CaseFactory(tenant=lane.tenant, queue=other.queue, external_id="c-2")
        assert len(take([row(), row(item="c-2")], codebook, lane).rejected) == 2


def test_looking_says_the_same_and_stores_nothing(codebook, lane, case):
    rows = [row(), row(), row(item="nowhere"), row(rater="ben", verdict="accept")]
    looked = importing.look(rows, into=Import(lane.tenant, codebook), now=NOW)
    assert (looked.accepted, looked.duplicates, len(looked.rejected)) == (1 + 1, 1, 1)
    assert not Label.objects.exists()
    done = take(rows, codebook, lane)
    assert (done.accepted, done.duplicates, errors(done)) == (looked.accepted, looked.duplicates, errors(looked))
