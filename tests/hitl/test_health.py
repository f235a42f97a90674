"""`GET /healthz`: whether everything is up, and if not, what is wrong, in words."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from hitl import heartbeats
from hitl.models import Heartbeat

pytestmark = pytest.mark.django_db


def silent_for(name: str, seconds: int) -> None:
    heartbeats.beat(name)
    Heartbeat.objects.filter(name=name).update(at=Now() - timedelta(seconds=seconds))


def test_all_is_well(client: Client) -> None:
    heartbeats.beat("tick")
    heartbeats.beat("worker north")
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "up", "web": "up", "database": "up", "worker": "up", "tick": "up"}
    assert "no-store" in answer["Cache-Control"]


def test_parts_that_never_came_are_named(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["The worker has not been heard of yet.", "The tick has not been heard of yet."]


def test_a_web_node_can_be_asked_of_itself_alone(client: Client) -> None:
    answer = client.get("/healthz?of=web")
    assert answer.status_code == 200
    assert answer.json() == {"status": "up", "web": "up"}


def test_a_part_that_fell_silent_is_named(client: Client) -> None:
    heartbeats.beat("tick")
    silent_for("worker north", 45)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["worker"] == "down"
    assert answer.json()["tick"] == "up"
    assert answer.json()["reasons"] == ["The worker was last heard of 45 seconds ago."]


def test_one_living_worker_of_several_is_enough(client: Client) -> None:
    heartbeats.beat("tick")
    heartbeats.beat("worker south")
    silent_for("worker north", 45)
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(("silence", "status"), [(300, 200), (3600, 503)])
def test_a_worker_with_its_hands_full_is_up_until_a_tasks_time_is_over(
    client: Client, silence: int, status: int
) -> None:
    heartbeats.beat("tick")
    silent_for("worker north", silence)
    OrmQ.objects.create(key="hitl", payload="a long export", lock=timezone.now() + timedelta(minutes=40))
    assert client.get("/healthz").status_code == status


def test_a_database_that_does_not_answer_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("the password is swordfish")

    monkeypatch.setattr(heartbeats, "pulse", refuse)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "down"
    assert b"swordfish" not in answer.content
