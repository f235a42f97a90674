import pytest
from django.urls import reverse
from django.utils import timezone

from hitl.models import AuditEvent
from queues import keeping, rollups
from queues.models import Breach, Lane, LaneRollup, Queue
from tests.factories.codebook import CodebookFactory, published
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import (
    CalendarFactory,
    CaseFactory,
    JudgeVerdictFactory,
    LaneFactory,
    QueueFactory,
    RoutingRuleFactory,
    SlotFactory,
    lead_of,
    reviewer_of,
)

pytestmark = pytest.mark.django_db

FIELDS = {
    "name": "Refunds", "slug": "refunds", "description": "Money back", "is_active": "on", "sla": "minutes",
    "sla_amount": "240", "lease_minutes": "10", "undo_seconds": "300", "second_percent": "12.5", "raters": "3",
    "judge_first": "grounded", "judge_sure_percent": "92.5", "judge_audit_percent": "2.5",
}  # fmt: skip


@pytest.fixture
def lane():
    return LaneFactory(queue=QueueFactory(slug="billing", name="Billing"), tenant=TenantFactory(name="Acme"))


@pytest.fixture
def lead(lane):
    return lead_of(lane, name="Lena Lead")


class TestTheList:
    def test_it_counts_what_the_rollups_say_of_my_tenants_alone(self, sign_in, lane, lead):
        SlotFactory.create_batch(3, lane=lane)
        SlotFactory.create_batch(4, lane=LaneFactory(queue=lane.queue))
        rollups.refresh_rollups(timezone.now())
        page = sign_in(lead).get(reverse("queues"))
        assert [row.counts.waiting for row in page.context["rows"]] == [3]

    def test_queues_of_others_are_not_there(self, sign_in, lead):
        QueueFactory(name="Zyxomma")
        assert "Zyxomma" not in sign_in(lead).get(reverse("queues")).content.decode()

    def test_nobody_but_a_lead_comes_in(self, sign_in, lane):
        for name in ("queues", "queue_new", "calendars", "rules", "unrouted"):
            assert sign_in(reviewer_of(lane)).get(reverse(name)).status_code == 404

    def test_ten_queues_take_as_many_statements_as_one(self, sign_in, lead, django_assert_max_num_queries):
        for _ in range(10):
            lane = LaneFactory()
            grant(grant(lead, "lead_queue", lane.queue), "work_in_tenant", lane.tenant)
        client = sign_in(lead)
        with django_assert_max_num_queries(10):
            client.get(reverse("queues"))

    def test_an_empty_list_says_what_to_do(self, sign_in):
        page = sign_in(grant(UserFactory(), "lead_tenant", TenantFactory())).get(reverse("queues")).content.decode()
        assert "You run no queue yet" in page
        assert reverse("queue_new") in page


class TestOneQueue:
    def test_it_shows_lanes_takers_rules_and_breaches(self, sign_in, lane, lead):
        RoutingRuleFactory(queue=lane.queue, name="Money back", domains=["refunds"]).tenants.add(lane.tenant)
        slot = SlotFactory(lane=lane)
        Breach.objects.create(slot=slot, due_at=timezone.now(), at=timezone.now())
        page = sign_in(lead).get(reverse("queue", args=["billing"])).content.decode()
        for words in ("Lena Lead", "Money back", "domain refunds", slot.case.external_id, "nothing can be decided"):
            assert words in page

    def test_it_hides_the_lanes_and_breaches_of_other_tenants(self, sign_in, lane, lead):
        other = SlotFactory(lane=LaneFactory(queue=lane.queue, tenant=TenantFactory(name="Zyxomma")))
        Breach.objects.create(slot=other, due_at=timezone.now(), at=timezone.now())
        page = sign_in(lead).get(reverse("queue", args=["billing"])).content.decode()
        assert "Zyxomma" not in page
        assert other.case.external_id not in page

    def test_it_says_how_many_cases_the_judge_kept_from_people_this_quarter(self, sign_in, lane, lead):
        Queue.objects.filter(pk=lane.queue_id).update(judge_first="grounded", judge_sure=0.925)
        for tenant in (lane.tenant, lane.tenant, TenantFactory()):
            case = CaseFactory(tenant=tenant, queue=lane.queue, state="machine")
            verdict = JudgeVerdictFactory(case=case)
            keeping.keep([keeping.Kept(case.pk, lane.queue_id, verdict.pk, "Sure.")], now=timezone.now())
        page = sign_in(lead).get(reverse("queue", args=["billing"])).content.decode()
        assert "grounded, where it is at least 92.5% sure" in page
        assert "2 cases came to nobody this quarter" in page

    def test_another_leads_queue_is_not_there(self, sign_in, lead):
        QueueFactory(slug="far")
        for name in ("queue", "queue_edit", "queue_codebook"):
            assert sign_in(lead).get(reverse(name, args=["far"])).status_code == 404
        assert sign_in(lead).post(reverse("queue_weights", args=["far"])).status_code == 404

    def test_weights_are_set_and_recorded(self, sign_in, lane, lead):
        url = reverse("queue_weights", args=["billing"])
        sign_in(lead).post(url, {f"weight-{lane.pk}": "30"})
        assert Lane.objects.get(pk=lane.pk).weight == 30
        assert AuditEvent.objects.filter(action="lane.weighed", queue_id=lane.queue_id).count() == 1
        for wrong in ("0", "101", "x", "-1", "99999999999"):
            sign_in(lead).post(url, {f"weight-{lane.pk}": wrong})
        assert Lane.objects.get(pk=lane.pk).weight == 30

    def test_the_weight_of_another_tenants_lane_is_not_mine_to_set(self, sign_in, lane, lead):
        other = LaneFactory(queue=lane.queue)
        sign_in(lead).post(reverse("queue_weights", args=["billing"]), {f"weight-{other.pk}": "30"})
        assert Lane.objects.get(pk=other.pk).weight == 10

    def test_looking_changes_nothing(self, sign_in, lane, lead):
        LaneRollup.objects.create(lane=lane, at=timezone.now())
        before = list(Queue.objects.values()), list(Lane.objects.values()), AuditEvent.objects.count()
        client = sign_in(lead)
        for url in (reverse("queues"), *(reverse(name, args=["billing"]) for name in ("queue", "queue_edit"))):
            assert client.get(url).status_code == 200
        assert (list(Queue.objects.values()), list(Lane.objects.values()), AuditEvent.objects.count()) == before


