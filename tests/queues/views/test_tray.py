import pytest
from django.urls import reverse

from hitl.models import AuditEvent
from queues.models import Case, Slot
from queues.routing import sentences
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import CaseFactory, LaneFactory, QueueFactory, RoutingRuleFactory, lead_of, reviewer_of

pytestmark = pytest.mark.django_db

NOWHERE = {
    "rule": None, "queue": None, "authority": "", "matched": [],
    "passed_over": [["Refunds", "domain refunds"], ["Zyxomma", "domain secret"]], "passed_over_in_all": 2,
}  # fmt: skip


@pytest.fixture
def lane():
    return LaneFactory(queue=QueueFactory(slug="billing", name="Billing"))


@pytest.fixture
def lead(lane):
    RoutingRuleFactory(queue=lane.queue, name="Refunds", domains=["refunds"])
    return lead_of(lane)


@pytest.fixture
def lost(lane):
    return CaseFactory.create_batch(3, tenant=lane.tenant, queue=None, routing=NOWHERE, domain="legal")


def test_it_shows_the_cases_and_why_no_rule_took_them(sign_in, lane, lead, lost):
    foreign = CaseFactory(tenant=TenantFactory(), queue=None)
    page = sign_in(lead).get(reverse("unrouted")).content.decode()
    for words in (lost[0].external_id, "takes only domain refunds", "3 cases that no rule took"):
        assert words in page
    assert foreign.external_id not in page
    assert "Zyxomma" not in page


def test_a_full_page_takes_few_statements(sign_in, lead, lane, lost, django_assert_max_num_queries):
    CaseFactory.create_batch(20, tenant=lane.tenant, queue=None)
    client = sign_in(lead)
    with django_assert_max_num_queries(11):
        client.get(reverse("unrouted"))


def test_an_empty_tray_says_so(sign_in, lead):
    assert "every case found a queue" in sign_in(lead).get(reverse("unrouted")).content.decode()


def test_the_ticked_ones_are_routed_again_by_the_rules_as_they_are_now(sign_in, lane, lead, lost):
    RoutingRuleFactory(queue=lane.queue, name="Legal", domains=["legal"])
    sign_in(lead).post(reverse("unrouted_again"), {"case": [lost[0].pk, "x", "9" * 30]})
    assert list(Case.objects.filter(queue=lane.queue)) == [lost[0]]
    sign_in(lead).post(reverse("unrouted_again"), {"all": "1"})
    assert Case.objects.filter(queue=lane.queue).count() == 3
    assert Slot.objects.filter(case__in=lost, state="open").count() == 3
    assert AuditEvent.objects.filter(action="cases.routed", actor_id=lead.pk).count() == 2


def test_nothing_ticked_changes_nothing(sign_in, lead, lost):
    answer = sign_in(lead).post(reverse("unrouted_again"), follow=True)
    assert "Tick at least one case" in answer.content.decode()


def test_cases_are_sent_by_hand_on_record(sign_in, lane, lead, lost):
    lane.queue.sla, lane.queue.sla_amount = "minutes", 60
    lane.queue.save()
    form = {"case": [one.pk for one in lost[:2]], "queue": lane.queue_id, "authority": "finance.L1"}
    sign_in(lead).post(reverse("unrouted_send"), form)
    sent = Case.objects.get(pk=lost[0].pk)
    assert (sent.queue, sent.authority, sent.due_because) == (lane.queue, "finance.L1", "the queue's 1 h")
    assert sentences(sent.routing)[0] == "No rule takes this case; a lead sent it to Billing by hand."
    slot = Slot.objects.get(case=sent)
    assert (slot.lane.queue, slot.lane.authority, slot.due_at) == (lane.queue, "finance.L1", sent.due_at)
    assert Case.objects.get(pk=lost[2].pk).queue is None
    recorded = AuditEvent.objects.get(action="cases.sent_by_hand")
    assert (recorded.actor_id, recorded.detail["cases"]) == (lead.pk, [one.pk for one in lost[:2]])


def test_a_case_that_found_a_queue_meanwhile_stays_there(sign_in, lane, lead, lost):
    elsewhere = QueueFactory()
    Case.objects.filter(pk=lost[0].pk).update(queue=elsewhere)
    form = {"case": [lost[0].pk], "queue": lane.queue_id}
    sign_in(lead).post(reverse("unrouted_send"), form)
    assert Case.objects.get(pk=lost[0].pk).queue == elsewhere


def test_neither_to_a_strangers_queue_nor_a_strangers_case(sign_in, lane, lead, lost):
    foreign = CaseFactory(tenant=TenantFactory(), queue=None)
    answer = sign_in(lead).post(reverse("unrouted_send"), {"case": [lost[0].pk], "queue": QueueFactory().pk})
    assert answer.status_code == 422
    sign_in(lead).post(reverse("unrouted_send"), {"case": [foreign.pk], "queue": lane.queue_id})
    sign_in(lead).post(reverse("unrouted_again"), {"case": [foreign.pk]})
    assert Case.objects.filter(queue=None).count() == 4


def test_who_runs_no_tenant_does_not_come_in(sign_in, lane, lost):
    runs_queue = grant(grant(UserFactory(), "lead_queue", lane.queue), "work_in_tenant", lane.tenant)
    for user in (reviewer_of(lane), runs_queue):
        assert sign_in(user).get(reverse("unrouted")).status_code == 404
        assert sign_in(user).post(reverse("unrouted_again"), {"all": "1"}).status_code == 404
        assert sign_in(user).post(reverse("unrouted_send"), {"case": [lost[0].pk]}).status_code == 404
