"""Two weeks of traffic in the demo story, told through the doors that a team's systems use."""

import pytest
from django.utils import timezone

from codebook.models import Label
from hitl.management.demo import traffic
from queues.models import Case, Complaint, ConsentWithdrawal, DriftReport, SamplingRun, Signal, Trace
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory
from tests.factories.queues import LaneFactory, QueueFactory, RoutingRuleFactory, lead_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(traffic, "TRACES", 120)
    monkeypatch.setattr(traffic, "BUDGET", {"northlight": 10, "harbor": 6})
    queue = QueueFactory()
    RoutingRuleFactory(queue=queue)
    published(queue)
    northlight, harbor = (TenantFactory(slug=slug) for slug in ("northlight", "harbor"))
    lanes = [LaneFactory(queue=queue, tenant=northlight, language=tag) for tag in ("en", "de")]
    lead = lead_of(*lanes, LaneFactory(queue=queue, tenant=harbor))
    traffic.tell(lead, timezone.now())


def test_it_fills_every_page_of_the_traffic(told):
    assert Trace.objects.count() == 120
    assert set(Trace.objects.values_list("tenant__slug", flat=True)) == {"northlight", "harbor"}
    assert len(set(Trace.objects.values_list("release", flat=True))) == len(traffic.RELEASES)
    assert set(Signal.objects.values_list("type", flat=True)) == set(traffic.SAID)
    assert Signal.objects.filter(trace_id=None).count() == 6
    assert Signal.objects.filter(may_train=True).exists()
    assert set(Complaint.objects.values_list("state", flat=True)) == {"open", "linked", "dismissed"}
    assert ConsentWithdrawal.objects.count() == 1
    assert DriftReport.objects.count() == 1
    assert {run.picked for run in SamplingRun.objects.all()} == {10, 6}


def test_what_users_say_has_to_do_with_how_the_answer_was_and_people_find_some_of_it(told):
    negative = Trace.objects.filter(is_negative=True)
    assert 0.1 < negative.count() / Trace.objects.count() < 0.5
    decided = Case.objects.filter(origin=Case.Origin.SAMPLING, state=Case.State.DECIDED)
    assert 8 <= decided.count() < Case.objects.filter(origin=Case.Origin.SAMPLING).count()
    assert set(Label.objects.values_list("verdict", flat=True)) == {"accept", "reject"}
