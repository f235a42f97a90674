"""The walk of a label: from the model's answer that nobody dared to send, to the verdict back at whoever asked.

Read it from top to bottom, with the file that each step names open beside it. Everything here is real: the database,
HTTP in, the pages a reviewer sees, and the web server that takes the verdict.
"""

import json
import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from codebook.models import Disagreement, FinalLabel, Label
from hitl.access import tokens
from hitl.audit import sealing
from hitl.models import AuditEvent, Message
from hitl.outbox import endpoints
from hitl.outbox.delivery import deliver_due
from queues.models import Case, Outcome, Queue, Receipt, Slot
from reviews.models import Review
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import QueueFactory, RoutingRuleFactory
from tests.factories.receiver import receiving

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

ESCALATED = {
    "case_id": "chat-4711",
    "user_question": "I was charged twice in October. Please write to rosa.diaz@example.com. Do I get it back?",
    "model_draft": "Your refund of 142.60 is already approved and arrives within three working days.",
    "evidence": [
        {
            "document_id": "ledger-7731",
            "title": "Ledger",
            "quote": "04 Oct: duplicate payment, flagged.",
            "score": 0.42,
        },
        {
            "document_id": "goodwill",
            "title": "Goodwill",
            "quote": "Agents may grant a credit of up to 25.",
            "score": 0.4,
        },
    ],
    "tool_results": [{"name": "ledger", "status": "ok", "output": {"charges": 2}}],
    "risk_level": "high",
    "reason_for_escalation": "Low groundedness and money is promised.",
    "domain": "billing",
    "language": "en",
    "groundedness": 0.2,
}
CORRECTED = "You were charged twice. Billing is checking the second payment; I cannot promise a refund before that."


