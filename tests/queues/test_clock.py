import threading
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from hitl import clock as database_clock
from hitl.audit.models import AuditEvent
from hitl.management.commands.tick import CHORES
from hitl.models import Endpoint, Message
from queues import claims, clock
from queues.models import Breach, LaneRollup, Slot
from tests.factories.queues import LaneFactory, QueueFactory, SlotFactory, reviewer_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def held(slot, user, *, until):
    Slot.objects.filter(pk=slot.pk).update(state="held", holder=user, lease_until=until, lease_token=7)


class TestDeadlines:
    def test_a_breach_is_recorded_when_it_happens(self):
        now = timezone.now()
        slot = SlotFactory(due_at=now - timedelta(seconds=1))
        in_time = SlotFactory(lane=slot.lane, due_at=now + timedelta(seconds=1))
        without = SlotFactory(lane=slot.lane, due_at=None)

        assert clock.mark_overdue(now=now) == 1

        slot.refresh_from_db()
        assert slot.overdue
        assert (slot.breach.due_at, slot.breach.at) == (slot.due_at, now)
        assert not Slot.objects.filter(pk__in=[in_time.pk, without.pk], overdue=True).exists()
        event = AuditEvent.objects.get(action="case.breached")
        assert (event.subject, event.queue_id) == (f"case:{slot.case_id}", slot.lane.queue_id)

    def test_it_is_recorded_once_and_handed_out_first(self):
        now = timezone.now()
        lane = LaneFactory()
        urgent = SlotFactory(lane=lane, priority=1)
        late = SlotFactory(lane=lane, priority=90, due_at=now - HOUR)
        assert [clock.mark_overdue(now=now), clock.mark_overdue(now=now)] == [1, 0]
        claim = claims.take(user=reviewer_of(lane))
        assert claim.slot_id == late.pk != urgent.pk

    def test_neither_a_reviewer_nor_a_deferral_stops_the_clock(self):
        now = timezone.now()
        lane = LaneFactory()
        with_someone, aside, done = (SlotFactory(lane=lane, due_at=now - HOUR) for _ in range(3))
        held(with_someone, reviewer_of(lane), until=now + HOUR)
        Slot.objects.filter(pk=aside.pk).update(state="deferred", deferred_until=now + HOUR)
        Slot.objects.filter(pk=done.pk).update(state="decided", decided_by=reviewer_of(lane), decided_at=now)
        assert clock.mark_overdue(now=now) == 2
        assert set(Breach.objects.values_list("slot", flat=True)) == {with_someone.pk, aside.pk}

    def test_the_tenants_endpoints_hear_of_it(self):
        now = timezone.now()
        slot = SlotFactory(due_at=now - HOUR)
        Endpoint.objects.create(tenant=slot.lane.tenant, url="https://example.com/", topics=["case.breached"])
        clock.mark_overdue(now=now)
        message = Message.objects.get()
        assert message.payload["type"] == "case.breached"
        assert message.payload["data"]["case_id"] == slot.case.external_id
        # A receiver that balks at this news must still get the verdict.
        assert message.key != f"case:{slot.case_id}"

    def test_people_get_one_e_mail_for_all_that_is_late_in_their_queue(self):
        now = timezone.now()
        queue = QueueFactory(name="Billing", notify_emails=["lead@example.org", "deputy@example.org"])
        lane, other_tenant = LaneFactory(queue=queue), LaneFactory(queue=queue)
        slots = [SlotFactory(lane=lane, due_at=now - HOUR) for _ in range(23)]
        foreign = SlotFactory(lane=other_tenant, due_at=now - HOUR)
        clock.mark_overdue(now=now)

        mine = Message.objects.filter(tenant=lane.tenant)
        assert [m.payload["to"] for m in mine] == ["lead@example.org", "deputy@example.org"]
        mail = mine[0].payload
        assert mail["subject"] == "23 cases are past the deadline in Billing"
        # An address is no grant: the page behind the link asks for one, and names the cases.
        assert f"/queues/{queue.slug}/" in mail["body"]
        for slot in (*slots, foreign):
            assert f"{slot.case.external_id}," not in mail["body"]
            assert slot.case.question not in mail["body"]
            assert slot.case.tenant.name not in mail["body"]
        assert Message.objects.filter(tenant=other_tenant.tenant).count() == 2

    def test_a_second_look_at_a_decided_case_bothers_nobody(self):
        now = timezone.now()
        queue = QueueFactory(notify_emails=["lead@example.org"])
        slot = SlotFactory(lane=LaneFactory(queue=queue), due_at=now - HOUR, purpose="second", seat=2)
        type(slot.case).objects.update(state="decided")
        assert clock.mark_overdue(now=now) == 1
        assert not Message.objects.exists()

    def test_many_are_done_in_chunks(self, monkeypatch):
        monkeypatch.setattr(clock, "CHUNK", 3)
        now = timezone.now()
        lane = LaneFactory()
        for _ in range(7):
            SlotFactory(lane=lane, due_at=now - HOUR)
        assert clock.mark_overdue(now=now) == 3
        assert clock.until_done(clock.mark_overdue, now) == 4
        assert Breach.objects.count() == 7


