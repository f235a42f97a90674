"""Guarantee 1: no slot is ever held by two reviewers; a late submit is refused and its text kept; an expired lease is
claimable again at once."""

import random
import threading
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from codebook.models import Label
from queues import claims
from queues.claims import ClaimLost
from queues.models import Slot
from reviews import deciding
from reviews.given import Given
from reviews.models import Review
from tests.factories.codebook import published
from tests.factories.queues import LaneFactory, SlotFactory, reviewer_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

REVIEWERS = 8
CASES = 120
# Some hold a case for longer than their lease, as people do.
STALLS = 0.2


def at_once(people, work):
    """Runs `work(person)` for all of them in threads of their own; what any of them raised is raised here."""
    faults = []

    def run(person):
        try:
            work(person)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


@pytest.fixture
def lane():
    lane = LaneFactory()
    published(lane.queue)
    return lane


def test_no_slot_is_handed_to_two_reviewers_who_ask_at_the_same_moment(lane):
    SlotFactory.create_batch(CASES, lane=lane)
    people = [reviewer_of(lane) for _ in range(REVIEWERS)]
    got = defaultdict(list)

    def claim_all(person):
        while claim := claims.take(user=person):
            got[person.pk].append(claim.slot_id)

    at_once(people, claim_all)
    handed_out = Counter(slot for slots in got.values() for slot in slots)
    assert len(handed_out) == CASES
    assert set(handed_out.values()) == {1}


def test_every_case_is_decided_once_though_people_stall_past_their_lease(lane):
    SlotFactory.create_batch(CASES, lane=lane)
    version = lane.queue.codebook_use.codebook.versions.get()
    people = [reviewer_of(lane) for _ in range(REVIEWERS)]
    chance = random.Random(3)
    acknowledged, refused = [], []

    def decide_all(person):
        while claim := claims.take(user=person):
            if chance.random() < STALLS:
                Slot.objects.filter(pk=claim.slot_id, holder=person).update(lease_until=timezone.now())
            try:
                deciding.decide(
                    user=person,
                    slot_id=claim.slot_id,
                    token=claim.token,
                    given=Given(Label.Verdict.ACCEPT, version_id=version.pk),
                    painted=None,
                )
            except ClaimLost:
                refused.append(claim)
            else:
                acknowledged.append((person.pk, claim.slot_id))
            claims.release(user=person)

    at_once(people, decide_all)
    assert sorted(slot for _, slot in acknowledged) == sorted(Slot.objects.values_list("pk", flat=True))
    assert set(Label.objects.values_list("user", "slot")) == set(acknowledged)
    assert Review.objects.count() == CASES


def test_a_late_submit_is_refused_and_its_text_kept_for_whoever_wrote_it(lane, sign_in):
    SlotFactory(lane=lane)
    late, quick = reviewer_of(lane), reviewer_of(lane)
    version = lane.queue.codebook_use.codebook.versions.get()
    client = sign_in(late)
    client.get("/review/")
    claim = claims.held(user=late)[0]
    Slot.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert claims.take(user=quick).slot_id == claim.slot_id
    form = {"token": claim.token, "version": version.pk, "verdict": "edit", "final_answer": "What I had written."}
    client.post(f"/slots/{claim.slot_id}/decide/", form)
    assert not Label.objects.exists()
    assert Slot.objects.get().holder == quick
    assert "What I had written." in client.get("/decisions/").content.decode()
    assert "What I had written." not in sign_in(quick).get("/decisions/").content.decode()
