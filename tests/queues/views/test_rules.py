from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from hitl.models import AuditEvent
from queues import rules
from queues.models import Case, RoutingRule
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import CaseFactory, LaneFactory, QueueFactory, RoutingRuleFactory, lead_of, reviewer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def lane():
    return LaneFactory(
        queue=QueueFactory(slug="billing", name="Billing"), tenant=TenantFactory(slug="acme", name="Acme")
    )


@pytest.fixture
def lead(lane):
    return lead_of(lane)


def rule_of(lane, **fields):
    rule = RoutingRuleFactory(queue=lane.queue, **fields)
    rule.tenants.add(lane.tenant)
    return rule


def form(lane, **fields):
    return {"name": "Refunds", "queue": lane.queue_id, "tenants": [lane.tenant_id], "position": "100",
            "is_active": "on", **fields}  # fmt: skip


def save(client, url, fields):
    """Looks first, as a person must, and saves what was looked at."""
    looked = client.post(url, fields)
    assert looked.status_code == 200, looked.context["form"].errors
    return client.post(url, fields | {"looked": looked.context["form"].mark})


class TestTheList:
    def test_it_is_in_the_order_that_rules_are_tried(self, sign_in, lane, lead):
        rule_of(lane, name="Second", domains=["a"], position=2)
        rule_of(lane, name="First", domains=["a"], min_risk=3, position=900)
        rule_of(lane, name="Third", domains=["b"], position=3)
        rule_of(lane, name="Paused", is_active=False)
        rows = sign_in(lead).get(reverse("rules")).context["rows"]
        assert [(row.rule.name, row.place, row.specificity) for row in rows] == [
            ("First", 1, 3), ("Second", 2, 2), ("Third", 3, 2), ("Paused", None, 1),
        ]  # fmt: skip

    def test_rules_and_tenants_of_others_are_counted_not_named(self, sign_in, lane, lead):
        RoutingRuleFactory(name="Zyxomma", domains=["a"], topics=["b"], min_risk=2)
        shared = rule_of(lane, name="Shared")
        shared.tenants.add(TenantFactory(name="Zyxomma Inc"))
        page = sign_in(lead).get(reverse("rules")).content.decode()
        assert "Zyxomma" not in page
        assert "1 rule of queues that you do not run" in page
        assert "tenant Acme or 1 more" in page

    def test_many_rules_take_as_many_statements_as_one(self, sign_in, lane, lead, django_assert_max_num_queries):
        for number in range(12):
            rule_of(lane, name=f"Rule {number}")
        client = sign_in(lead)
        with django_assert_max_num_queries(14):
            client.get(reverse("rules"))


class TestChangingOne:
    def test_first_it_shows_what_it_would_move_and_saves_nothing(self, sign_in, lane, lead):
        rule = rule_of(lane, domains=["refunds"])
        CaseFactory.create_batch(3, tenant=lane.tenant, queue=lane.queue, domain="refunds")
        CaseFactory(tenant=lane.tenant, queue=lane.queue, domain="invoices")
        answer = sign_in(lead).post(reverse("rule_edit", args=[rule.pk]), form(lane, domains="invoices"))
        trial = answer.context["trial"]
        assert sorted((one.count, one.from_queue, one.to_queue) for one in trial.moved) == [
            (1, "", "Billing"), (3, "Billing", ""),
        ]  # fmt: skip
        assert trial.tried == 4
        rule.refresh_from_db()
        assert rule.domains == ["refunds"]

    def test_what_is_saved_is_what_was_looked_at(self, sign_in, lane, lead):
        rule = rule_of(lane)
        url, client = reverse("rule_edit", args=[rule.pk]), sign_in(lead)
        mark = client.post(url, form(lane, domains="invoices")).context["form"].mark
        client.post(url, form(lane, domains="everything", looked=mark))
        rule.refresh_from_db()
        assert rule.domains == []
        client.post(url, form(lane, domains="invoices", looked=mark))
        rule.refresh_from_db()
        assert rule.domains == ["invoices"]

    def test_saving_moves_no_case_and_is_on_record(self, sign_in, lane, lead):
        rule = rule_of(lane, domains=["refunds"])
        case = CaseFactory(tenant=lane.tenant, queue=lane.queue, domain="refunds")
        save(
            sign_in(lead), reverse("rule_edit", args=[rule.pk]), form(lane, domains="invoices", authority="finance.L1")
        )
        assert Case.objects.get(pk=case.pk).queue == lane.queue
        recorded = AuditEvent.objects.get(action="rule.changed")
        assert (recorded.queue_id, set(recorded.detail["fields"])) == (lane.queue_id, {"name", "domains", "authority"})

    def test_pausing_shows_what_becomes_unrouted(self, sign_in, lane, lead):
        rule = rule_of(lane)
        CaseFactory(tenant=lane.tenant, queue=lane.queue)
        fields = form(lane)
        del fields["is_active"]
        url = reverse("rule_edit", args=[rule.pk])
        answer = sign_in(lead).post(url, fields)
        assert [(one.count, one.to_queue) for one in answer.context["trial"].moved] == [(1, "")]
        save(sign_in(lead), url, fields)
        assert not RoutingRule.objects.get(pk=rule.pk).is_active

    def test_the_trial_reads_only_the_leads_tenants_and_names_only_their_queues(self, sign_in, lane, lead):
        other = LaneFactory(queue=QueueFactory(name="Zyxomma"))
        RoutingRuleFactory(queue=other.queue)
        CaseFactory(tenant=lane.tenant, domain="refunds")
        CaseFactory(tenant=other.tenant, domain="refunds")
        answer = sign_in(lead).post(reverse("rule_new"), form(lane, domains="refunds"))
        assert [(one.count, one.from_queue, one.to_queue) for one in answer.context["trial"].moved] == [
            (1, "a queue that you do not run", "Billing")
        ]
        assert "Zyxomma" not in answer.content.decode()

    def test_a_trial_that_is_cut_short_says_so(self, lane, lead, monkeypatch):
        monkeypatch.setattr(rules, "MOST_TRIED", 2)
        CaseFactory.create_batch(3, tenant=lane.tenant)
        trial = rules.would_move(user=lead, rule_id=None, becomes=None)
        assert (trial.tried, trial.cut) == (2, True)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"tenants": []}, "tenants"),
            ({"languages": "klingonese"}, "languages"),
            ({"authority": "Me!"}, "authority"),
            ({"min_risk": "3", "max_risk": "1"}, "max_risk"),
            ({"domains": "x" * 81}, "domains"),
            ({"queue": "0"}, "queue"),
        ],
    )
    def test_what_cannot_be_is_refused_at_its_field(self, sign_in, lane, lead, change, field):
        TenantFactory()
        answer = sign_in(lead).post(reverse("rule_new"), form(lane, **change))
        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == [field]

    def test_a_rule_for_any_tenant_is_up_to_who_works_in_all(self, sign_in, lane, lead):
        everybody = RoutingRuleFactory(queue=lane.queue)
        url = reverse("rule_edit", args=[everybody.pk])
        assert sign_in(lead).get(url).status_code == 200
        TenantFactory()
        assert sign_in(lead).get(url).status_code == 404
        assert sign_in(UserFactory(is_superuser=True)).get(url).status_code == 200

    def test_a_rule_that_holds_for_a_strangers_tenant_too_is_not_mine_to_change(self, sign_in, lane, lead):
        rule = rule_of(lane)
        rule.tenants.add(TenantFactory())
        assert sign_in(lead).post(reverse("rule_edit", args=[rule.pk]), form(lane)).status_code == 404

    def test_a_strangers_rule_queue_and_tenant_are_not_there(self, sign_in, lane, lead):
        other = LaneFactory()
        url = reverse("rule_edit", args=[rule_of(other).pk])
        assert sign_in(lead).get(url).status_code == 404
        for change in ({"queue": other.queue_id}, {"tenants": [other.tenant_id]}):
            assert sign_in(lead).post(reverse("rule_new"), form(lane, **change)).status_code == 422
        assert sign_in(reviewer_of(lane)).get(reverse("rule_new")).status_code == 404