class TestOpeningAndChanging:
    def test_whoever_runs_a_tenant_opens_a_queue_and_runs_it(self, sign_in):
        user = grant(UserFactory(), "lead_tenant", TenantFactory())
        sign_in(user).post(reverse("queue_new"), FIELDS)
        queue = Queue.objects.get(slug="refunds")
        assert (queue.sla_amount, float(queue.second_share), queue.raters) == (240, 0.125, 3)
        assert (queue.judge_first, queue.judge_sure, float(queue.judge_audit_share)) == ("grounded", 0.925, 0.025)
        assert user.has_perm("queues.lead_queue", queue)
        assert AuditEvent.objects.filter(action="queue.created", queue_id=queue.pk).exists()

    def test_a_lead_of_queues_alone_opens_none(self, sign_in, lane):
        user = grant(grant(UserFactory(), "lead_queue", lane.queue), "work_in_tenant", lane.tenant)
        assert sign_in(user).post(reverse("queue_new"), FIELDS).status_code == 404

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"sla": "minutes", "sla_amount": "0"}, "sla_amount"),
            ({"sla": "business_days", "sla_amount": "1"}, "calendar"),
            ({"slug": "new"}, "slug"),
            ({"slug": "billing"}, "slug"),
            ({"notify_emails": "ops@example.org, nonsense"}, "notify_emails"),
            ({"hand_up_to": "Finance!"}, "hand_up_to"),
            ({"lease_minutes": "0"}, "lease_minutes"),
            ({"second_percent": "101"}, "second_percent"),
            ({"raters": "1"}, "raters"),
            ({"raters": "6"}, "raters"),
            ({"judge_sure_percent": "0"}, "judge_sure_percent"),
            ({"judge_sure_percent": "101"}, "judge_sure_percent"),
            ({"judge_audit_percent": "0"}, "judge_audit_percent"),
            ({"judge_first": "x" * 121}, "judge_first"),
        ],
    )
    def test_what_cannot_be_is_refused_at_its_field(self, sign_in, lead, change, field):
        answer = sign_in(lead).post(reverse("queue_new"), FIELDS | change)
        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == [field]

    def test_a_change_names_what_changed_on_the_record(self, sign_in, lane, lead):
        calendar = CalendarFactory()
        form = FIELDS | {
            "sla": "business_days",
            "sla_amount": "2",
            "calendar": calendar.pk,
            "notify_emails": "a@b.example",
        }
        del form["slug"]
        sign_in(lead).post(reverse("queue_edit", args=["billing"]), form)
        lane.queue.refresh_from_db()
        assert (lane.queue.slug, lane.queue.sla, lane.queue.calendar) == ("billing", "business_days", calendar)
        recorded = AuditEvent.objects.get(action="queue.changed").detail["fields"]
        assert {"name", "sla", "sla_amount", "calendar", "notify_emails"} <= set(recorded)
        assert "lease_minutes" not in recorded


class TestTheCodebookOfAQueue:
    def test_a_lead_chooses_among_those_they_may_read(self, sign_in, lane, lead):
        version = published()
        hidden = published(codebook=CodebookFactory(title="Zyxomma")).codebook
        grant(lead, "read_codebook", version.codebook)
        url = reverse("queue_codebook", args=["billing"])
        assert "Zyxomma" not in sign_in(lead).get(url).content.decode()
        assert sign_in(lead).post(url, {"codebook": hidden.pk}).status_code == 422
        sign_in(lead).post(url, {"codebook": version.codebook_id})
        lane.queue.refresh_from_db()
        assert lane.queue.codebook_use.codebook == version.codebook
        assert AuditEvent.objects.filter(action="queue.codebook_chosen").count() == 1
