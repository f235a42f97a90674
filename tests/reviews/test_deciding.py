from datetime import timedelta

import pytest
from django.utils import timezone

from codebook.labels.labelling import WrongVersion
from codebook.models import Label, LabelBatch, Version
from hitl.models import Message
from queues import claims
from queues.claims import ClaimLost
from queues.models import Case, Outcome, Slot
from reviews import deciding
from reviews.deciding import TooLate
from reviews.given import Found, Given, Invalid
from reviews.models import Finding, Review, SavedDraft
from tests.factories.codebook import published
from tests.factories.queues import LaneFactory, QueueFactory, SlotFactory, reviewer_of

pytestmark = pytest.mark.django_db


class Desk:
    """A reviewer at a queue of three cases, with a published codebook."""

    def __init__(self, cases=3, **queue):
        self.lane = LaneFactory(queue=QueueFactory(**queue))
        self.version = published(self.lane.queue)
        self.slots = SlotFactory.create_batch(cases, lane=self.lane)
        self.user = reviewer_of(self.lane)
        self.held = claims.hold(user=self.user)

    def category(self, key):
        return self.version.categories.get(key=key).pk

    def given(self, verdict="accept", *keys, **more):
        return Given(
            verdict=Label.Verdict(verdict),
            version_id=more.pop("version_id", self.version.pk),
            category_ids=frozenset(self.category(key) for key in keys),
            **more,
        )

    def decide(self, given=None, claim=None, user=None, **more):
        claim = claim or self.held[0]
        ahead = self.held[1] if len(self.held) > 1 and claim == self.held[0] else None
        return deciding.decide(
            user=user or self.user,
            slot_id=claim.slot_id,
            token=claim.token,
            given=given or self.given(),
            painted=(ahead.slot_id, ahead.token) if ahead else None,
            **more,
        )


@pytest.fixture
def desk():
    return Desk()


class TestADecision:
    def test_it_is_a_label_under_the_version_on_screen_in_an_open_batch(self, desk):
        desk.decide(desk.given("reject", "hallucination", "tone"))
        label = Label.objects.get()
        assert (label.verdict, label.user, label.version) == ("reject", desk.user, desk.version)
        assert sorted(label.given.values_list("category__key", flat=True)) == ["hallucination", "tone"]
        batch = LabelBatch.objects.get()
        assert label.batch == batch
        assert (batch.queue, batch.version, batch.origin, batch.purpose) == (
            desk.lane.queue,
            desk.version,
            "escalation",
            "first",
        )

    def test_the_next_case_is_confirmed_and_another_is_on_deck(self, desk):
        decided = desk.decide()
        assert decided.as_painted
        assert decided.next.current == desk.held[1]
        assert decided.next.on_deck.slot_id not in {claim.slot_id for claim in desk.held}

    def test_the_last_case_of_all_leaves_nothing_ahead(self):
        desk = Desk(cases=1)
        decided = desk.decide()
        assert decided.next.current is None
        assert decided.next.on_deck is None

    def test_two_decisions_of_one_kind_share_a_batch(self, desk):
        first = desk.decide()
        desk.decide(claim=first.next.current)
        assert LabelBatch.objects.count() == 1

    def test_an_accepted_answer_is_the_draft(self, desk):
        desk.decide()
        outcome = Outcome.objects.get()
        assert (outcome.verdict, outcome.final_answer) == ("accept", outcome.case.draft)
        assert outcome.case.state == Case.State.DECIDED

    def test_an_edit_keeps_the_answer_and_how_much_of_the_draft_is_left(self, desk):
        desk.decide(desk.given("edit", final_answer="You were charged twice. Billing checks it first."))
        review = Review.objects.get()
        assert 0 < review.edit_ratio < 1
        assert Outcome.objects.get().final_answer == "You were charged twice. Billing checks it first."

    def test_an_edit_that_changes_nothing_is_refused(self, desk):
        draft = Case.objects.get(slots=desk.held[0].slot_id).draft
        with pytest.raises(Invalid, match="as it was drafted"):
            desk.decide(desk.given("edit", final_answer=draft))

    def test_an_empty_edit_is_refused(self, desk):
        with pytest.raises(Invalid, match="empty"):
            desk.decide(desk.given("edit", final_answer="  "))

    def test_findings_are_kept_in_the_reviewers_own_words(self, desk):
        desk.decide(
            desk.given(
                "reject",
                findings=(
                    Found(Finding.Kind.INCORRECT_EVIDENCE, document_id="ledger-7731"),
                    Found(Finding.Kind.NEW_FAILURE_MODE, text="Promises a date nobody gave"),
                ),
            )
        )
        assert set(Finding.objects.values_list("kind", "document_id", "text")) == {
            ("incorrect_evidence", "ledger-7731", ""),
            ("new_failure_mode", "", "Promises a date nobody gave"),
        }

    def test_personal_data_that_a_reviewer_types_is_scrubbed_too(self, desk):
        desk.decide(
            desk.given(
                "edit",
                final_answer="Write to anna.maier@example.com about it.",
                findings=(Found(Finding.Kind.NOTE, text="she is anna.maier@example.com"),),
            )
        )
        assert "anna.maier" not in Outcome.objects.get().final_answer
        assert "anna.maier" not in Finding.objects.get().text

    def test_handling_time_is_what_the_browser_measured_and_never_longer_than_the_claim(self, desk):
        Slot.objects.update(seen_at=timezone.now() - timedelta(seconds=20))
        desk.decide(desk.given(handling_ms=3_600_000))
        assert 19_000 < Review.objects.get().handling_ms < 25_000

    def test_a_second_decision_only_measures_and_does_not_answer_the_producer(self):
        desk = Desk()
        Slot.objects.update(purpose="second")
        desk.decide()
        assert not Outcome.objects.exists()
        assert Label.objects.get().batch.purpose == "second"


