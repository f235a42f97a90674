from datetime import timedelta

import pytest
from django.utils import timezone

from codebook.labels import batches, counting, labelling
from codebook.labels.counting import count, count_batch
from codebook.models import Adjudication, BatchCount
from codebook.versions import rubric
from tests.factories.codebook import published
from tests.factories.hitl import UserFactory
from tests.factories.queues import SlotFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


class Desk:
    def __init__(self):
        self.slot = SlotFactory()
        self.lane, self.queue = self.slot.lane, self.slot.lane.queue
        self.version = published(self.queue, keys=["tone", "other"])
        self.tone, self.other = self.version.categories.order_by("position")
        self.anna, self.ben = UserFactory(), UserFactory()

    def label(self, user, verdict="accept", *categories, slot=None, now=NOW, **fields):
        return labelling.give(
            slot=slot or SlotFactory(lane=self.lane), queue_id=self.queue.pk, origin="escalation", user=user,
            stamp=rubric(self.version.pk), verdict=verdict, category_ids=[c.pk for c in categories], now=now, **fields,
        )  # fmt: skip

    def counted(self, label):
        return count_batch(batch_id=label.batch_id, newest_label=label.pk, now=NOW)


@pytest.fixture
def desk():
    return Desk()


def test_what_stands_is_counted_by_verdict_category_and_person(desk):
    first = desk.label(desk.anna, "reject", desk.tone, now=NOW - timedelta(days=1))
    desk.label(desk.anna, "reject", desk.tone, desk.other)
    desk.label(desk.ben)
    counts = desk.counted(first)
    assert (counts.labels, counts.verdicts) == (3, {"reject": 2, "accept": 1})
    assert counts.given == {str(desk.tone.pk): 2, str(desk.other.pk): 1}
    assert [(user, labels) for user, _, labels, *_ in counts.raters] == [(desk.anna.pk, 2), (desk.ben.pk, 1)]
    assert (counts.first_at, counts.last_at) == (NOW - timedelta(days=1), NOW)


def test_what_was_undone_is_not_counted_and_an_amendment_is_not_a_second_label(desk):
    undone, kept = desk.label(desk.anna, "reject", desk.tone), desk.label(desk.ben, "accept")
    undone.undone_at = NOW
    undone.save(update_fields=["undone_at"])
    desk.label(desk.ben, "reject", desk.tone, slot=kept.slot, follows=kept, is_amendment=True)
    counts = desk.counted(kept)
    assert (counts.labels, counts.verdicts, counts.given) == (1, {"accept": 1}, {})


def test_agreement_is_over_cases_that_two_people_decided(desk):
    for mine, theirs in (("accept", "accept"), ("accept", "reject"), ("edit", "edit")):
        first = desk.label(desk.anna, mine)
        second = SlotFactory(lane=desk.lane, case=first.case, seat=2, purpose="second")
        last = desk.label(desk.ben, theirs, slot=second)
    desk.label(desk.anna)
    for batch_of in (first, last):
        counts = desk.counted(batch_of)
        assert (counts.compared, counts.agreeing) == (3, 2)


def test_asking_the_same_case_again_in_another_round_is_no_agreement(desk):
    first = desk.label(desk.anna)
    again = SlotFactory(lane=desk.lane, case=first.case, round=2, purpose="second")
    desk.label(desk.ben, slot=again)
    assert desk.counted(first).compared == 0


def test_what_became_of_its_labels_is_counted(desk):
    first, other = desk.label(desk.anna, "reject"), desk.label(desk.anna)
    last = desk.label(desk.ben, slot=SlotFactory(lane=desk.lane, case=first.case, round=2, purpose="adjudication"))
    Adjudication.objects.create(case=first.case, round=1, label=last, by=desk.ben, at=NOW)
    desk.label(desk.ben, slot=SlotFactory(lane=desk.lane, case=other.case, round=2, purpose="relabel"))
    counts = desk.counted(first)
    assert (counts.adjudicated, counts.relabelled) == (1, 1)


class TestWhenItIsCountedAgain:
    def test_once_at_first_and_then_only_after_another_label(self, desk):
        desk.label(desk.anna)
        assert count(NOW) == 1
        assert count(NOW + timedelta(hours=1)) == 0
        desk.label(desk.ben)
        assert count(NOW + timedelta(hours=1)) == 1
        assert BatchCount.objects.get().labels == 2

    def test_a_large_one_less_often(self, desk):
        desk.label(desk.anna)
        count(NOW)
        BatchCount.objects.update(labels=1_000_000)
        desk.label(desk.anna)
        assert count(NOW + timedelta(minutes=16)) == 0
        assert count(NOW + timedelta(minutes=17)) == 1

    def test_once_more_after_it_was_closed_and_then_once_a_day(self, desk):
        batch = desk.label(desk.anna).batch
        count(NOW)
        batches.close(batch=batch, by=desk.version.codebook.owner, now=NOW)
        assert count(NOW + timedelta(minutes=4)) == 0
        assert count(NOW + timedelta(minutes=6)) == 1
        assert count(NOW + timedelta(hours=3)) == 0
        assert count(NOW + timedelta(days=1, hours=1)) == 1


class TestACountThatTakesTooLong:
    def test_is_given_up_and_made_up_for_in_a_later_round(self, desk, monkeypatch, caplog):
        desk.label(desk.anna)
        monkeypatch.setattr(counting, "PATIENCE", 50)
        with monkeypatch.context() as slow:
            slow.setattr(counting, "_GIVEN", "select 1, 1 from pg_sleep(5) where %s > 0")
            assert count(NOW) == 0
        assert "took too long" in caplog.text
        assert not BatchCount.objects.exists()
        assert count(NOW) == 1
        assert BatchCount.objects.get().labels == 1
