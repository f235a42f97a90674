"""Guarantee 6, the other half: the address is one's own, but the form names a thing of somebody else's."""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from queues.models import Case, Lane, Queue, RoutingRule, Slot
from tests.guarantees.test_access_matrix import world  # noqa: F401 -- the fixture
from tests.guarantees.world import ANYBODYS, SECRET


def rule_form(queue, tenant):
    return {"name": "New", "queue": queue.pk, "tenants": [tenant.pk], "domains": "x", "position": 5, "is_active": "on"}


def saved(client, url, form):
    """A rule is saved when it is what was looked at: the first answer says what to send back."""
    shown = client.post(url, form)
    looked = shown.context and getattr(shown.context.get("form"), "mark", "") if shown.status_code == 200 else ""
    return client.post(url, {**form, "looked": looked})


def send_by_hand(client, of):
    client.post(reverse("unrouted_send"), {"case": of["unrouted"].pk, "queue": Queue.objects.get(slug="billing").pk})
    return Case.objects.get(pk=of["unrouted"].pk).queue is not None


def send_to_the_queue(client, of):
    case = Case.objects.get(tenant__slug="home", queue=None)
    client.post(reverse("unrouted_send"), {"case": case.pk, "queue": of["queue"].pk})
    return Case.objects.get(pk=case.pk).queue is not None


def weigh_lane(client, of):
    lane = of["lane"] if of["queue"].slug == "billing" else of["shared"].lane
    client.post(reverse("queue_weights", args=["billing"]), {f"weight-{lane.pk}": 7})
    return Lane.objects.get(pk=lane.pk).weight == 7


def rule_for_the_queue(client, of):
    before = RoutingRule.objects.count()
    home = Lane.objects.get(queue__slug="billing", tenant__slug="home").tenant
    saved(client, reverse("rule_new"), rule_form(of["queue"], home))
    return RoutingRule.objects.count() > before


def rule_for_the_tenant(client, of):
    before = RoutingRule.objects.count()
    saved(client, reverse("rule_new"), rule_form(Queue.objects.get(slug="billing"), of["tenant"]))
    return RoutingRule.objects.count() > before


def use_codebook(client, of):
    answer = client.post(reverse("queue_codebook", args=["billing"]), {"codebook": of["codebook"].pk})
    return answer.status_code == 302


def pass_to(client, of):
    held = Slot.objects.get(lane__queue__slug="billing", lane__tenant__slug="home", state="held")
    form = {"token": held.lease_token, "reason": "Please", "colleague": of["person"].pk}
    client.post(reverse("slot_pass", args=[held.pk]), form)
    return Slot.objects.get(pk=held.pk).reserved_for == of["person"]


FORMS = {
    "lead": [send_by_hand, send_to_the_queue, weigh_lane, rule_for_the_queue, rule_for_the_tenant, use_codebook],
    "reviewer": [pass_to],
}


@pytest.mark.parametrize(("role", "fill_in"), [(role, form) for role, forms in FORMS.items() for form in forms])
def test_a_form_reaches_ones_own_things_and_no_others(world, role, fill_in):  # noqa: F811
    client = Client()
    client.force_login(world.people[role], backend="hitl.access.sessions.Backend")
    done = {}
    for side in ("home", "far"):
        with transaction.atomic():
            done[side] = fill_in(client, getattr(world, side))
            transaction.set_rollback(True)
    assert done == {"home": True, "far": False}


FILTERS = [
    "/rules/try/?tenant=far&risk=2&domain=domain-zyxomma",
    "/rules/try/?tenant=home&risk=2&domain=elsewhere&topic=any&language=en",
    "/rules/new/?queue=far",
    "/audit/?tenant=3",
    "/tenants/home/deliveries/?before=1",
]


@pytest.mark.parametrize("url", FILTERS)
def test_a_filter_finds_nothing_of_others(world, url):  # noqa: F811
    client = Client(raise_request_exception=False)
    client.force_login(world.people["lead"], backend="hitl.access.sessions.Backend")
    with transaction.atomic():
        answer = client.get(url)
        transaction.set_rollback(True)
    assert answer.status_code < 500
    assert SECRET not in answer.content.decode()
    assert ANYBODYS not in answer.content.decode()