class TestTheVersion:
    def test_a_category_of_another_version_is_refused(self, desk):
        older = desk.version.categories.get(key="tone").pk
        newer = published(desk.lane.queue, codebook=desk.version.codebook)
        Slot.objects.update(claimed_at=timezone.now() + timedelta(seconds=1))
        given = Given(Label.Verdict.REJECT, version_id=newer.pk, category_ids=frozenset([older]))
        with pytest.raises(WrongVersion):
            desk.decide(given)

    def test_a_decision_made_while_the_version_changes_keeps_the_version_that_was_on_screen(self, desk):
        published(desk.lane.queue, codebook=desk.version.codebook)
        desk.decide(desk.given("reject", "tone"))
        assert Label.objects.get().version == desk.version

    def test_a_version_replaced_before_the_claim_is_refused(self, desk):
        published(desk.lane.queue, codebook=desk.version.codebook)
        Slot.objects.update(claimed_at=timezone.now() + timedelta(seconds=1))
        with pytest.raises(WrongVersion):
            desk.decide()

    def test_a_version_of_another_codebook_is_refused(self, desk):
        stranger = published()
        with pytest.raises(WrongVersion):
            desk.decide(desk.given(version_id=stranger.pk))

    def test_a_draft_version_is_refused(self, desk):
        draft = Version.objects.create(codebook=desk.version.codebook, number=2)
        with pytest.raises(WrongVersion):
            desk.decide(desk.given(version_id=draft.pk))


class TestTheFence:
    def test_a_late_decision_is_refused_once_a_colleague_has_the_case(self, desk):
        colleague = reviewer_of(desk.lane)
        Slot.objects.filter(pk=desk.held[0].slot_id).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert claims.take(user=colleague).slot_id == desk.held[0].slot_id
        with pytest.raises(ClaimLost):
            desk.decide()
        assert not Label.objects.exists()

    def test_a_retry_after_a_lost_reply_is_answered_and_counts_once(self, desk):
        desk.decide()
        again = desk.decide()
        assert again.repeated
        assert Label.objects.count() == Review.objects.count() == 1

    def test_another_persons_token_is_of_no_use(self, desk):
        with pytest.raises(ClaimLost):
            desk.decide(user=reviewer_of(desk.lane))

    def test_a_reviewer_who_lost_the_grant_while_holding_the_case_does_not_decide_it(self, desk):
        desk.user.is_active = False
        desk.user.save()
        with pytest.raises(ClaimLost):
            desk.decide()

    def test_a_painted_case_that_was_lost_meanwhile_is_replaced(self, desk):
        colleague = reviewer_of(desk.lane)
        Slot.objects.filter(pk=desk.held[1].slot_id).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert claims.take(user=colleague).slot_id == desk.held[1].slot_id
        decided = desk.decide()
        assert not decided.as_painted
        assert decided.next.current.slot_id not in {desk.held[0].slot_id, desk.held[1].slot_id}


