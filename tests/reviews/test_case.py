import pytest
from django.urls import reverse

from hitl.models import AuditEvent
from queues.models import Case, Slot
from tests.factories.hitl import TenantFactory
from tests.factories.queues import (
    CaseFactory,
    LaneFactory,
    QueueFactory,
    SlotFactory,
    lead_of,
    reviewer_of,
)

pytestmark = pytest.mark.django_db

ROUTED = {
    "rule": {"id": 1, "name": "Refunds"}, "queue": {"id": 1, "name": "Billing"}, "authority": "finance.L1",
    "matched": ["domain refunds"], "passed_over": [["Zyxomma", "topic secret"]], "passed_over_in_all": 1,
}  # fmt: skip


@pytest.fixture
def slot():
    slot = SlotFactory(lane=LaneFactory(queue=QueueFactory(name="Billing")))
    slot.case.routing, slot.case.due_because = ROUTED, "the queue's 4 h"
    slot.case.draft = "<script>alert(1)</script> **Bold** ![x](https://evil.example/x.png)"
    slot.case.save()
    return slot


def url(case):
    return reverse("case", args=[case.pk])


def test_a_lead_sees_what_was_received_why_it_is_there_and_who_decides(sign_in, slot):
    page = sign_in(lead_of(slot.lane)).get(url(slot.case)).content.decode()
    for words in (slot.case.question, *(one["title"] for one in slot.case.evidence),
                  "The rule “Refunds” sent it to Billing", "finance.L1",
                  "1 more rule was tried before", "Decision"):  # fmt: skip
        assert words in page
    assert "Zyxomma" not in page


def test_nothing_that_a_model_wrote_runs_or_calls_out(sign_in, slot):
    page = sign_in(lead_of(slot.lane)).get(url(slot.case)).content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<strong>Bold</strong>" in page


def test_looking_is_on_record_and_changes_nothing_else(sign_in, slot):
    lead = lead_of(slot.lane)
    before = list(Case.objects.values()), list(Slot.objects.values())
    sign_in(lead).get(url(slot.case))
    seen = AuditEvent.objects.get(action="case.seen")
    assert (seen.actor_id, seen.subject, seen.detail) == (lead.pk, f"case:{slot.case.pk}", {"as": "lead"})
    assert list(Case.objects.values()) == before[0]
    assert list(Slot.objects.values()) == before[1]


def test_an_unrouted_case_is_the_tenants_leads(sign_in, slot):
    case = CaseFactory(tenant=slot.lane.tenant, queue=None)
    assert "Unrouted" in sign_in(lead_of(slot.lane)).get(url(case)).content.decode()
    assert sign_in(lead_of(LaneFactory(queue=slot.lane.queue))).get(url(case)).status_code == 404


def test_nobody_else_sees_it(sign_in, slot):
    other_tenant = LaneFactory(queue=slot.lane.queue, tenant=TenantFactory())
    for user in (reviewer_of(slot.lane), lead_of(LaneFactory()), lead_of(other_tenant)):
        assert sign_in(user).get(url(slot.case)).status_code == 404
    assert not AuditEvent.objects.filter(action="case.seen").exists()


def test_a_case_that_was_dropped_unseen_says_so_and_has_no_seat(sign_in, slot):
    lane = slot.lane
    dropped = CaseFactory(tenant=lane.tenant, queue=lane.queue, origin="sampling", state="dropped")
    page = sign_in(lead_of(lane)).get(url(dropped)).content.decode()
    assert "dropped unseen" in page
    assert "Waiting" not in page
