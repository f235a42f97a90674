from datetime import timedelta

import pytest
from django.utils import timezone

from queues import quality, terms
from queues.models import Outcome, RouteQuality
from tests.factories.hitl import TenantFactory
from tests.factories.queues import CaseFactory

pytestmark = pytest.mark.django_db


def decided(tenant, verdict, *, domain="billing", topic="refund", days=1, origin="escalation"):
    now = timezone.now()
    Outcome.objects.create(
        case=CaseFactory(tenant=tenant, domain=domain, topic=topic, origin=origin), verdict=verdict, codebook="x",
        codebook_version=1, decided_at=now - timedelta(days=days), release_at=now,
    )  # fmt: skip


def test_it_counts_accepted_of_decided_by_tenant_and_route():
    acme, other = TenantFactory(), TenantFactory()
    for verdict in ("accept", "accept", "edit", "reject"):
        decided(acme, verdict)
    decided(acme, "accept", topic="")
    decided(other, "reject")
    decided(acme, "accept", days=91)
    assert quality.refresh(timezone.now()) == 3
    found = RouteQuality.objects.values_list("tenant", "domain", "topic", "accepted", "decided")
    assert set(found) == {
        (acme.pk, "billing", "refund", 2, 4), (acme.pk, "billing", "", 1, 1), (other.pk, "billing", "refund", 0, 1),
    }  # fmt: skip


def test_it_follows_what_is_decided_and_forgets_what_is_long_past():
    acme = TenantFactory()
    decided(acme, "accept")
    quality.refresh(timezone.now())
    decided(acme, "reject")
    quality.refresh(timezone.now())
    route = RouteQuality.objects.get()
    assert (route.accepted, route.decided) == (1, 2)
    quality.refresh(timezone.now() + timedelta(days=100))
    assert not RouteQuality.objects.exists()


def test_a_new_case_of_the_route_is_weighed_by_it():
    acme = TenantFactory()
    for _ in range(terms.FEWEST_DECIDED):
        decided(acme, "accept")
    quality.refresh(timezone.now())
    assert terms.of(acme).quality == {("billing", "refund"): 1.0}


def test_what_was_sampled_because_it_looked_bad_speaks_of_no_route():
    acme = TenantFactory()
    decided(acme, "accept")
    decided(acme, "reject", origin="sampling")
    quality.refresh(timezone.now())
    route = RouteQuality.objects.get()
    assert (route.accepted, route.decided) == (1, 1)
