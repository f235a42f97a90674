import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from codebook.models import Label
from hitl.models import AuditEvent
from queues import claims
from queues.models import Case, Slot
from reviews.models import SavedDraft
from tests.factories.codebook import published
from tests.factories.hitl import UserFactory, grant
from tests.factories.queues import LaneFactory, SlotFactory, reviewer_of

pytestmark = pytest.mark.django_db


class Desk:
    def __init__(self, sign_in, cases=3):
        self.lane = LaneFactory()
        self.version = published(self.lane.queue)
        self.slots = SlotFactory.create_batch(cases, lane=self.lane)
        self.user = reviewer_of(self.lane)
        self.client = sign_in(self.user)

    def open(self):
        return self.client.get(reverse("review"))

    def post(self, name="decide", slot=None, script=True, **form):
        slot = slot or self.current
        slot.refresh_from_db()
        form = {"token": slot.lease_token, "version": self.version.pk, "verdict": "accept", **form}
        headers = {"X-Review": "1"} if script else {}
        return self.client.post(reverse(f"slot_{name}", args=[slot.pk]), form, headers=headers)

    @property
    def current(self):
        return Slot.objects.get(pk=claims.held(user=self.user)[0].slot_id)

    @property
    def on_deck(self):
        return Slot.objects.get(pk=claims.held(user=self.user)[1].slot_id)


@pytest.fixture
def desk(sign_in):
    return Desk(sign_in)


class TestThePage:
    def test_it_holds_the_case_with_its_evidence_and_the_one_on_deck(self, desk):
        html = desk.open().content.decode()
        case = desk.current.case
        before, _, deck = html.partition('<template id="on-deck">')
        assert case.external_id in before
        assert "duplicate payment, flagged" in before
        assert desk.on_deck.case.external_id in deck

    def test_seeing_a_case_is_on_record_and_claiming_it_ahead_is_not(self, desk):
        desk.open()
        seen = AuditEvent.objects.filter(action="case.seen").values_list("subject", flat=True)
        assert list(seen) == [f"case:{desk.current.case_id}"]
        assert desk.on_deck.seen_at is None

    def test_with_nothing_to_do_it_says_so(self, sign_in):
        assert "Nothing waits for you" in sign_in(UserFactory()).get(reverse("review")).content.decode()

    def test_a_queue_that_was_not_granted_does_not_exist(self, desk):
        assert desk.client.get(reverse("review_queue", args=[LaneFactory().queue.slug])).status_code == 404

    @pytest.mark.parametrize("shows", [False, True])
    def test_what_a_judge_said_is_shown_only_where_the_queue_says_so(self, desk, shows):
        fired = [{"key": "quality_failure", "because": "grounded scored it 0.21, below 0.50"}]
        judges = [{"name": "grounded", "verdict": "not grounded", "score": 0.21}]
        assessment = {"triggers": fired, "reason": "grounded scored it 0.21", "sent": {"judges": judges}}
        Case.objects.update(assessment=assessment, reason="")
        desk.lane.queue.shows_judge = shows
        desk.lane.queue.save()
        assert ("0.21" in desk.open().content.decode()) == shows

    def test_hostile_text_stays_text(self, desk):
        Case.objects.update(
            draft='<script>alert(1)</script><img src="https://evil.example/p.png">', question="<svg onload=alert(1)>"
        )
        html = desk.open().content.decode()
        assert "<script>alert" not in html
        assert "<svg onload" not in html
        assert not re.search(r"<img[^>]+evil", html)

    def test_a_queue_without_a_codebook_says_what_to_do(self, sign_in):
        lane = LaneFactory()
        SlotFactory(lane=lane)
        page = sign_in(reviewer_of(lane)).get(reverse("review"))
        assert page.status_code == 409
        assert "codebook" in page.content.decode()


