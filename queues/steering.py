"""What a lead sets: queues, how often each of their lanes is served, and the hours that deadlines are counted in.

`by` is None for a configuration file; `actor_name` says so on the record.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from guardian.shortcuts import assign_perm

from hitl.audit import log
from hitl.models import User
from queues.models import Calendar, Lane, Queue

HEAVIEST = 100


@transaction.atomic
def create_queue(*, by: User | None, fields: Mapping[str, Any], actor_name: str = "") -> Queue:
    """A new queue, run by whoever opened it. It gets cases when a rule sends it some."""
    queue = Queue.objects.create(**fields)
    if by is not None:
        assign_perm("lead_queue", by, queue)
    log.append(
        actor=by, action="queue.created", subject=f"queue:{queue.pk}", tenant_id=None, queue_id=queue.pk,
        detail={"slug": queue.slug}, actor_name=actor_name,
    )  # fmt: skip
    return queue


@transaction.atomic
def change_queue(*, queue: Queue, by: User | None, fields: Mapping[str, Any], actor_name: str = "") -> list[str]:
    """Changes what differs; returns the names of the fields. Deadlines of cases that wait already stay."""
    locked = Queue.objects.select_for_update().get(pk=queue.pk)
    changed = _apply(locked, fields)
    if changed:
        locked.save(update_fields=changed)
        log.append(
            actor=by, action="queue.changed", subject=f"queue:{queue.pk}", tenant_id=None, queue_id=queue.pk,
            detail={"fields": changed}, actor_name=actor_name,
        )  # fmt: skip
    return changed


@transaction.atomic
def weigh_lanes(*, queue: Queue, by: User | None, weights: Mapping[int, int], actor_name: str = "") -> int:
    """Sets how often lanes are served beside the others (1 to HEAVIEST), by lane id; returns how many changed."""
    lanes = list(Lane.objects.select_for_update().filter(queue=queue, pk__in=weights).order_by("pk"))
    changed = [lane for lane in lanes if lane.weight != weights[lane.pk]]
    for lane in changed:
        lane.weight = weights[lane.pk]
    Lane.objects.bulk_update(changed, ["weight"])
    log.append_all(
        [
            log.Entry(
                "lane.weighed", f"lane:{lane.pk}", by, lane.tenant_id, queue.pk, {"weight": lane.weight}, actor_name
            )
            for lane in changed
        ]
    )
    return len(changed)


@transaction.atomic
def create_calendar(*, by: User | None, fields: Mapping[str, Any], actor_name: str = "") -> Calendar:
    calendar = Calendar.objects.create(**fields)
    log.append(
        actor=by, action="calendar.created", subject=f"calendar:{calendar.pk}", tenant_id=None, actor_name=actor_name
    )  # fmt: skip
    return calendar


@transaction.atomic
def change_calendar(
    *, calendar: Calendar, by: User | None, fields: Mapping[str, Any], actor_name: str = ""
) -> list[str]:
    """Changes what differs; returns the names of the fields. Deadlines of cases that wait already stay."""
    locked = Calendar.objects.select_for_update().get(pk=calendar.pk)
    changed = _apply(locked, fields)
    if changed:
        locked.save(update_fields=changed)
        log.append(
            actor=by, action="calendar.changed", subject=f"calendar:{calendar.pk}", tenant_id=None,
            detail={"fields": changed}, actor_name=actor_name,
        )  # fmt: skip
    return changed


def _apply(thing: Any, fields: Mapping[str, Any]) -> list[str]:
    changed = [name for name, value in fields.items() if getattr(thing, name) != value]
    for name in changed:
        setattr(thing, name, fields[name])
    return changed
