"""Signs of life of the processes without a door of their own: each worker node, and the tick that leads."""

from typing import Any

from django.db import connection
from django.db.models.functions import Now

from hitl.models import Heartbeat
from hitl.pulse import AGES, TICK, WORKER, Pulse


def beat(name: str, detail: dict[str, Any] | None = None) -> None:
    """Say that `name` lives, now."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=Now(), detail=detail or {})],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at", "detail"],
    )


def pulse() -> Pulse:
    """Of the tick, and of the freshest worker of all nodes."""
    with connection.cursor() as cursor:
        cursor.execute(AGES, [TICK, WORKER])
        return Pulse(*cursor.fetchone())
