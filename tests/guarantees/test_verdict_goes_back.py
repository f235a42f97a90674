"""Guarantee 11: whoever escalated a case gets the verdict: at least once, signed, in order, and can always ask."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from codebook.models import Label
from hitl.access import tokens
from hitl.models import Message
from hitl.outbox import delivery, endpoints
from hitl.outbox.delivery import Courier, deliver_due
from queues import cases, claims
from queues.models import Case, Outcome
from reviews import deciding
from reviews.given import Given
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory
from tests.factories.queues import CaseFactory, LaneFactory, QueueFactory, SlotFactory, reviewer_of
from tests.factories.receiver import receiving

TRANSACTIONS = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.fixture(autouse=True)
def _this_machine_may_be_called(settings):
    settings.OUTBOX_ALLOW_PRIVATE = True


class Desk:
    """A reviewer with one escalated case, and the producer's side of it."""

    def __init__(self, **case):
        self.lane = LaneFactory(queue=QueueFactory(undo_seconds=300))
        self.version = published(self.lane.queue)
        self.user = reviewer_of(self.lane)
        self.slot = SlotFactory(
            lane=self.lane, case=CaseFactory(tenant=self.lane.tenant, queue=self.lane.queue, **case)
        )
        _, self.token = tokens.issue(tenant=self.lane.tenant, name="Producer", scopes=["ingest"])

    def decide(self, verdict=Label.Verdict.REJECT):
        claim = claims.hold(user=self.user)[0]
        given = Given(verdict=verdict, version_id=self.version.pk)
        deciding.decide(user=self.user, slot_id=claim.slot_id, token=claim.token, given=given, painted=None)
        return Outcome.objects.get(case=self.slot.case)

    def ask(self):
        url = f"/api/v1/cases/{self.slot.case.external_id}"
        return Client().get(url, headers={"Authorization": f"Bearer {self.token}"}).json()


@pytest.mark.django_db
def test_a_decision_reaches_the_endpoint_and_the_address_that_came_with_the_case_signed():
    with receiving() as endpoint, receiving() as callback:
        desk = Desk(callback_url=callback.url("/back"))
        _, secret = endpoints.create(tenant=desk.lane.tenant, url=endpoint.url(), topics=[], by=None)
        callback_secret = endpoints.rotate(tenant=desk.lane.tenant, endpoint=None, by=None)
        outcome = desk.decide()

        deliver_due(outcome.release_at - timedelta(seconds=1))
        assert (endpoint.connections, callback.connections) == (0, 0)
        deliver_due(outcome.release_at)

        for receiver, key in ((endpoint, secret), (callback, callback_secret)):
            (got,) = receiver.got
            data = got.verified(key)["data"]
            assert (data["case_id"], data["verdict"], data["revision"]) == (desk.slot.case.external_id, "reject", 1)


@pytest.mark.django_db
def test_one_that_was_undone_reaches_nobody_and_the_next_word_counts():
    with receiving() as receiver:
        desk = Desk(callback_url=receiver.url())
        desk.decide(Label.Verdict.REJECT)
        deciding.undo(user=desk.user, slot_id=desk.slot.pk)
        assert desk.ask()["status"] == "waiting"
        outcome = desk.decide(Label.Verdict.ACCEPT)
        deliver_due(outcome.release_at + timedelta(days=1))
        assert [p["data"]["verdict"] for p in receiver.payloads] == ["accept"]


@pytest.mark.django_db
def test_it_can_always_be_asked_for_even_if_nothing_was_ever_taken():
    with receiving() as receiver:
        receiver.answer = 500
        desk = Desk(callback_url=receiver.url())
        outcome = desk.decide()
        assert desk.ask()["status"] == "waiting"
        # The undo window passes.
        Outcome.objects.update(release_at=timezone.now() - timedelta(seconds=1))
        now = outcome.release_at
        while Message.objects.filter(state__in=["waiting", "failing"]).exists():
            deliver_due(now)
            now = Message.objects.get().next_attempt_at
        assert Message.objects.get().state == "given_up"
        answer = desk.ask()
        assert (answer["status"], answer["verdict"], answer["revision"]) == ("decided", "reject", 1)
        assert "final_answer" in answer


@TRANSACTIONS
def test_a_decision_that_is_rolled_back_tells_nobody():
    with receiving() as receiver:
        desk = Desk(callback_url=receiver.url())
        with transaction.atomic():
            desk.decide()
            assert Message.objects.exists()
            transaction.set_rollback(True)
        assert deliver_due(timezone.now() + timedelta(days=1)) == 0
        assert not Message.objects.exists()


DELIVERER = """
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {name!r}
django.setup()
from datetime import datetime
from hitl.outbox.delivery import deliver_due
deliver_due(datetime.fromisoformat({now!r}))
"""