class TestDeferrals:
    def test_what_was_put_aside_waits_again_when_its_time_comes(self):
        now = timezone.now()
        lane = LaneFactory()
        due, later = SlotFactory(lane=lane), SlotFactory(lane=lane)
        for slot, until in ((due, now), (later, now + timedelta(seconds=1))):
            Slot.objects.filter(pk=slot.pk).update(
                state="deferred", deferred_until=until, reason="Waits for the ledger"
            )
        assert clock.wake_deferred(now=now) == 1
        due.refresh_from_db()
        assert (due.state, due.deferred_until, due.reason) == ("open", None, "Waits for the ledger")
        assert Slot.objects.get(pk=later.pk).state == "deferred"


class TestLeases:
    def test_a_lease_that_ran_out_long_ago_is_cleared_and_its_token_stays(self):
        now = timezone.now()
        lane = LaneFactory()
        user = reviewer_of(lane)
        old, recent, valid = (SlotFactory(lane=lane) for _ in range(3))
        held(old, user, until=now - HOUR - timedelta(seconds=1))
        held(recent, user, until=now - timedelta(minutes=59))
        held(valid, user, until=now + HOUR)
        assert clock.return_expired(now=now) == 1
        old.refresh_from_db()
        assert (old.state, old.holder, old.lease_until, old.lease_token) == ("open", None, None, 7)
        assert Slot.objects.filter(state="held").count() == 2


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestBesideOthers:
    def test_the_clock_steps_over_what_somebody_is_deciding(self):
        now = timezone.now()
        lane = LaneFactory()
        locked, free = (SlotFactory(lane=lane, due_at=now - HOUR) for _ in range(2))
        with transaction.atomic():
            Slot.objects.select_for_update(no_key=True).get(pk=locked.pk)
            marked = []

            def tick():
                try:
                    marked.append(clock.mark_overdue(now=now))
                finally:
                    connections.close_all()

            thread = threading.Thread(target=tick)
            thread.start()
            thread.join(10)
            assert marked == [1]
        assert set(Breach.objects.values_list("slot", flat=True)) == {free.pk}
        assert clock.mark_overdue(now=now) == 1

    def test_two_clocks_at_once_record_each_breach_once(self):
        now = timezone.now()
        lane = LaneFactory(queue=QueueFactory(notify_emails=["lead@example.org"]))
        for _ in range(40):
            SlotFactory(lane=lane, due_at=now - HOUR)
        marked, start = [], threading.Barrier(4)

        def tick():
            try:
                start.wait()
                marked.append(clock.mark_overdue(now=now))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=tick) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        marked.append(clock.mark_overdue(now=now))
        assert sum(marked) == Breach.objects.count() == 40
        assert AuditEvent.objects.filter(action="case.breached").count() >= 40


@pytest.mark.parametrize("name", ["deliver", "deadlines", "deferrals", "leases", "lanes", "untakeable"])
def test_the_tick_does_it(name):
    SlotFactory(due_at=timezone.now() - HOUR)
    (chore,) = [one for one in CHORES if one.name == name]
    chore.run()
    assert Breach.objects.exists() is (name == "deadlines")
    assert LaneRollup.objects.exists() is (name == "lanes")


def test_the_time_is_the_databases():
    first = database_clock.now()
    assert first.tzinfo
    assert database_clock.now() > first
    assert database_clock.at_now(lambda now: now)() > first
