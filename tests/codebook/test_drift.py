from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from codebook.drift import checks as drift
from codebook.models import Adjudication, DriftCheck, FinalLabel, Label, SpotCheck
from hitl.access import people
from hitl.models import AuditEvent, Message
from queues import claims
from queues.models import Outcome, Slot
from reviews import deciding
from reviews.figures.case import history
from tests.factories.codebook import published
from tests.factories.drift import Desk, friday
from tests.factories.hitl import UserFactory, grant
from tests.factories.queues import SlotFactory, reviewer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return Desk()


class TestTheHours:
    def test_a_weeks_questions_are_spread_over_its_working_days(self):
        monday = datetime(2026, 11, 16, tzinfo=UTC)
        counts = [drift.due_by(1, 2, monday + timedelta(hours=hour)) for hour in range(7 * 24)]
        assert counts == sorted(counts)
        assert counts[-1] == drift.A_WEEK
        assert counts[5 * 24] == drift.A_WEEK
        first = [counts.index(n) for n in range(1, drift.A_WEEK + 1)]
        assert [hour // 40 for hour in first] == [0, 1, 2]

    def test_they_differ_from_person_to_person_and_from_week_to_week(self):
        start = datetime(2026, 11, 16, tzinfo=UTC)

        def hours(person, week):
            at = [start + timedelta(weeks=week, hours=hour) for hour in range(120)]
            return tuple(drift.due_by(1, person, moment) for moment in at)

        assert len({hours(person, 0) for person in range(10)}) > 5
        assert len({hours(1, week) for week in range(10)}) > 5
        assert hours(3, 4) == hours(3, 4)


class TestAsking:
    def test_one_of_their_own_old_decisions_is_asked_again_for_them_alone(self, desk):
        check = desk.ask()
        assert check.reviewer == desk.reviewer
        assert check.earlier.user == desk.reviewer
        slot = check.slot
        assert (slot.purpose, slot.round, slot.reserved_for, slot.case) == (
            "drift", 2, desk.reviewer, check.earlier.case,
        )  # fmt: skip

    def test_nothing_younger_than_four_weeks_is(self, desk):
        assert desk.ask(weeks=2) is None

    def test_one_at_a_time_three_a_week_and_never_the_same_case_twice(self, desk):
        first = desk.ask()
        assert desk.ask() is None
        desk.answer(first.slot_id)
        second = desk.ask()
        desk.answer(second.slot_id)
        third = desk.ask()
        desk.answer(third.slot_id)
        assert desk.ask() is None
        fourth = desk.ask(weeks=9)
        desk.answer(fourth.slot_id)
        assert desk.ask(weeks=10) is None
        asked = [check.earlier.case_id for check in (first, second, third, fourth)]
        assert len(set(asked)) == 4

    def test_a_decision_that_no_longer_counts_is_not_asked_about(self, desk):
        published(codebook=desk.codebook, keys=("entirely", "new"))
        assert Label.objects.filter(version=desk.version).exists()
        assert desk.ask() is None

    def test_what_they_were_told_the_end_of_is_not_a_question(self, desk):
        told, checked, amended, *rest = desk.cases
        label = told.labels.get()
        other = Label.objects.get(case=checked)
        owner = desk.codebook.owner
        Adjudication.objects.create(case=told, round=1, label=label, by=owner, at=timezone.now())
        SpotCheck.objects.create(
            label=other, codebook=desk.codebook, reviewer=desk.reviewer, day="2026-01-01",
            checked_at=timezone.now(), agrees=False,
        )  # fmt: skip
        slot = amended.slots.get()
        deciding.amend(
            user=desk.reviewer,
            slot_id=slot.pk,
            given=deciding.Given(verdict="reject", version_id=desk.version.pk),
        )
        for case in rest:
            SlotFactory(lane=desk.lane, case=case, round=2, purpose="relabel")
        assert desk.ask() is None

    def test_nobody_is_asked_who_may_no_longer_take_the_case(self, desk):
        desk.lane.queue.queueuserpermission_set.filter(user=desk.reviewer).delete()
        assert desk.ask() is None

    def test_two_clocks_at_once_ask_once(self, desk):
        assert drift.ask(codebook=desk.codebook, now=friday(8)) == 1
        assert drift.ask(codebook=desk.codebook, now=friday(8)) == 0

    def test_the_record_names_neither_the_person_nor_the_case(self, desk):
        desk.ask()
        event = AuditEvent.objects.get(action="drift.asked")
        assert (event.subject, event.detail, event.tenant_id) == (f"codebook:{desk.codebook.pk}", {"cases": 1}, None)

    def test_a_codebook_without_a_published_version_asks_nothing(self):
        desk = Desk(cases=0)
        assert desk.ask() is None


class TestItCannotBeTold:
    def test_it_is_answered_like_any_other_and_changes_neither_the_answer_nor_what_was_said(self, desk):
        check = desk.ask()
        case, before = check.earlier.case, Label.objects.filter(pk=check.earlier_id).values().get()
        told = Outcome.objects.filter(case=case).values().get()
        sent = Message.objects.count()
        desk.answer(check.slot_id, "reject")
        assert Label.objects.filter(pk=check.earlier_id).values().get() == before
        assert Outcome.objects.filter(case=case).values().get() == told
        assert Message.objects.count() == sent
        assert FinalLabel.objects.get(case=case).label_id == check.earlier_id

    def test_put_back_it_stays_theirs(self, desk):
        check = desk.ask()
        colleague = reviewer_of(check.slot.lane)
        claims.hold(user=desk.reviewer)
        claims.release(user=desk.reviewer)
        assert claims.hold(user=colleague) == []
        assert [one.slot_id for one in claims.hold(user=desk.reviewer)] == [check.slot_id]

    def test_with_its_lease_run_out_it_stays_theirs_too(self, desk):
        check = desk.ask()
        colleague = reviewer_of(check.slot.lane)
        claims.hold(user=desk.reviewer)
        Slot.objects.filter(pk=check.slot_id).update(lease_until=timezone.now() - timedelta(minutes=1))
        assert claims.hold(user=colleague) == []
        assert [one.slot_id for one in claims.hold(user=desk.reviewer)] == [check.slot_id]

    def test_while_it_waits_the_page_of_the_case_shows_nothing_that_was_decided(self, desk):
        check = desk.ask()
        lead = grant(desk.reviewer, "lead_queue", desk.lane.queue)
        shown = history(check.earlier.case, lead)
        assert shown.independent
        assert not any(seat.labels for seat in shown.seats)


class TestWhoLeft:
    def test_a_question_to_somebody_who_left_is_taken_back(self, desk):
        check = desk.ask()
        people.deactivate(person=desk.reviewer, by=UserFactory(is_superuser=True))
        assert drift.forget_unanswerable() == 1
        assert not DriftCheck.objects.exists()
        assert not Slot.objects.filter(pk=check.slot_id).exists()

    def test_one_that_can_be_answered_stays(self, desk):
        desk.ask()
        assert drift.forget_unanswerable() == 0
        assert DriftCheck.objects.exists()

    def test_what_they_wrote_on_it_is_kept_and_anybody_may_answer_it(self, desk):
        check = desk.ask()
        (claim,) = claims.hold(user=desk.reviewer)
        deciding.keep_draft(
            user=desk.reviewer, slot_id=claim.slot_id, content={"final_answer": "half"}, token=claim.token
        )
        claims.release(user=desk.reviewer)
        colleague = reviewer_of(check.slot.lane)
        people.deactivate(person=desk.reviewer, by=UserFactory(is_superuser=True))
        assert drift.forget_unanswerable() == 1
        assert [one.slot_id for one in claims.hold(user=colleague)] == [check.slot_id]

    def test_answered_ones_stay_on_record(self, desk):
        check = desk.ask()
        desk.answer(check.slot_id)
        people.deactivate(person=desk.reviewer, by=UserFactory(is_superuser=True))
        assert drift.run(friday(8)) == 0
        assert DriftCheck.objects.get() == check