@TRANSACTIONS
def test_a_deliverer_killed_between_sending_and_marking_sends_again_under_the_same_id():
    """kill -9 of a real process, after the receiver got the message and before its answer."""
    with receiving() as receiver:
        receiver.takes = 20
        desk = Desk(callback_url=receiver.url())
        secret = endpoints.rotate(tenant=desk.lane.tenant, endpoint=None, by=None)
        outcome = desk.decide()
        script = DELIVERER.format(name=connection.settings_dict["NAME"], now=outcome.release_at.isoformat())
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "hitl.settings", "HITL_OUTBOX_ALLOW_PRIVATE": "1"}
        env["HITL_DATA_DIR"] = str(settings.DATA_DIR)
        child = subprocess.Popen([sys.executable, "-c", script], env=env, cwd=settings.BASE_DIR)
        try:
            wait_for(lambda: receiver.got or child.poll() is not None)
            assert len(receiver.got) == 1
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        message = Message.objects.get()
        assert (message.state, message.attempts) == ("waiting", 1)

        receiver.takes = 0
        assert deliver_due(outcome.release_at + delivery.LEASE - timedelta(seconds=1)) == 0
        assert deliver_due(outcome.release_at + delivery.LEASE + timedelta(seconds=10)) == 1
        first, second = receiver.got
        assert first.id == second.id
        assert first.verified(secret) == second.verified(secret)
        message.refresh_from_db()
        assert message.state == "sent"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.django_db
def test_in_order_and_nothing_lost_whatever_receivers_and_deliverers_do(seed):
    """Amended verdicts to two receivers that fail at random, while deliverers die at random before they mark."""
    dice = random.Random(seed)
    tenant = TenantFactory()
    subjects = [CaseFactory(tenant=tenant) for _ in range(4)]
    start = now = timezone.now()
    with receiving() as one, receiving() as two:
        secrets = [endpoints.create(tenant=tenant, url=r.url(), topics=[], by=None)[1] for r in (one, two)]
        written = dict.fromkeys(subjects, 0)
        for _ in range(400):
            for receiver in (one, two):
                receiver.answer = dice.choice([204, 204, 200, 500, 503, 404, None, (302, {"Location": "/"}, b"")])
            if (subject := dice.choice(subjects)) and written[subject] < 3 and dice.random() < 0.2:
                decide(subject, now, amend=written[subject] > 0)
                written[subject] += 1
            if dice.random() < 0.3:
                die_before_marking(now)
            else:
                deliver_due(now)
            now += timedelta(seconds=dice.choice([1, 10, 100, 1000]))
        one.answer = two.answer = 204
        for _ in range(40):
            deliver_due(now)
            now += timedelta(hours=13)
        assert now - start < timedelta(days=40)

        assert set(written.values()) == {3}
        assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
        for receiver, secret in ((one, secrets[0]), (two, secrets[1])):
            for subject in subjects:
                got = [g for g in receiver.got if g.verified(secret)["data"]["case_id"] == subject.external_id]
                ids = list(dict.fromkeys(g.id for g in got))
                revisions = [g.payload["data"]["revision"] for g in got]
                assert revisions == sorted(revisions), "a later verdict came before an earlier one"
                assert sorted(set(revisions)) == [1, 2, 3]
                assert len(ids) == 3


@TRANSACTIONS
def test_two_deliverers_at_once_keep_the_order():
    """Two leaders may overlap for a moment: what one has on its way, the other neither sends nor overtakes."""
    with receiving() as receiver:
        tenant = TenantFactory()
        subjects = [CaseFactory(tenant=tenant, callback_url=receiver.url()) for _ in range(10)]
        now = timezone.now()
        for amend in (False, True, True):
            for subject in subjects:
                with transaction.atomic():
                    decide(subject, now, amend=amend)
        # Amended before they were told, the first two were replaced; tell them all the same.
        Message.objects.update(state="waiting")
        receiver.takes = 0.01

        def deliver():
            try:
                deliver_due(now + timedelta(seconds=1))
            finally:
                connection.close()

        threads = [threading.Thread(target=deliver) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        deliver_due(now + timedelta(seconds=2))
        assert len(receiver.got) == 30
        for subject in subjects:
            told = [p["data"]["revision"] for p in receiver.payloads if p["data"]["case_id"] == subject.external_id]
            assert told == [1, 2, 3]


def decide(subject: Case, now, *, amend):
    cases.record_outcome(
        case=subject, verdict=Outcome.Verdict.ACCEPT, final_answer="Yes.", categories=[], codebook="support",
        codebook_version=1, now=now, undo_seconds=0, amend=amend,
    )  # fmt: skip
    if amend:
        # Replaced before anybody was told, the earlier one would not go out; here every one is wanted.
        Message.objects.filter(key=cases.key_of(subject.pk), state="cancelled").update(state="waiting")


def die_before_marking(now):
    courier = Courier()
    courier._launch(now)
    wait_for(lambda: courier.back.qsize() == len(courier.flying))


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
