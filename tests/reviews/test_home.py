from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from codebook.models import Label
from hitl.access import tokens
from hitl.models import AuditEvent
from queues import claims, rollups
from queues.models import Slot
from reviews import deciding
from reviews.figures import home
from reviews.given import Given
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import (
    CaseFactory,
    LaneFactory,
    QueueFactory,
    RoutingRuleFactory,
    SlotFactory,
    lead_of,
    reviewer_of,
)

pytestmark = pytest.mark.django_db

HOME = "/"


@pytest.fixture
def lane():
    return LaneFactory(queue=QueueFactory(slug="billing", name="Billing"), tenant=TenantFactory(name="Acme"))


def count():
    rollups.refresh_rollups(timezone.now())


class TestAReviewer:
    def test_sees_what_waits_for_them_and_what_burns_first(self, sign_in, lane):
        other = LaneFactory(queue=QueueFactory(name="Claims"))
        user = reviewer_of(lane, other)
        now = timezone.now()
        SlotFactory.create_batch(3, lane=lane, due_at=now + timedelta(hours=9))
        SlotFactory(lane=other, due_at=now - timedelta(minutes=5))
        SlotFactory(lane=other, due_at=now + timedelta(minutes=30))
        count()
        page = sign_in(user).get(HOME)
        rows = [
            (row.queue.name, row.counts.waiting, row.counts.overdue, row.counts.due_soon)
            for row in page.context["mine"]
        ]
        assert rows == [("Claims", 2, 1, 1), ("Billing", 3, 0, 0)]
        text = page.content.decode()
        for words in ("5 cases wait for you", "Start reviewing", "You have decided none today", "min left"):
            assert words in text

    def test_lanes_that_they_cannot_take_from_do_not_count(self, sign_in, lane):
        user = reviewer_of(lane)
        for kept in (
            LaneFactory(queue=lane.queue, tenant=lane.tenant, language="de"),
            LaneFactory(queue=lane.queue, tenant=lane.tenant, authority="finance.L1"),
            LaneFactory(queue=lane.queue),
        ):
            SlotFactory(lane=kept)
        count()
        assert [row.counts.waiting for row in sign_in(user).get(HOME).context["mine"]] == [0]

    def test_sees_what_they_did_today_by_verdict(self, sign_in, lane):
        user, version = reviewer_of(lane), published(lane.queue)
        SlotFactory.create_batch(3, lane=lane)
        for verdict, answer in (("accept", ""), ("reject", ""), ("edit", "Better.")):
            claim = claims.hold(user=user)[0]
            given = Given(verdict=Label.Verdict(verdict), version_id=version.pk, final_answer=answer)
            deciding.decide(user=user, slot_id=claim.slot_id, token=claim.token, given=given, painted=None)
        Slot.objects.filter(labels__verdict="reject").update(decided_at=timezone.now() - timedelta(days=2))
        assert home.today(user, timezone.now()) == home.Today(accept=1, edit=1)
        assert "Today you decided 2: 1 accepted, 1 edited, 0 rejected." in sign_in(user).get(HOME).content.decode()

    def test_who_has_a_case_open_goes_on_with_it(self, sign_in, lane):
        user = reviewer_of(lane)
        published(lane.queue)
        SlotFactory(lane=lane)
        client = sign_in(user)
        client.get(reverse("review"))
        assert "Go on with your case" in client.get(HOME).content.decode()

    def test_who_is_in_no_queue_is_told_why_it_is_empty(self, sign_in):
        assert "You are in no queue yet" in sign_in(UserFactory()).get(HOME).content.decode()

    def test_sees_nothing_of_a_lead(self, sign_in, lane):
        SlotFactory(lane=lane)
        CaseFactory(tenant=lane.tenant, queue=None)
        count()
        page = sign_in(reviewer_of(lane)).get(HOME).content.decode()
        for words in ("Queues you run", "At work now", "Needs your attention"):
            assert words not in page


class TestALead:
    def test_sees_their_queues_alarms_and_who_is_at_work(self, sign_in, lane):
        RoutingRuleFactory(queue=lane.queue)
        SlotFactory(lane=lane)
        SlotFactory(lane=LaneFactory(queue=lane.queue, tenant=lane.tenant, language="fi"))
        CaseFactory(tenant=lane.tenant, queue=None)
        rita = reviewer_of(lane, name="Rita Reviewer")
        claim = claims.hold(user=rita)[0]
        claims.confirm(user=rita, slot_id=claim.slot_id, token=claim.token)
        count()
        page = sign_in(lead_of(lane)).get(HOME).content.decode()
        for words in ("Queues you run", "Rita Reviewer", "fits no queue", "can be taken by nobody", "reads fi"):
            assert words in page

    def test_sees_nobody_at_work_for_other_tenants(self, sign_in, lane):
        other = LaneFactory(queue=lane.queue)
        SlotFactory(lane=other)
        stranger = reviewer_of(other, name="Zyxomma")
        claim = claims.hold(user=stranger)[0]
        claims.confirm(user=stranger, slot_id=claim.slot_id, token=claim.token)
        assert "Zyxomma" not in sign_in(lead_of(lane)).get(HOME).content.decode()


class TestAnAdministrator:
    def test_of_an_empty_installation_is_told_what_to_do_in_order(self, sign_in):
        page = sign_in(UserFactory(is_superuser=True)).get(HOME)
        assert [step.done for step in page.context["steps"]] == [False] * 6
        for name in ("tenant_new", "queue_new", "people"):
            assert reverse(name) in page.content.decode()

    def test_sees_each_step_done_and_then_none(self, sign_in, lane):
        client = sign_in(UserFactory(is_superuser=True))
        tokens.issue(tenant=lane.tenant, name="App", scopes=["ingest"])
        RoutingRuleFactory(queue=lane.queue)
        reviewer_of(lane)
        assert [step.words for step in client.get(HOME).context["steps"] if not step.done] == [
            "Choose the codebook of each queue"
        ]
        published(lane.queue)
        assert client.get(HOME).context["steps"] == ()


def test_home_takes_few_statements_however_much_waits(sign_in, lane, django_assert_num_queries):
    user = lead_of(lane)
    for _ in range(8):
        more = LaneFactory()
        grant(user, "review_queue", more.queue)
        grant(user, "lead_queue", more.queue)
        grant(user, "lead_tenant", more.tenant)
        SlotFactory.create_batch(2, lane=more)
    count()
    client = sign_in(user)
    with django_assert_num_queries(20):
        client.get(HOME)


def test_looking_at_home_changes_nothing(sign_in, lane):
    SlotFactory(lane=lane)
    before = list(Slot.objects.values()), AuditEvent.objects.count()
    sign_in(lead_of(lane)).get(HOME)
    assert (list(Slot.objects.values()), AuditEvent.objects.count()) == before
