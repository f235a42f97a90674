import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from hitl.models import Endpoint, Message
from hitl.outbox import messages
from queues import cases
from queues.models import Outcome
from tests.factories.queues import CaseFactory

pytestmark = pytest.mark.django_db


def decide(case, **changes):
    given = {
        "case": case,
        "verdict": Outcome.Verdict.EDIT,
        "final_answer": "Your refund is checked first.",
        "categories": ["hallucination", "tone"],
        "codebook": "support",
        "codebook_version": 3,
        "now": timezone.now(),
        "undo_seconds": 300,
    }
    cases.record_outcome(**{**given, **changes})
    case.refresh_from_db()


@pytest.fixture
def case():
    case = CaseFactory(external_id="esc 1/ä")
    Endpoint.objects.create(tenant=case.tenant, url="https://example.com/hook")
    return case


def test_a_decided_case_has_an_outcome_and_news_of_it_after_the_undo_window(case, settings):
    settings.HITL_URL = "https://review.example"
    now = timezone.now()
    decide(case, now=now)

    assert case.state == "decided"
    outcome = case.outcome
    assert (outcome.verdict, outcome.revision, outcome.categories) == ("edit", 1, ["hallucination", "tone"])
    assert outcome.release_at == now + timedelta(minutes=5)
    (message,) = Message.objects.all()
    assert message.next_attempt_at == outcome.release_at
    assert (message.topic, message.key) == ("case.decided", f"case:{case.pk}")
    assert message.payload == {
        "type": "case.decided",
        "timestamp": now.isoformat(),
        "data": {
            "case_id": "esc 1/ä",
            "tenant": case.tenant.slug,
            "verdict": "edit",
            "final_answer": "Your refund is checked first.",
            "categories": ["hallucination", "tone"],
            "codebook": "support",
            "codebook_version": 3,
            "received_at": case.received_at.isoformat(),
            "decided_at": now.isoformat(),
            "decided_by": "person",
            "revision": 1,
            "url": "https://review.example/api/v1/cases/esc%201%2F%C3%A4",
            "truncated": False,
        },
    }


def test_the_address_that_came_with_the_case_is_told_too():
    case = CaseFactory(callback_url="https://app.example/back")
    decide(case)
    assert [m.url for m in Message.objects.all()] == ["https://app.example/back"]


def test_a_decision_pays_two_statements_for_all_this(case, django_assert_num_queries):
    case = type(case).objects.only("pk").get(pk=case.pk)
    with django_assert_num_queries(2):
        cases.record_outcome(
            case=case, verdict=Outcome.Verdict.ACCEPT, final_answer="Yes.", categories=[], codebook="support",
            codebook_version=1, now=timezone.now(), undo_seconds=0,
        )  # fmt: skip


def test_an_undone_decision_leaves_no_trace_outside(case):
    decide(case)
    cases.withdraw_outcome(case=case)
    case.refresh_from_db()
    assert case.state == "waiting"
    assert not Outcome.objects.exists()
    assert [m.state for m in Message.objects.all()] == ["cancelled"]

    decide(case, verdict=Outcome.Verdict.ACCEPT)
    assert case.outcome.revision == 1
    assert Message.objects.get(state="waiting").payload["data"]["verdict"] == "accept"


@pytest.mark.parametrize("seconds_left", [0, 1, -60])
def test_what_may_be_known_already_is_not_taken_back(case, seconds_left):
    decide(case, now=timezone.now() - timedelta(seconds=300 - seconds_left))
    with pytest.raises(cases.Released):
        cases.withdraw_outcome(case=case)
    case.refresh_from_db()
    assert case.state == "decided"
    assert [m.state for m in Message.objects.all()] == ["waiting"]


def test_an_amendment_after_the_release_is_told_at_once_and_after_the_first(case):
    first, later = timezone.now() - timedelta(hours=1), timezone.now()
    decide(case, now=first)
    Message.objects.update(state="failing", attempts=3)
    decide(case, now=later, verdict=Outcome.Verdict.REJECT, final_answer="", amend=True, undo_seconds=0)

    assert (case.outcome.revision, case.outcome.verdict, case.outcome.release_at) == (2, "reject", later)
    one, two = Message.objects.order_by("pk")
    assert (one.state, one.payload["data"]["revision"]) == ("failing", 1)
    assert (two.state, two.payload["data"]["revision"], two.next_attempt_at) == ("waiting", 2, later)
    with pytest.raises(cases.Released):
        cases.withdraw_outcome(case=case)


def test_an_amendment_before_the_release_replaces_what_was_never_told(case):
    now = timezone.now()
    decide(case, now=now)
    decide(case, now=now + timedelta(minutes=1), amend=True, undo_seconds=0)
    assert case.outcome.release_at == now + timedelta(minutes=5)
    assert [(m.state, m.payload["data"]["revision"]) for m in Message.objects.order_by("pk")] == [
        ("cancelled", 1),
        ("waiting", 2),
    ]


def test_a_case_is_not_decided_twice(case):
    decide(case)
    with pytest.raises(IntegrityError), transaction.atomic():
        decide(case)
    assert Message.objects.count() == 1


@pytest.mark.parametrize("text", ["a" * 100_000, "“東京”\n" * 9_000, "\x01\\" * 8_000, "🙂" * 20_000])
def test_a_long_answer_is_cut_in_the_webhook_and_whole_in_the_outcome(case, text):
    decide(case, final_answer=text)
    assert case.outcome.final_answer == text
    payload = Message.objects.get().payload
    assert payload["data"]["truncated"] is True
    assert text.startswith(payload["data"]["final_answer"])
    assert 19_900 < len(messages.body_of(payload)) < 20_000


def test_an_answer_that_fits_is_whole(case):
    decide(case, final_answer="a" * 19_000)
    payload = Message.objects.get().payload
    assert payload["data"]["truncated"] is False
    assert len(json.dumps(payload)) < 20_000


def test_nobody_is_told_what_became_of_a_case_out_of_the_traffic(case):
    sampled = CaseFactory(tenant=case.tenant, origin="sampling", callback_url="https://example.com/never")
    decide(sampled)
    decide(sampled, amend=True)
    assert (sampled.state, sampled.outcome.revision) == ("decided", 2)
    assert not Message.objects.exists()


def test_a_tool_hears_of_each_case_whose_trace_it_may_hold(case):
    """Also of those out of the traffic, which no webhook tells of."""
    tool = Endpoint.objects.create(tenant=case.tenant, url="https://langfuse.example", kind="langfuse")
    for origin, trace, told in [
        ("escalation", "", {"webhook"}),
        ("escalation", "t-1", {"webhook", "tool"}),
        ("sampling", "t-2", {"tool"}),
    ]:
        one = CaseFactory(tenant=case.tenant, origin=origin, trace_id=trace)
        decide(one)
        sent = Message.objects.filter(key=f"case:{one.pk}")
        assert {message.channel for message in sent} == told
        assert all(message.payload["data"].get("trace_id", "") == trace for message in sent)
    assert Message.objects.filter(endpoint=tool, channel="tool").count() == 2
