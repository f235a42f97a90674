from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from hitl.models import AuditEvent
from queues.models import Sampled
from tests.factories.hitl import TenantFactory
from tests.factories.queues import CaseFactory, JudgeVerdictFactory, LaneFactory, SlotFactory, lead_of
from tests.factories.traces import SignalFactory, TraceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lane():
    return LaneFactory(tenant=TenantFactory(slug="acme"))


@pytest.fixture
def trace(lane):
    return TraceFactory(
        tenant=lane.tenant, signals=1, weight=-1, conversation=[{"role": "user", "content": "Hello **there**"}],
        tools=[{"name": "ledger.lookup", "status": "ok", "output": "two debits"}], user_key="u-1",
        scores={"groundedness": 0.42, "items": 1}, metadata={"plan": "gold", "items": "x"}, latency_ms=1_234,
    )  # fmt: skip


def shown(client, trace):
    answer = client.get(reverse("trace", args=["acme", trace.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_shows_what_was_asked_answered_and_what_it_was_made_of(sign_in, lane, trace):
    page = shown(sign_in(lead_of(lane)), trace)
    for words in (trace.input, trace.output, "Hello <strong>there</strong>", "ledger.lookup", "two debits", "Refunds",
                  "groundedness", "0.42", "gold", "1,234 ms", "support-7", "2026.11.2", "u-1"):  # fmt: skip
        assert words in page


def test_signals_stand_in_their_order_with_weight_and_consent(sign_in, lane, trace):
    now = timezone.now()
    SignalFactory(trace=trace, type="implicit_copy", value=None, at=now, weight=0.7, may_evaluate=True)
    SignalFactory(trace=trace, type="user_rating", value=1, at=now - timedelta(minutes=1), weight=-0.6)
    SignalFactory(
        trace=trace, type="user_reason", reason="too_long", value=None, text="Far <b>too</b> long",
        at=now - timedelta(minutes=2), weight=-0.8, withdrawn_at=now,
    )  # fmt: skip
    page = shown(sign_in(lead_of(lane)), trace)
    assert page.index("Too long") < page.index("Rated 1 of 5") < page.index("Copied")
    for words in ("−0.80", "+0.70", "May be used for evaluation.", "The user allowed no use", "taken back by the user",
                  "Far &lt;b&gt;too&lt;/b&gt; long"):  # fmt: skip
        assert words in page


def test_an_edit_is_shown_as_what_it_changed(sign_in, lane, trace):
    SignalFactory(trace=trace, type="user_edit", value=0.2, text=trace.output.replace("three", "five"), weight=-1)
    page = shown(sign_in(lead_of(lane)), trace)
    assert "<del>" in page
    assert "<ins>" in page
    assert "Edited, 20% of it" in page


def test_judges_are_quoted_by_trace_and_by_case_but_not_to_whoever_may_yet_decide_it(sign_in, lane, trace):
    JudgeVerdictFactory(
        case=None, tenant=lane.tenant, trace_id=trace.external_id, judge="grounded", verdict="reject", score=0.1
    )
    page = shown(sign_in(lead_of(lane)), trace)
    assert "grounded" in page
    assert "Reject" in page
    case = CaseFactory(tenant=lane.tenant, queue=lane.queue, trace_id=trace.external_id)
    JudgeVerdictFactory(case=case, judge="polite")
    SlotFactory(lane=lane, case=case)
    assert "polite" not in shown(sign_in(lead_of(lane)), trace)
    assert "are to do it unprompted" in shown(sign_in(lead_of(lane)), trace)


def test_it_offers_to_send_it_or_says_what_case_it_is(sign_in, lane, trace):
    client = sign_in(lead_of(lane))
    assert "Send it to people" in shown(client, trace)
    case = CaseFactory(tenant=lane.tenant, queue=lane.queue, trace_id=trace.external_id)
    page = shown(client, trace)
    assert "Send it to people" not in page
    assert reverse("case", args=[case.pk]) in page
    assert "escalated" in page
    Sampled.objects.create(
        case=case, tenant=lane.tenant, trace_id=trace.pk, trace_at=trace.at, policy="random", policies={},
        probability=0.1, at=timezone.now(),
    )  # fmt: skip
    assert "The sampler picked it: random." in shown(client, trace)


def test_looking_is_on_record(sign_in, lane, trace):
    lead = lead_of(lane)
    shown(sign_in(lead), trace)
    seen = AuditEvent.objects.get(action="trace.seen")
    assert (seen.actor_id, seen.subject, seen.tenant_id) == (lead.pk, f"trace:{trace.pk}", lane.tenant.pk)


def test_nothing_in_it_runs_or_calls_out(sign_in, lane):
    hostile = "<script>alert(1)</script> ![x](https://evil.example/x.png)"
    trace = TraceFactory(
        tenant=lane.tenant, input=hostile, output=hostile, topic=hostile[:120], release=hostile[:120],
        conversation=[{"role": hostile, "content": hostile}], tools=[{"name": hostile, "output": hostile}],
        documents=[{"document_id": hostile, "title": hostile, "quote": hostile}], scores={hostile: 1},
        metadata={hostile: hostile},
    )  # fmt: skip
    SignalFactory(trace=trace, type="user_edit", text=hostile, value=1)
    page = shown(sign_in(lead_of(lane)), trace)
    assert "<script>alert" not in page
    assert "<img" not in page


def test_many_signals_take_no_more_statements(sign_in, lane, trace, django_assert_max_num_queries):
    SignalFactory.create_batch(30, trace=trace)
    client = sign_in(lead_of(lane))
    with django_assert_max_num_queries(15):
        shown(client, trace)