def test_the_walk_of_a_label(settings):
    settings.OUTBOX_ALLOW_PRIVATE = True  # The producer of this walk listens on this machine.

    # ── What stands before the first case: a tenant, a queue with its rule and codebook, a reviewer. ──
    acme = TenantFactory(slug="acme")
    queue = QueueFactory(
        slug="billing", name="Billing", sla=Queue.Sla.MINUTES, sla_amount=240, undo_seconds=300, second_share=1
    )
    RoutingRuleFactory(queue=queue, name="Money", domains=["billing"])
    version = published(queue)
    reviewer = grant(grant(UserFactory(name="Nour Haddad"), "review_queue", queue), "work_in_tenant", acme)
    colleague = grant(grant(UserFactory(name="Ada Lind"), "review_queue", queue), "work_in_tenant", acme)
    owner = grant(grant(version.codebook.owner, "lead_queue", queue), "work_in_tenant", acme)

    # hitl/access/tokens.py and hitl/outbox/endpoints.py: what lets the producer in, and where it wants to be told.
    _, token = tokens.issue(tenant=acme, name="Chat in production", scopes=["ingest"])
    producer = Client(headers={"Authorization": f"Bearer {token}"})
    with receiving() as webhooks:
        _, secret = endpoints.create(tenant=acme, url=webhooks.url(), topics=[], by=None)

        # ── queues/intake/api.py, receive.py: the case comes in by HTTP; sent again, it is the same case. ──
        def send(row):
            return producer.post("/api/v1/cases", json.dumps(row), content_type="application/json").json()

        assert send(ESCALATED) == {"accepted": 1, "duplicates": 0, "rejected": []}
        assert send(ESCALATED) == {"accepted": 0, "duplicates": 1, "rejected": []}
        assert Receipt.objects.count() == 1
        case = Case.objects.get(tenant=acme, external_id="chat-4711")

        # ── queues/intake/cleaning.py with queues/scrub/: the address of a person is a pseudonym before it is stored.
        assert re.search(r"Please write to \[EMAIL_\w+\]\. Do I get it back\?", case.question)

        # ── queues/confidence.py, triggers.py by weighing.py: how sure one can be, and why a person should look. ──
        assert case.triggers == ["low_confidence", "high_stakes"]
        assert case.confidence is not None
        assert case.confidence < 0.5
        assert case.assessment["outcome"] == "human"
        assert case.assessment["reason"]

        # ── queues/routing.py: the most specific rule that fits says which queue, and the case keeps the reason. ──
        assert case.queue == queue
        assert case.routing["rule"]["name"] == "Money"

        # ── queues/sla.py: the deadline is the queue's, and says so. ──
        assert case.due_at == case.received_at + timedelta(minutes=240)
        assert case.due_because == "the queue's 4 h"

        # ── queues/placing.py, lanes.py: one decision is wanted: a slot, in the queue's lane of this tenant, language.
        slot = Slot.objects.select_related("lane").get(case=case)
        assert (slot.state, slot.purpose, slot.due_at) == ("open", "first", case.due_at)
        assert (slot.lane.queue, slot.lane.tenant, slot.lane.language) == (queue, acme, "en")

        # ── queues/claims.py, reviews/views/review.py: the reviewer opens the screen, and the case is theirs. ──
        browser = Client()
        browser.force_login(reviewer, backend="hitl.access.sessions.Backend")
        screen = browser.get("/review/").content.decode()
        assert "duplicate payment, flagged" in screen
        assert "rosa.diaz@example.com" not in screen
        slot.refresh_from_db()
        assert (slot.state, slot.holder) == ("held", reviewer)
        assert slot.lease_until > timezone.now()

        # ── reviews/forms.py, deciding.py: an edit, what was wrong with the draft, and what it was missing. ──
        wrong = version.categories.get(key="unsupported-claim")
        decision = {
            "token": re.search(r'name="token" value="(\d+)"', screen)[1],
            "version": re.search(r'name="version" value="(\d+)"', screen)[1],
            "verdict": "edit",
            "final_answer": CORRECTED,
            "category": [wrong.pk],
            "incorrect": ["goodwill"],
            "missing_document": "refund-policy-4.2",
            "missing_indexed": "yes",
            "better_query": "refund above 100 release condition",
        }
        browser.post(f"/slots/{slot.pk}/decide/", decision)

        # ── codebook/labels/labelling.py: the label, in a batch that says under which version it was given. ──
        label = Label.objects.get(slot=slot)
        assert (label.verdict, label.user) == ("edit", reviewer)
        assert [given.category for given in label.given.all()] == [wrong]
        assert (label.batch.version, label.batch.queue, label.batch.purpose) == (version, queue, "first")

        # ── reviews/models/review.py: the review, what else was left with the label. ──
        review = Review.objects.get(label=label)
        assert review.final_answer == CORRECTED
        assert set(review.findings.values_list("kind", "text", "document_id", "indexed")) == {
            ("incorrect_evidence", "", "goodwill", ""),
            ("missing_evidence", "", "refund-policy-4.2", "yes"),
            ("better_query", "refund above 100 release condition", "", ""),
        }

        # ── queues/cases.py: the outcome; until the undo window is over nobody outside hears of it. ──
        outcome = Outcome.objects.get(case=case)
        assert outcome.release_at == outcome.decided_at + timedelta(seconds=300)

        def ask():
            return producer.get("/api/v1/cases/chat-4711").json()

        deliver_due(outcome.release_at - timedelta(seconds=1))
        assert (webhooks.got, ask()["status"]) == ([], "waiting")

        # ── hitl/outbox/delivery.py, a chore of hitl/tick.py: the window is over; the verdict goes out, signed. ──
        Outcome.objects.update(release_at=timezone.now() - timedelta(seconds=1))
        deliver_due(outcome.release_at)
        (got,) = webhooks.got
        told = got.verified(secret)
        assert told["type"] == "case.decided"
        assert told["data"]["case_id"] == "chat-4711"
        assert (told["data"]["verdict"], told["data"]["final_answer"]) == ("edit", CORRECTED)
        assert Message.objects.get().state == "sent"

        # ── queues/intake/api.py again: who lost the webhook asks. ──
        answer = ask()
        assert (answer["status"], answer["verdict"], answer["final_answer"]) == ("decided", "edit", CORRECTED)
        assert answer["categories"] == ["unsupported-claim"]
        assert (answer["codebook"], answer["codebook_version"]) == (version.codebook.slug, version.number)

        # ── queues/seconds.py: the case is one of the chosen share; a colleague decides it too, and cannot tell. ──
        second = Slot.objects.get(case=case, seat=2)
        assert (second.purpose, second.barred) == ("second", [reviewer.pk])
        browser.force_login(colleague, backend="hitl.access.sessions.Backend")
        screen = browser.get("/review/").content.decode()
        assert CORRECTED not in screen
        token, shown = (re.search(rf'name="{name}" value="(\d+)"', screen)[1] for name in ("token", "version"))
        browser.post(f"/slots/{second.pk}/decide/", {"token": token, "version": shown, "verdict": "reject"})
        assert ask()["verdict"] == "edit"

    # ── codebook/adjudication/disagreement.py: they differ, in the verdict and in a category: a row for the owner. ──
    disagreement = Disagreement.objects.get(case=case)

    # ── reviews/views/disagreements.py, codebook/adjudication/adjudicating.py: one key gives the last word. ──
    browser.force_login(owner, backend="hitl.access.sessions.Backend")
    url = f"/codebooks/{version.codebook.slug}/disagreements/{disagreement.pk}/"
    page = browser.get(url).content.decode()
    assert "Nour Haddad" in page
    assert "Ada Lind" in page
    browser.post(url, {"side": label.pk, "version": version.pk, "note": "The refund was never approved."})
    final = FinalLabel.objects.get(case=case).label
    assert (final.verdict, final.user, final.batch.purpose) == ("edit", owner, "adjudication")
    assert Label.objects.filter(case=case, round=1, undone_at=None).count() == 2

    # ── reviews/figures/learned.py: both read how theirs ended, and neither what the other said. ──
    browser.force_login(colleague, backend="hitl.access.sessions.Backend")
    page = browser.get("/decisions/learned/").content.decode()
    assert "The refund was never approved." in page
    assert "Nour Haddad" not in page

    # ── hitl/audit/log.py, sealing.py, verification.py: all of it is on record, sealed, and one command proves it. ──
    record = list(AuditEvent.objects.order_by("id").values_list("action", "subject"))
    about = f"case:{case.pk}"
    received, seen, decided = (
        record.index(entry)
        for entry in [("cases.received", f"tenant:{acme.pk}"), ("case.seen", about), ("case.decided", about)]
    )
    assert received < seen < decided
    assert sealing.seal() == len(record)
    call_command("audit", "verify")
