from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from codebook.labels import relabelling
from codebook.labels.carrying import carry_over
from codebook.labels.counting import count_relabel
from codebook.labels.relabelling import CannotRelabel, affected_cases, cancel, is_drawn, order
from codebook.models import CategoryLink, FinalLabel, Label, Relabel, RelabelSlot
from codebook.standing import standing
from hitl.jobs.models import Job
from hitl.models import AuditEvent, Message
from queues import claims
from queues.models import Outcome, Slot
from reviews import deciding
from reviews.given import Given
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import UserFactory
from tests.factories.jobs import work_off
from tests.factories.queues import LaneFactory, SlotFactory, reviewer_of

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def decide(slot, user, version, *keys):
    """The person decides this slot, whatever else waits."""
    Slot.objects.filter(pk=slot.pk).update(reserved_for=user)
    claim = next(claim for claim in claims.hold(user=user, wanted=1) if claim.slot_id == slot.pk)
    categories = frozenset(version.categories.filter(key__in=keys).values_list("pk", flat=True))
    given = Given(verdict=Label.Verdict.REJECT, version_id=version.pk, category_ids=categories)
    deciding.decide(user=user, slot_id=slot.pk, token=claim.token, given=given, painted=None)
    claims.release(user=user)
    return slot.case


class Shop:
    """A queue whose cases were decided under a version; tone means something else since."""

    def __init__(self, cases=3):
        self.lane = LaneFactory()
        self.anna, self.ben = reviewer_of(self.lane), reviewer_of(self.lane)
        self.codebook = CodebookFactory()
        self.owner = self.codebook.owner
        self.one = published(self.lane.queue, codebook=self.codebook, keys=["tone", "other"])
        self.cases = [decide(SlotFactory(lane=self.lane), self.anna, self.one, "tone") for _ in range(cases - 1)]
        self.cases.append(decide(SlotFactory(lane=self.lane), self.anna, self.one))
        self.two = published(codebook=self.codebook, keys=["tone", "other"])
        self.tone, self.other = self.two.categories.order_by("position")
        self.link = CategoryLink.objects.create(
            version=self.two, category=self.tone, ancestor=self.one.categories.get(key="tone"), kind="reworded"
        )

    def order(self, **fields):
        wanted = {"category": self.tone, "share": Decimal(1), "reason": "Sarcasm is in it now.", "by": self.owner}
        return order(codebook=self.codebook, now=NOW, **wanted | fields)

    def affected(self):
        return affected_cases(standing(self.codebook.pk), self.tone.pk)


@pytest.fixture
def shop():
    return Shop()


class TestAnOrder:
    def test_it_brings_back_every_affected_case_whether_the_category_was_given_or_not(self, shop):
        ordered, job = shop.order()
        assert not RelabelSlot.objects.exists()
        work_off()
        slots = Slot.objects.filter(relabel__order=ordered)
        assert {slot.case_id for slot in slots} == {case.pk for case in shop.cases}
        assert {(slot.purpose, slot.round, slot.seat, slot.lane.stream) for slot in slots} == {
            ("relabel", 2, 1, "quality")
        }
        ordered.refresh_from_db()
        job.refresh_from_db()
        assert ordered.affected == 3
        assert (job.state, job.done, job.total) == (Job.State.DONE, 3, 3)
        assert "3 of 3" in job.result["sentence"]

    def test_it_is_on_record(self, shop):
        ordered, _ = shop.order(share=Decimal("0.5"))
        event = AuditEvent.objects.get(action="relabel.ordered")
        assert (event.actor, event.subject) == (shop.owner, f"codebook:{shop.codebook.pk}")
        assert event.detail == {
            "relabel": ordered.pk, "category": "tone", "share": "0.5", "reason": "Sarcasm is in it now."
        }  # fmt: skip

    def test_cases_of_other_queues_are_left_alone(self, shop):
        shop.lane.queue.codebook_use.delete()
        assert shop.affected() == []

    def test_a_case_that_waits_for_a_relabel_is_not_asked_twice(self, shop):
        shop.order()
        work_off()
        shop.order()
        work_off()
        assert RelabelSlot.objects.count() == 3

    def test_a_case_with_an_answer_under_the_new_words_is_not_affected(self, shop):
        shop.order()
        work_off()
        slot = Slot.objects.get(purpose="relabel", case=shop.cases[0])
        decide(slot, shop.ben, shop.two)
        RelabelSlot.objects.all().delete()
        Slot.objects.filter(purpose="relabel").exclude(pk=slot.pk).delete()
        assert shop.affected() == [case.pk for case in shop.cases[1:]]

    def test_a_second_opinion_under_the_new_words_is_no_answer(self, shop):
        second = SlotFactory(lane=shop.lane, case=shop.cases[0], seat=2, purpose="second")
        decide(second, shop.ben, shop.two)
        assert shop.cases[0].pk in shop.affected()

    def test_run_again_by_the_worker_it_opens_nothing_twice(self, shop):
        ordered, job = shop.order()
        work_off()
        Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING)
        relabelling.open_slots(job.pk, ordered.pk)
        assert RelabelSlot.objects.count() == 3
        ordered.refresh_from_db()
        assert ordered.affected == 3

    def test_a_version_that_comes_in_between_stops_it_with_a_sentence(self, shop):
        _, job = shop.order()
        published(codebook=shop.codebook, keys=["tone", "other"])
        work_off()
        job.refresh_from_db()
        assert job.state == Job.State.FAILED
        assert "Order the relabel again" in job.error

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"share": Decimal(0)}, "more than 0%"),
            ({"share": Decimal("1.1")}, "at most 100%"),
            ({"reason": "  "}, "Say what for"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, shop, fields, says):
        with pytest.raises(CannotRelabel, match=says):
            shop.order(**fields)
        assert not Relabel.objects.exists()

    def test_what_counts_needs_no_relabel(self, shop):
        with pytest.raises(CannotRelabel, match="No label of “Other” is in quarantine"):
            shop.order(category=shop.other)
        carry_over(link=shop.link, by=shop.owner, because="The same after all.", now=NOW)
        with pytest.raises(CannotRelabel, match="nothing to decide again"):
            shop.order()

    def test_a_category_of_an_older_version_is_refused(self, shop):
        with pytest.raises(CannotRelabel, match="not in the newest version"):
            shop.order(category=shop.one.categories.first())

    def test_only_the_owner_orders(self, shop):
        with pytest.raises(CannotRelabel, match="Only"):
            shop.order(by=UserFactory(is_superuser=True))


