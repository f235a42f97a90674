from datetime import timedelta

import pytest
from django.utils import timezone

from codebook.adjudication import disagreement
from codebook.adjudication.disagreement import confusions, most_confused, take_apart
from codebook.models import CategoryLink, Disagreement, Label
from codebook.standing import standing
from queues import claims
from queues.models import Slot
from reviews import deciding
from reviews.deciding import TooLate
from reviews.given import Given
from tests.factories.codebook import published
from tests.factories.seats import Seats

pytestmark = pytest.mark.django_db


class Bench(Seats):
    def open(self):
        return list(Disagreement.objects.filter(case=self.case, settled_at=None))


@pytest.fixture
def bench():
    return Bench()


class TestWhatIsOne:
    def test_another_verdict(self, bench):
        bench.decide(1, "accept")
        assert not bench.open()
        bench.decide(2, "reject")
        (found,) = bench.open()
        assert (found.round, found.codebook, found.queue) == (1, bench.version.codebook, bench.lane.queue)

    def test_another_category_under_the_same_verdict(self, bench):
        bench.decide(1, "reject", "tone")
        bench.decide(2, "reject", "tone", "hallucination")
        assert bench.open()

    def test_the_same_is_none(self, bench):
        bench.decide(1, "reject", "tone", "hallucination")
        bench.decide(2, "reject", "hallucination", "tone")
        assert not Disagreement.objects.exists()

    def test_the_third_of_three_may_make_one(self):
        bench = Bench(raters=3)
        bench.decide(1, "reject", "tone")
        bench.decide(2, "reject", "tone")
        assert not bench.open()
        bench.decide(3, "accept")
        assert bench.open()

    def test_an_amendment_makes_none_and_ends_none(self, bench):
        first = bench.decide(1, "accept")
        bench.decide(2, "accept")
        given = Given(verdict=Label.Verdict.REJECT, version_id=bench.version.pk)
        deciding.amend(user=bench.people[0], slot_id=first.pk, given=given)
        disagreement.compare(
            case_id=bench.case.pk, round=1, codebook_id=bench.version.codebook_id, queue_id=bench.lane.queue_id,
            now=timezone.now(),
        )  # fmt: skip
        assert not bench.open()


class TestUnderTwoVersions:
    def newer(self, bench, same):
        """A second version in which only `same` has kept its words."""
        newer = published(bench.lane.queue, codebook=bench.version.codebook)
        CategoryLink.objects.bulk_create(
            CategoryLink(
                version=newer, category=category, ancestor=bench.version.categories.get(key=category.key),
                kind="same" if category.key in same else "reworded",
            )
            for category in newer.categories.all()
        )  # fmt: skip
        return newer

    def test_a_category_that_is_the_same_in_both_is_compared(self, bench):
        bench.decide(1, "reject", "tone")
        newer = self.newer(bench, same=["tone"])
        bench.decide(2, "reject", version=newer)
        assert bench.open()

    def test_one_that_was_reworded_is_not(self, bench):
        bench.decide(1, "reject", "hallucination", "tone")
        newer = self.newer(bench, same=["tone"])
        bench.decide(2, "reject", "tone", version=newer)
        assert not bench.open()


class TestTakenBack:
    def test_the_second_decision_and_with_it_the_disagreement(self, bench):
        bench.decide(1, "accept")
        second = bench.decide(2, "reject")
        deciding.undo(user=bench.people[1], slot_id=second.pk)
        assert not Disagreement.objects.exists()

    def test_the_first_and_with_it_the_seat_that_nobody_has_claimed(self, bench):
        first = bench.decide(1, "accept")
        deciding.undo(user=bench.people[0], slot_id=first.pk)
        assert bench.case.slots.count() == 1
        bench.decide(1, "reject")
        assert bench.case.slots.count() == 2

    def test_not_the_first_once_a_colleague_has_claimed_the_next_seat(self, bench):
        first = bench.decide(1, "accept")
        claims.hold(user=bench.people[1])
        with pytest.raises(TooLate, match="colleague"):
            deciding.undo(user=bench.people[0], slot_id=first.pk)

    def test_the_second_for_no_longer_than_the_first_although_nobody_waits(self, bench):
        bench.decide(1, "accept")
        second = bench.decide(2, "reject")
        Slot.objects.filter(pk=second.pk).update(decided_at=timezone.now() - timedelta(seconds=301))
        with pytest.raises(TooLate, match="time for taking it back is over"):
            deciding.undo(user=bench.people[1], slot_id=second.pk)


def test_a_second_decision_is_no_outcome(bench):
    bench.decide(1, "accept")
    before = bench.case.outcome.revision
    bench.decide(2, "reject")
    bench.case.outcome.refresh_from_db()
    assert (bench.case.outcome.verdict, bench.case.outcome.revision) == ("accept", before)


def test_the_most_frequent_confusion_comes_first_and_within_it_the_oldest():
    bench = Bench()
    cases = [("reject", "tone"), ("reject", "wrong-source"), ("accept",), ("reject", "wrong-source")]
    opened = []
    for said in cases:
        bench.another()
        bench.decide(1, "reject")
        bench.decide(2, *said)
        opened += bench.open()
    stands = standing(bench.version.codebook_id)
    disputes = take_apart(opened, stands)
    assert [one.disagreement for one in most_confused(disputes)] == [opened[1], opened[3], opened[0], opened[2]]
    source = bench.version.categories.get(key="wrong-source").pk
    assert (confusions(disputes)[0].categories, confusions(disputes)[0].times) == (frozenset({source}), 2)