class TestDeciding:
    def test_one_request_decides_and_brings_the_case_on_deck(self, desk):
        desk.open()
        first, second = desk.current, desk.on_deck
        answer = desk.post(next_slot=second.pk, next_token=second.lease_token)
        html = answer.content.decode()
        assert Label.objects.get().slot == first
        assert 'id="replace"' not in html
        assert desk.on_deck.case.external_id in html
        assert desk.current == second

    def test_as_a_plain_form_it_goes_back_to_the_next_case(self, desk):
        desk.open()
        answer = desk.post(script=False)
        assert answer.status_code == 302
        assert answer.url == reverse("review")

    def test_seeing_the_next_case_is_on_record_with_the_decision(self, desk):
        desk.open()
        second = desk.on_deck
        desk.post(next_slot=second.pk, next_token=second.lease_token)
        actions = AuditEvent.objects.order_by("id").values_list("action", "subject")
        assert list(actions)[-2:] == [
            ("case.decided", f"case:{Label.objects.get().slot.case_id}"),
            ("case.seen", f"case:{second.case_id}"),
        ]

    def test_a_refused_edit_brings_the_case_back_with_the_text_and_the_reason(self, desk):
        desk.open()
        first, second = desk.current, desk.on_deck
        answer = desk.post(
            verdict="edit", final_answer="   ", note="Look at this", next_slot=second.pk, next_token=second.lease_token
        )
        html = answer.content.decode()
        assert "The edited answer is empty" in html
        replace = html.partition('<template id="replace">')[2]
        assert first.case.external_id in replace
        assert "Look at this" in replace
        assert not Label.objects.exists()

    def test_a_case_that_a_colleague_took_is_refused_and_the_text_is_kept(self, desk):
        desk.open()
        slot, token = desk.current, desk.current.lease_token
        Slot.objects.filter(pk=slot.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        claims.take(user=reviewer_of(desk.lane))
        answer = desk.post(slot=slot, token=token, verdict="edit", final_answer="My careful words.")
        assert "no longer yours" in answer.content.decode()
        assert SavedDraft.objects.get(user=desk.user).content["final_answer"] == "My careful words."
        assert "My careful words." in desk.client.get(reverse("decisions")).content.decode()

    def test_a_stranger_cannot_even_tell_that_the_case_exists(self, desk, sign_in):
        desk.open()
        form = {"token": 1, "version": desk.version.pk, "verdict": "accept"}
        url = reverse("slot_decide", args=[desk.current.pk])
        assert sign_in().post(url, form).status_code == 404

    def test_decide_and_next_takes_few_queries(self, desk, django_assert_max_num_queries):
        SlotFactory.create_batch(4, lane=desk.lane)
        desk.open()
        second = desk.on_deck
        with django_assert_max_num_queries(28):
            desk.post(next_slot=second.pk, next_token=second.lease_token)


class TestOnTheWay:
    def test_autosave_is_there_again_after_a_crash(self, desk):
        desk.open()
        assert desk.post("draft", final_answer="Half a sent", editing="1").status_code == 204
        assert "Half a sent" in desk.open().content.decode()

    def test_autosave_keeps_no_personal_data(self, desk):
        desk.open()
        desk.post("draft", final_answer="Call +49 30 901820 or write to anna.maier@example.com")
        assert "anna.maier" not in str(SavedDraft.objects.get().content)

    def test_a_heartbeat_keeps_the_case_on_deck_too_without_calling_it_seen(self, desk):
        desk.open()
        deck = desk.on_deck
        Slot.objects.filter(pk=deck.pk).update(lease_until=timezone.now() + timedelta(seconds=5))
        desk.post("heartbeat", next_slot=deck.pk, next_token=deck.lease_token)
        deck.refresh_from_db()
        assert deck.lease_until > timezone.now() + timedelta(minutes=5)
        assert deck.seen_at is None

    def test_a_heartbeat_says_when_the_case_is_gone(self, desk):
        desk.open()
        assert desk.post("heartbeat").status_code == 204
        assert desk.post("heartbeat", token=0).status_code == 409

    def test_the_difference_is_shown_while_editing(self, desk):
        desk.open()
        html = desk.post("diff", final_answer="You were charged once.").content.decode()
        assert "<del>" in html
        assert "<ins>" in html

    def test_a_deferred_case_needs_a_reason(self, desk):
        desk.open()
        slot = desk.current
        desk.post("defer", slot=slot, when="hour", reason="")
        assert Slot.objects.get(pk=slot.pk).state == "held"
        desk.post("defer", slot=slot, when="hour", reason="Waiting for the ledger")
        assert Slot.objects.get(pk=slot.pk).state == "deferred"

    def test_leaving_puts_all_back(self, desk):
        desk.open()
        desk.client.post(reverse("slots_release"))
        assert not Slot.objects.filter(state="held").exists()


class TestACodebookThatIsTakenAway:
    def test_the_decision_before_it_stands_and_nothing_breaks(self, desk):
        desk.open()
        second = desk.on_deck
        other = LaneFactory()
        SlotFactory(lane=other)
        for permission, thing in (("review_queue", other.queue), ("work_in_tenant", other.tenant)):
            grant(desk.user, permission, thing)
        Slot.objects.filter(lane=desk.lane, state="open").update(state="deferred", deferred_until=timezone.now())
        assert desk.post(next_slot=second.pk, next_token=second.lease_token).status_code == 200
        assert Label.objects.count() == 1


class TestUndo:
    def test_the_case_is_on_the_screen_again_and_the_one_that_was_there_is_on_deck(self, desk):
        desk.open()
        first, second = desk.current, desk.on_deck
        desk.post(next_slot=second.pk, next_token=second.lease_token)
        html = desk.post("undo", slot=first).content.decode()
        replace, _, deck = html.partition('<template id="on-deck">')
        assert first.case.external_id in replace
        assert second.case.external_id in deck
