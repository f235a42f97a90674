"""Background work: in order, each task to one cluster, and a sign of life that goes where tasks go."""

import pytest
from django.db import connection
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from hitl import broker, heartbeats
from hitl.broker import SkipLocked
from hitl.models import Heartbeat
from hitl.pulse import worker_name

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


def quiet_broker() -> SkipLocked:
    found = SkipLocked()
    found.next_beat = float("inf")
    return found


def taken(from_broker: SkipLocked) -> list[int]:
    return [number for number, _payload in from_broker.dequeue()]


def test_tasks_come_in_the_order_in_which_they_were_put_and_only_once() -> None:
    one, other = quiet_broker(), quiet_broker()
    numbers = [one.enqueue(f"task {n}") for n in range(Conf.BULK + 3)]
    assert taken(one) == numbers[: Conf.BULK]
    assert taken(other) == numbers[Conf.BULK :]
    assert taken(one) == []


def test_a_task_that_another_cluster_is_taking_is_passed_over(django_db_blocker) -> None:
    here = quiet_broker()
    first, second = here.enqueue("first"), here.enqueue("second")
    elsewhere = connection.copy()
    with elsewhere.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select from django_q_ormq where id = %s for update", [first])
        assert taken(here) == [second]
        cursor.execute("rollback")
    elsewhere.close()
    assert taken(here) == [first]


def test_what_was_taken_comes_again_after_the_retry_time_or_when_the_only_worker_starts_anew() -> None:
    here = quiet_broker()
    number = here.enqueue("task")
    assert taken(here) == [number]
    assert OrmQ.objects.get().lock > timezone.now()
    assert broker.free_all() == 1
    assert taken(here) == [number]


def test_the_sign_of_life_is_a_task_that_no_table_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HITL_NODE", "north")
    here = SkipLocked()
    [(number, payload)] = here.dequeue()
    task = SignedPackage.loads(payload)
    assert number is None, "nothing to acknowledge"
    assert task["save"] is False, "no result to keep"
    assert task["func"] == "hitl.heartbeats.beat"
    heartbeats.beat(*task["args"], **task["kwargs"])
    assert Heartbeat.objects.get().name == worker_name("north") == "worker north"
    assert taken(here) == [], "not again before its time"
