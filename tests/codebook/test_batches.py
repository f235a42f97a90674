from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from codebook.labels import batches, labelling
from codebook.models import Label, LabelBatch
from codebook.versions import rubric
from hitl.models import AuditEvent
from tests.factories.codebook import published
from tests.factories.hitl import UserFactory
from tests.factories.queues import SlotFactory, lead_of, reviewer_of

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def label(slot, version, **fields):
    return labelling.give(
        slot=slot, queue_id=slot.lane.queue_id, origin="escalation", user=fields.pop("user", None) or UserFactory(),
        stamp=rubric(version.pk), verdict="accept", category_ids=[], now=timezone.now(), **fields,
    )  # fmt: skip


@pytest.fixture
def slot():
    return SlotFactory()


@pytest.fixture
def version(slot):
    return published(slot.lane.queue)


@pytest.fixture
def batch(slot, version):
    return label(slot, version).batch


def test_a_label_after_the_closing_opens_another_batch(slot, version, batch):
    batches.close(batch=batch, by=version.codebook.owner, now=NOW)
    another = label(SlotFactory(lane=slot.lane), version).batch
    assert another.pk != batch.pk
    assert another.closed_at is None


@pytest.mark.parametrize("who", ["owner", "lead", "administrator"])
def test_the_owner_and_who_runs_the_queue_close_by_hand(slot, version, batch, who):
    people = {
        "owner": version.codebook.owner, "lead": lead_of(slot.lane), "administrator": UserFactory(is_superuser=True)
    }  # fmt: skip
    closed = batches.close(batch=batch, by=people[who], now=NOW)
    assert (closed.closed_at, closed.closed_because, closed.closed_by) == (NOW, "hand", people[who])
    event = AuditEvent.objects.get(action="batch.closed")
    assert (event.subject, event.actor) == (f"batch:{batch.pk}", people[who])


def test_nobody_else_closes_one(slot, batch):
    with pytest.raises(batches.CannotClose, match="still open"):
        batches.close(batch=batch, by=reviewer_of(slot.lane), now=NOW)
    batch.refresh_from_db()
    assert batch.closed_at is None


def test_it_is_closed_once(version, batch):
    batches.close(batch=batch, by=version.codebook.owner, now=NOW)
    with pytest.raises(batches.CannotClose, match="already"):
        batches.close(batch=batch, by=version.codebook.owner, now=NOW + timedelta(hours=1))
    assert AuditEvent.objects.filter(action="batch.closed").count() == 1


def test_publishing_closes_the_batches_of_the_versions_before(slot, version, batch):
    newest = published(codebook=version.codebook)
    own = label(SlotFactory(lane=slot.lane), newest).batch
    other_codebook = published(SlotFactory().lane.queue)
    foreign = label(SlotFactory(), other_codebook).batch
    with transaction.atomic():
        closed = batches.close_of_older_versions(
            codebook_id=version.codebook_id, newest=newest, by=version.codebook.owner, now=NOW
        )
    assert closed == 1
    batch.refresh_from_db()
    assert (batch.closed_because, batch.closed_by) == ("publishing", version.codebook.owner)
    assert set(LabelBatch.objects.filter(closed_at=None)) == {own, foreign}


def test_one_that_is_open_for_too_long_is_closed(version, batch):
    days = timedelta(days=version.codebook.batch_days)
    assert batches.close_by_age(batch.opened_at + days - timedelta(seconds=1)) == 0
    assert batches.close_by_age(batch.opened_at + days) == 1
    batch.refresh_from_db()
    assert (batch.closed_because, batch.closed_by) == ("age", None)
    assert AuditEvent.objects.get(action="batch.closed").actor_name == "clock"


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_label_that_meets_the_closing_waits_and_goes_to_another_batch(slot, version, batch):
    late, given = SlotFactory(lane=slot.lane), []
    user = UserFactory()

    def give():
        with transaction.atomic():
            given.append(label(late, version, user=user))
        connection.close()

    with transaction.atomic():
        batches.close(batch=batch, by=version.codebook.owner, now=timezone.now())
        thread = Thread(target=give)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(10)
    assert given[0].batch_id != batch.pk
    assert Label.objects.filter(batch=batch).count() == 1
