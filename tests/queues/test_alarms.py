from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from hitl import heartbeats
from hitl.models import Endpoint, Heartbeat, Message
from hitl.pulse import TICK, worker_name
from queues.alarms import alarms
from queues.rollups import refresh_rollups
from tests.factories.hitl import TenantFactory, UserFactory, grant
from tests.factories.queues import CaseFactory, LaneFactory, SlotFactory, lead_of, reviewer_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_machinery_lives():
    heartbeats.beat(TICK)
    heartbeats.beat(worker_name("here"))


def kinds(user):
    return [one.kind for one in alarms(user)]


def test_when_nothing_is_wrong_nothing_is_said():
    lane = LaneFactory()
    SlotFactory(lane=lane)
    lead = lead_of(lane)
    refresh_rollups(timezone.now())
    assert alarms(lead) == []


def test_a_lane_that_nobody_can_serve():
    lane = LaneFactory(language="pl", authority="finance.L2")
    SlotFactory(lane=lane)
    SlotFactory(lane=lane)
    lead, other = lead_of(lane), lead_of(LaneFactory())
    refresh_rollups(timezone.now())
    (alarm,) = alarms(lead)
    assert alarm.kind == "untakeable"
    assert alarm.sentence.startswith(f"2 cases in {lane.queue} can be taken by nobody")
    assert "reads pl and holds finance.L2" in alarm.sentence
    assert alarm.url == reverse("queue", args=[lane.queue.slug])
    assert alarms(other) == []


def test_cases_that_fit_no_queue():
    lane = LaneFactory()
    CaseFactory(tenant=lane.tenant, queue=None)
    CaseFactory(tenant=lane.tenant, queue=None, state="decided")
    (alarm,) = alarms(lead_of(lane))
    assert (alarm.kind, alarm.url) == ("unrouted", reverse("unrouted"))
    assert alarm.sentence.startswith("1 case fits no queue")


def test_messages_that_were_given_up_and_addresses_that_want_no_more():
    tenant = TenantFactory(slug="acme", name="Acme")
    endpoint = Endpoint.objects.create(
        tenant=tenant, url="https://a.example/", is_active=False, off_because="410 Gone."
    )
    Endpoint.objects.create(tenant=tenant, url="https://b.example/", is_active=False)
    for state in ("given_up", "failing"):
        Message.objects.create(
            tenant=tenant, channel="webhook", topic="case.decided", key="case:1", url="https://a.example/",
            payload={}, state=state, next_attempt_at=timezone.now(),
        )  # fmt: skip
    lost, gone = alarms(grant(UserFactory(), "lead_tenant", tenant))
    assert lost.sentence == "1 message of Acme did not arrive in five days of trying."
    assert lost.url == "/tenants/acme/deliveries/?state=given_up"
    assert gone.sentence == "Acme gets no more webhooks at https://a.example/. 410 Gone."
    assert gone.url == f"/tenants/acme/endpoints/{endpoint.pk}/"
    assert kinds(grant(UserFactory(), "lead_tenant", TenantFactory())) == []


@pytest.mark.parametrize(("name", "said"), [(TICK, "The clock has stopped"), ("worker", "The worker has stopped")])
def test_machinery_that_has_stopped(name, said):
    lead = lead_of(LaneFactory())
    silent = Heartbeat.objects.filter(name__startswith=name)
    silent.update(at=timezone.now() - timedelta(hours=2))
    assert [one.sentence.startswith(said) for one in alarms(lead)] == [True]
    silent.delete()
    assert kinds(lead) == ["machinery"]


def test_one_who_leads_nothing_is_not_bothered():
    lane = LaneFactory(language="pl")
    SlotFactory(lane=lane)
    reviewer = reviewer_of(LaneFactory(queue=lane.queue, tenant=lane.tenant))
    Heartbeat.objects.all().delete()
    refresh_rollups(timezone.now())
    assert alarms(reviewer) == []
    assert kinds(UserFactory(is_superuser=True))
