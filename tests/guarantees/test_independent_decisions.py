"""Guarantee 5: two reviewers of one case never see each other's decision before both have decided.

A lead may look at cases, and decide them too: what they may still have to decide, they see without others' decisions.
"""

import gzip
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from codebook.models import AlignmentSession, Codebook, Disagreement, Label, SpotCheck
from queues import claims
from queues.models import Slot
from reviews import deciding
from reviews.given import Given
from tests.factories.codebook import published
from tests.factories.hitl import grant
from tests.factories.queues import CaseFactory, LaneFactory, QueueFactory, SlotFactory, lead_of, reviewer_of
from tests.factories.seats import Seats

pytestmark = pytest.mark.django_db

ANSWER = "A wholly different answer."
NOW = timezone.now()
TIMES = {"received_at": NOW, "due_at": NOW + timedelta(hours=4)}


@pytest.fixture
def lane():
    return LaneFactory(queue=QueueFactory(second_share=1))


@pytest.fixture
def first(lane):
    return reviewer_of(lane, name="Fiona First")


@pytest.fixture
def version(lane):
    return published(lane.queue)


@pytest.fixture
def case(lane, first, version):
    """Decided once; its second seat has opened by that, for somebody else is there to take it."""
    slot = SlotFactory(lane=lane, case=CaseFactory(tenant=lane.tenant, queue=lane.queue, **TIMES))
    reviewer_of(lane, name="Ola Other")
    decide(first, version, final_answer=ANSWER)
    assert list(slot.case.slots.values_list("seat", "state")) == [(1, "decided"), (2, "open")]
    return slot.case


def decide(user, version, verdict="edit", final_answer=""):
    claim = claims.hold(user=user)[0]
    given = Given(
        verdict=Label.Verdict(verdict), version_id=version.pk, final_answer=final_answer,
        category_ids=frozenset([version.categories.first().pk]),
    )  # fmt: skip
    deciding.decide(user=user, slot_id=claim.slot_id, token=claim.token, given=given, painted=None)


def page_of(client, case):
    return client.get(reverse("case", args=[case.pk])).content.decode()


def tells(page):
    return [words for words in ("Fiona First", "Edited", ANSWER, "Hallucination", "goes back") if words in page]


def test_a_lead_who_may_still_decide_a_case_sees_no_decision_on_it(sign_in, lane, case):
    page = page_of(sign_in(lead_of(lane)), case)
    assert tells(page) == []
    assert "kept from you until it is all decided" in page


def test_nor_while_they_hold_the_second_seat(sign_in, lane, case):
    lead = lead_of(lane)
    claims.hold(user=lead)
    assert tells(page_of(sign_in(lead), case)) == []


def test_nor_while_a_colleague_holds_it_who_may_yet_give_it_back(sign_in, lane, case):
    claims.hold(user=reviewer_of(lane))
    assert tells(page_of(sign_in(lead_of(lane)), case)) == []


def test_nor_while_it_is_put_aside(sign_in, lane, case):
    second = case.slots.get(seat=2)
    Slot.objects.filter(pk=second.pk).update(state="deferred", deferred_until=second.created_at)
    assert tells(page_of(sign_in(lead_of(lane)), case)) == []


def test_when_all_is_decided_the_lead_sees_all_of_it(sign_in, lane, case, version):
    decide(reviewer_of(lane), version, verdict="reject")
    page = page_of(sign_in(lead_of(lane)), case)
    assert {"Fiona First", "Edited", ANSWER, "Hallucination"} <= set(tells(page))


def test_a_lead_who_may_not_decide_it_sees_it_at_once(sign_in, lane, case):
    lead = lead_of(lane)
    lane.queue.queueuserpermission_set.filter(user=lead, permission__codename="review_queue").delete()
    assert "Fiona First" in tells(page_of(sign_in(lead), case))


def test_the_first_of_the_two_sees_their_own_and_not_the_others(sign_in, lane, first, case, version):
    grant(first, "lead_queue", lane.queue)
    client = sign_in(first)
    assert "Fiona First" in tells(page_of(client, case))
    second = reviewer_of(lane, name="Sven Second")
    claims.hold(user=second)
    assert "Rejected" not in page_of(client, case)