class TestWhereWouldItGo:
    def ask(self, client, **query):
        return client.get(reverse("where_to"), {"tenant": "acme", "risk": "2", **query})

    def test_it_says_where_why_under_whom_and_by_when(self, sign_in, lane, lead):
        lane.queue.sla, lane.queue.sla_amount = "minutes", 240
        lane.queue.save()
        rule_of(lane, name="Refunds", domains=["refunds"], authority="finance.L1")
        page = self.ask(sign_in(lead), domain="refunds").content.decode()
        for words in ("Billing", "“Refunds” sent it to Billing", "finance.L1", "the queue&#x27;s 4 h"):
            assert words in page
        assert "Nowhere" in self.ask(sign_in(lead), domain="invoices").content.decode()

    def test_it_answers_for_a_case_that_is_there(self, sign_in, lane, lead):
        rule_of(lane, name="Urgent", due_within_minutes=60)
        now = timezone.now()
        case = CaseFactory(
            tenant=lane.tenant, queue=lane.queue, received_at=now - timedelta(days=2),
            producer_deadline=now - timedelta(days=2) + timedelta(minutes=30),
        )  # fmt: skip
        assert "“Urgent” sent it" in self.ask(sign_in(lead), case=case.external_id).content.decode()
        foreign = CaseFactory(tenant=lane.tenant, queue=QueueFactory())
        answer = self.ask(sign_in(lead), case=foreign.external_id)
        assert answer.status_code == 422
        assert "has no case of this id" in answer.content.decode()

    def test_it_tells_no_rule_and_no_queue_of_others(self, sign_in, lane, lead):
        other = QueueFactory(name="Zyxomma queue", sla="minutes", sla_amount=77)
        RoutingRuleFactory(queue=other, name="Zyxomma", domains=["refunds"], topics=["x"])
        rule_of(lane, name="Refunds", domains=["refunds"])
        page = self.ask(sign_in(lead), domain="refunds").content.decode()
        assert "1 rule of queues that you do not run was tried first" in page
        assert "Zyxomma" not in page
        page = self.ask(sign_in(lead), domain="refunds", topic="x").content.decode()
        assert "A queue that you do not run" in page
        assert "Zyxomma" not in page
        assert "77 min" not in page

    def test_asking_stores_nothing_and_refuses_strangers_tenants(self, sign_in, lane, lead):
        before = AuditEvent.objects.count(), Case.objects.count()
        assert self.ask(sign_in(lead)).status_code == 200
        assert (AuditEvent.objects.count(), Case.objects.count()) == before
        assert self.ask(sign_in(lead), tenant=TenantFactory().slug).status_code == 422
        assert sign_in(grant(UserFactory(), "lead_tenant", lane.tenant)).get(reverse("where_to")).status_code == 404