class TestTheSample:
    def test_the_same_cases_are_drawn_every_time_and_a_larger_share_holds_the_smaller(self):
        tenth = {case for case in range(10_000) if is_drawn(7, case, Decimal("0.1"))}
        half = {case for case in range(10_000) if is_drawn(7, case, Decimal("0.5"))}
        assert 900 < len(tenth) < 1100
        assert 4800 < len(half) < 5200
        assert tenth < half
        assert {case for case in range(10_000) if is_drawn(8, case, Decimal("0.1"))} != tenth

    def test_only_those_drawn_come_back(self):
        shop = Shop(cases=12)
        ordered, _ = shop.order(share=Decimal("0.4"))
        work_off()
        drawn = {case.pk for case in shop.cases if is_drawn(shop.tone.pk, case.pk, Decimal("0.4"))}
        assert set(Slot.objects.filter(relabel__order=ordered).values_list("case_id", flat=True)) == drawn
        ordered.refresh_from_db()
        assert ordered.affected == 12


class TestWhoAnswers:
    def test_whoever_decided_before_is_not_asked_again(self, shop):
        shop.order()
        work_off()
        assert claims.hold(user=shop.anna) == []
        assert len(claims.hold(user=shop.ben)) == 2

    def test_unless_nobody_else_could_answer(self, shop):
        shop.ben.is_active = False
        shop.ben.save()
        shop.order()
        work_off()
        assert len(claims.hold(user=shop.anna)) == 2


class TestItsDecisions:
    def test_they_are_the_answer_from_then_on_and_the_producer_hears_nothing(self, shop):
        shop.order()
        work_off()
        case = shop.cases[0]
        messages, outcome = Message.objects.count(), Outcome.objects.get(case=case)
        decide(Slot.objects.get(purpose="relabel", case=case), shop.ben, shop.two)
        label = FinalLabel.objects.get(case=case).label
        assert (label.user, label.version, label.batch.purpose) == (shop.ben, shop.two, "relabel")
        assert Message.objects.count() == messages
        after = Outcome.objects.get(case=case)
        assert (after.revision, after.categories, after.codebook_version) == (
            outcome.revision, outcome.categories, outcome.codebook_version
        )  # fmt: skip

    def test_progress_is_counted(self, shop):
        ordered, _ = shop.order()
        work_off()
        decide(Slot.objects.get(purpose="relabel", case=shop.cases[0]), shop.ben, shop.two)
        counted = count_relabel(order_id=ordered.pk, now=NOW)
        assert (counted.wanted, counted.decided) == (3, 1)


class TestCancelling:
    def test_what_nobody_claimed_is_taken_back_and_what_was_decided_stays(self):
        shop = Shop(cases=6)
        ordered, _ = shop.order()
        work_off()
        decide(Slot.objects.get(purpose="relabel", case=shop.cases[0]), shop.ben, shop.two)
        # Deciding claims ahead: what was put back again may hold what somebody left with it.
        opened = Slot.objects.filter(purpose="relabel")
        touched = set(opened.filter(lease_token__gt=0).values_list("pk", flat=True))
        assert 1 < len(touched) < 6
        cancel(order=ordered, by=shop.owner, now=NOW)
        work_off()
        assert set(opened.values_list("pk", flat=True)) == touched
        assert FinalLabel.objects.get(case=shop.cases[0]).label.batch.purpose == "relabel"
        assert AuditEvent.objects.filter(action="relabel.cancelled").count() == 1

    def test_cancelled_before_the_worker_came_to_it_nothing_is_opened(self, shop):
        ordered, _ = shop.order()
        cancel(order=ordered, by=shop.owner, now=NOW)
        work_off()
        assert not RelabelSlot.objects.exists()

    def test_once_is_enough(self, shop):
        ordered, _ = shop.order()
        cancel(order=ordered, by=shop.owner, now=NOW)
        with pytest.raises(CannotRelabel, match="already"):
            cancel(order=ordered, by=shop.owner, now=NOW + timedelta(hours=1))

    def test_only_the_owner_cancels(self, shop):
        ordered, _ = shop.order()
        with pytest.raises(CannotRelabel, match="Only"):
            cancel(order=ordered, by=shop.anna, now=NOW)