def test_the_review_screen_of_the_second_is_that_of_a_first_to_the_letter(sign_in, lane, first, case):
    """On two cases that are alike, one decided before and one not, a newcomer is shown the same."""
    screens = [_screen(sign_in, lane, case.slots.get(seat=2))]
    now = timezone.now()
    alike = CaseFactory(
        tenant=lane.tenant, queue=lane.queue, external_id="another", received_at=now, due_at=now + timedelta(hours=4)
    )
    screens.append(_screen(sign_in, lane, SlotFactory(lane=lane, case=alike, due_at=alike.due_at, created_at=now)))
    assert screens[0] == screens[1]


def _screen(sign_in, lane, slot):
    """What a newcomer sees of it, without the numbers that every case has of its own."""
    person = reviewer_of(lane, name="Nora New")
    cache.clear()
    page = sign_in(person).get(reverse("review")).content.decode()
    assert slot.case.external_id in page
    assert ANSWER not in page
    claims.release(user=person)
    Slot.objects.filter(pk=slot.pk).update(reserved_for=person)
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"', "", page)
    page = re.sub(r'<option value="\d+">(Nora New</option>)?', "", page)
    return re.sub(rf"\b{slot.pk}\b", "N", page.replace(slot.case.external_id, "THE CASE"))


SCREENS = (
    "/", "/review/", "/decisions/", "/decisions/recent/", "/decisions/learned/", "/queues/", "/audit/",
    "/audit/export/", "/codebooks/", "/codebooks/{codebook}/", "/codebooks/{codebook}/batches/",
    "/codebooks/{codebook}/alignment/", "/codebooks/{codebook}/alignment/{session}/",
    "/codebooks/{codebook}/disagreements/", "/codebooks/{codebook}/spot-checks/", "/queues/{queue}/", "/cases/{case}/",
    "/codebooks/{codebook}/disagreements/{disagreement}/", "/codebooks/{codebook}/spot-checks/{spot}/",
    "/codebooks/{codebook}/failures/", "/codebooks/{codebook}/failures/cases/{case}/",
)  # fmt: skip


def test_while_a_third_is_wanted_no_screen_tells_them_what_the_two_before_said():
    """The third is everything a person can be: reviewer, lead, owner of the codebook. The two before disagree."""
    seats = Seats(raters=3)
    third = seats.people[2]
    grant(grant(third, "lead_queue", seats.lane.queue), "lead_tenant", seats.lane.tenant)
    Codebook.objects.filter(pk=seats.codebook.pk).update(owner=third)
    seats.decide(1, "reject", "tone")
    seats.decide(2, "edit", "hallucination")
    session = AlignmentSession.objects.create(
        codebook=seats.codebook, since=NOW - timedelta(days=1), until=NOW, opened_by=third, opened_at=NOW,
        agenda=list(Disagreement.objects.values_list("pk", flat=True)),
    )  # fmt: skip
    spot = SpotCheck.objects.create(
        label=Label.objects.earliest("pk"), codebook=seats.codebook, reviewer=seats.people[0], day=NOW.date()
    )
    names = {
        "codebook": seats.codebook.slug, "queue": seats.lane.queue.slug, "case": seats.case.pk, "session": session.pk,
        "disagreement": Disagreement.objects.get().pk, "spot": spot.pk,
    }  # fmt: skip
    client = Client()
    client.force_login(third, backend="hitl.access.sessions.Backend")
    for screen in SCREENS:
        answer = client.get(screen.format(**names), follow=True)
        assert answer.status_code in (200, 404), screen
        body = answer.getvalue()
        page = (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).decode()
        told = [words for words in (">Edited<", ">Rejected<", "Another answer", '"verdict": "') if words in page]
        assert told == [], screen


def test_the_third_sees_all_of_it_when_they_have_decided(sign_in):
    seats = Seats(raters=3)
    Codebook.objects.filter(pk=seats.codebook.pk).update(owner=seats.people[2])
    seats.decide(1, "reject", "tone")
    seats.decide(2, "edit", "hallucination")
    url = reverse("codebook_adjudicate", args=[seats.codebook.slug, Disagreement.objects.get().pk])
    client = sign_in(seats.people[2])
    assert client.get(url).status_code == 404
    seats.decide(3, "accept")
    page = client.get(url).content.decode()
    assert all(words in page for words in ("Edited", "Rejected", "Accepted"))