class TestUndo:
    def test_the_case_is_back_with_all_that_was_given_and_the_first_label_stays_on_record(self, desk):
        desk.decide(desk.given("edit", "tone", final_answer="Softer words."))
        claim = deciding.undo(user=desk.user, slot_id=desk.held[0].slot_id)
        assert claim.slot_id == desk.held[0].slot_id
        assert claim.token > desk.held[0].token
        assert Label.objects.get().undone_at is not None
        draft = SavedDraft.objects.get().content
        assert (draft["verdict"], draft["final_answer"]) == ("edit", "Softer words.")
        assert draft["categories"] == [desk.category("tone")]
        assert not Outcome.objects.exists()

    def test_the_second_decision_follows_the_first(self, desk):
        desk.decide(desk.given("reject"))
        claim = deciding.undo(user=desk.user, slot_id=desk.held[0].slot_id)
        desk.decide(desk.given("accept"), claim=claim)
        first, second = Label.objects.order_by("pk")
        assert (first.undone_at is not None, second.undone_at, second.follows) == (True, None, first)
        assert Outcome.objects.get().verdict == "accept"

    def test_after_an_undo_the_case_that_was_on_screen_comes_next(self, desk):
        decided = desk.decide()
        claim = deciding.undo(user=desk.user, slot_id=desk.held[0].slot_id)
        assert claims.held(user=desk.user)[:2] == [claim, decided.next.current]

    def test_what_has_gone_out_cannot_be_undone(self):
        desk = Desk(undo_seconds=0)
        desk.decide()
        with pytest.raises(TooLate, match="time for taking it back is over"):
            deciding.undo(user=desk.user, slot_id=desk.held[0].slot_id)

    def test_nobody_undoes_a_colleagues_decision(self, desk):
        desk.decide()
        with pytest.raises(TooLate):
            deciding.undo(user=reviewer_of(desk.lane), slot_id=desk.held[0].slot_id)

    def test_only_the_last_ten(self):
        desk = Desk(cases=12)
        claim = desk.held[0]
        for _ in range(11):
            claim = desk.decide(claim=claim).next.current
        with pytest.raises(TooLate, match="last 10"):
            deciding.undo(user=desk.user, slot_id=desk.held[0].slot_id)


class TestAmendment:
    def test_it_follows_the_decision_and_the_producer_is_told_again(self):
        desk = Desk(undo_seconds=0)
        Case.objects.update(callback_url="https://app.example.org/verdicts")
        desk.decide(desk.given("accept"))
        deciding.amend(user=desk.user, slot_id=desk.held[0].slot_id, given=desk.given("reject", "tone"))
        first, second = Label.objects.order_by("pk")
        assert (second.is_amendment, second.follows, first.undone_at) == (True, first, None)
        assert (Outcome.objects.get().revision, Outcome.objects.get().verdict) == (2, "reject")
        revisions = [
            row["data"]["revision"] for row in Message.objects.order_by("pk").values_list("payload", flat=True)
        ]
        assert revisions == [1, 2]

    def test_it_may_be_amended_again(self):
        desk = Desk(undo_seconds=0)
        desk.decide()
        for verdict in ("reject", "accept"):
            deciding.amend(user=desk.user, slot_id=desk.held[0].slot_id, given=desk.given(verdict))
        assert Outcome.objects.get().revision == 3
