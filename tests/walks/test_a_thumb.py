"""The walk of a thumb: from a user who did not like an answer, to a figure about all the answers there were.

Read it from top to bottom, with the file that each step names open beside it. Everything here is real: the database,
HTTP in, and the pages that a reviewer and a lead see.
"""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from codebook.models import FinalLabel
from hitl.access import tokens
from hitl.models import AuditEvent, Message
from queues.models import Case, Sampled, Signal, Slot, Trace
from queues.sampling import plans, running
from reviews.models import TrafficReport
from reviews.traffic import measuring, reports
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import QueueFactory, RoutingRuleFactory

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

ANSWERS = 30
THUMB = {
    "type": "user_rating",
    "signal_id": "thumb-1",
    "trace_id": "chat-7",
    "thumbs": "down",
    "consent": {"evaluation": True},
}


def answer(number, now):
    return {
        "trace_id": f"chat-{number}",
        "at": (now - timedelta(hours=1, minutes=number)).isoformat(),
        "input": f"I am rosa.diaz@example.com and was charged twice, invoice {number}. Do I get it back?",
        "output": "Your refund is approved." if number == 7 else "Billing is checking the second payment.",
        "documents": [{"document_id": "refunds-4.2", "quote": "Refunds need a confirmed error.", "score": 0.7}],
        "topic": "refund" if number % 2 else "invoice",
        "domain": "billing",
        "language": "en",
        "release": "2026.11",
    }


def test_the_walk_of_a_thumb():
    now = timezone.now()

    # ── What stands before: a tenant, a queue with its rule and codebook, a reviewer, and a lead. ──
    acme = TenantFactory(slug="acme")
    queue = QueueFactory(slug="billing", name="Billing")
    RoutingRuleFactory(queue=queue, name="Money", domains=["billing"])
    version = published(queue)
    reviewer = grant(grant(UserFactory(name="Nour Haddad"), "review_queue", queue), "work_in_tenant", acme)
    lead = grant(UserFactory(name="Ada Lind"), "lead_tenant", acme)
    _, token = tokens.issue(tenant=acme, name="Chat in production", scopes=["ingest"])
    producer = Client(headers={"Authorization": f"Bearer {token}"})

    def send(path, *rows):
        lines = "\n".join(json.dumps(row) for row in rows)
        answered = producer.post(f"/api/v1/{path}", lines, content_type="application/x-ndjson").json()
        assert answered["rejected"] == []
        return answered

    # ── queues/intake/signals.py: the thumb comes before its trace, and waits for it; sent again, it is the same. ──
    assert send("signals", THUMB)["accepted"] == 1
    assert send("signals", THUMB)["duplicates"] == 1
    thumb = Signal.objects.get()
    assert (thumb.trace_id, thumb.may_evaluate, thumb.may_train) == (None, True, False)

    # ── queues/intake/traces.py, trace_storing.py: the traffic, scrubbed; what waited for it is given to it. ──
    assert send("traces", *(answer(number, now) for number in range(ANSWERS)))["accepted"] == ANSWERS
    disliked = Trace.objects.get(external_id="chat-7")
    assert re.match(r"I am \[EMAIL_\w+\] and was charged", disliked.input)
    thumb.refresh_from_db()
    assert thumb.trace_id == disliked.id

    # ── queues/traces/weights.py, aggregates.py: a prior with a sign, by which the traffic is ranked. Never a label. ──
    assert disliked.is_negative
    assert disliked.weight < 0
    desk = Client()
    desk.force_login(lead, backend="hitl.access.sessions.Backend")
    ranked = desk.get("/tenants/acme/traces/").content.decode()
    assert "invoice 7" in ranked
    assert "invoice 8" not in ranked

    # ── queues/sampling/plans.py, drawing.py, running.py: what people look at, and the chance that each of it had. ──
    plan = plans.save(tenant=acme, change={"budget": 10}, because="An hour a day.", by=lead, after=0, now=now)
    later = now + timedelta(minutes=1)
    run = running.keep(sample=running.sample(plan=plan, until=later, now=later), day=None, by=lead, now=later)
    assert (run.population, run.picked) == (ANSWERS, 10)
    picked = Sampled.objects.get(trace_id=disliked.id)
    assert (picked.policy, picked.policies["negative"], picked.probability) == ("negative", 1.0, 1.0)
    by_chance = Sampled.objects.filter(policy="random").first()
    assert 0 < by_chance.probability < 1
    assert Slot.objects.get(case=by_chance.case).lane.stream == "random"

    # ── queues/sampling/opening.py: a case like any other, with the trace copied in, and nobody who waits for it. ──
    case = Case.objects.get(pk=picked.case_id)
    assert (case.origin, case.queue, case.draft) == ("sampling", queue, "Your refund is approved.")
    assert case.due_at is None

    # ── reviews/deciding.py: a person decides what the thumb only hinted at. ──
    browser = Client()
    browser.force_login(reviewer, backend="hitl.access.sessions.Backend")
    wrong = version.categories.get(key="unsupported-claim")
    while found := re.search(r'data-slot="(\d+)" data-token="(\d+)"', browser.get("/review/").content.decode()):
        slot = Slot.objects.select_related("case").get(pk=found[1])
        fails = slot.case == case
        decision = {
            "token": found[2],
            "version": version.pk,
            "verdict": "reject" if fails else "accept",
            "category": [wrong.pk] if fails else [],
        }
        browser.post(f"/slots/{slot.pk}/decide/", decision)
    assert FinalLabel.objects.count() == 10
    assert not Message.objects.exists()

    # ── reviews/traffic/measuring.py, rates.py: each label counts for the answers that it stands for. ──
    found = measuring.measure(acme, now=later)
    reports.keep(tenant=acme, found=found, now=later)
    whole = TrafficReport.objects.get(period="30d").result
    assert whole["drawn"] == 10
    page = desk.get("/tenants/acme/estimates/").content.decode()
    assert "of 30 answers" in page
    # One of ten labels found a failure, and it stands for itself alone: one answer of thirty, not three.
    assert "3.3%" in page

    # ── reviews/traffic/tuning.py: what each sampling policy's labels found. ──
    assert "Negative feedback" in desk.get("/tenants/acme/sampling/yield/").content.decode()

    # ── hitl/audit/: who took it in, who drew it, who saw it, who decided. ──
    record = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"traces.received", "signals.received", "sampling.drawn", "case.seen", "case.decided"} <= record
