"""What a lead sees of queues: the counts of their lanes, who may take what, and who is at work. All out of rollups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import F, Min, QuerySet, Sum

from hitl.access import doors as access
from hitl.models import User
from queues import doors
from queues.models import Breach, Lane, LaneRollup, LaneTaker, Queue, Slot

TAKERS_NAMED = 5
BREACHES = 20
AT_WORK = 100


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits in some lanes, as of their rollups."""

    waiting: int = 0
    held: int = 0
    deferred: int = 0
    overdue: int = 0
    due_soon: int = 0
    untakeable: int = 0
    oldest_at: datetime | None = None
    next_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueueRow:
    queue: Queue
    counts: Counts


@dataclass(frozen=True, slots=True)
class LaneRow:
    """`takers` are the first names of who may take from it, of `takers_in_all`."""

    lane: Lane
    counts: Counts
    takers: list[str]
    takers_in_all: int


@dataclass(frozen=True, slots=True)
class AtWork:
    person: str
    queue: str
    queue_slug: str
    since: datetime


NOTHING = Counts()
_SUMS: Mapping[str, Any] = {
    **{name: Sum(F(name)) for name in ("waiting", "held", "deferred", "overdue", "due_soon", "untakeable")},
    "oldest_at": Min("oldest_at"),
    "next_due_at": Min("next_due_at"),
}


def by_queue(rollups: QuerySet[LaneRollup]) -> dict[int, Counts]:
    """The counts of these lanes together, by queue."""
    rows: Any = rollups.values("lane__queue").annotate(**{f"all_{name}": what for name, what in _SUMS.items()})
    return {row["lane__queue"]: Counts(**{name: row[f"all_{name}"] for name in _SUMS}) for row in rows}


def led(user: User) -> list[QueueRow]:
    """The queues that a person runs, with the counts of the tenants they work in; inactive ones last."""
    queues = list(doors.queues(user, *doors.LEADS).order_by("-is_active", "name"))
    tenants = access.tenants(user)
    counts = by_queue(LaneRollup.objects.filter(lane__queue__in=queues, lane__tenant__in=tenants)) if queues else {}
    return [QueueRow(queue, counts.get(queue.pk, NOTHING)) for queue in queues]


def lanes(user: User, queue: Queue) -> list[LaneRow]:
    """A queue's lanes of the tenants that the person works in, with who may take from them: three statements."""
    found = list(
        Lane.objects.filter(queue=queue, tenant__in=access.tenants(user))
        .select_related("tenant", "rollup")
        .order_by("stream", "tenant__name", "language", "authority")
    )
    takers = (
        LaneTaker.objects.filter(lane__in=found)
        .values("lane")
        .annotate(names=ArrayAgg("user__name", order_by="user__name"))
        .values_list("lane", "names")
    )
    names = dict(takers) if found else {}
    return [
        LaneRow(lane, _counts(lane), names.get(lane.pk, [])[:TAKERS_NAMED], len(names.get(lane.pk, ())))
        for lane in found
    ]


def breaches(lanes: Iterable[Lane]) -> QuerySet[Breach]:
    """The last slots of these lanes whose deadline passed."""
    return (
        Breach.objects.filter(slot__lane__in=list(lanes))
        .select_related("slot__case__tenant", "slot__decided_by")
        .order_by("-pk")[:BREACHES]
    )


def at_work(user: User, now: datetime) -> list[AtWork]:
    """Who has a case on the screen in the queues that the person runs, longest first; what is on deck is left out."""
    held = (
        doors.slots_led(user)
        .filter(state=Slot.State.HELD, lease_until__gt=now, seen_at__isnull=False)
        .values("holder__name", "lane__queue__name", "lane__queue__slug")
        .annotate(since=Min("seen_at"))
        .order_by("since")[:AT_WORK]
    )
    return [
        AtWork(row["holder__name"], row["lane__queue__name"], row["lane__queue__slug"], row["since"]) for row in held
    ]


def _counts(lane: Lane) -> Counts:
    rollup = getattr(lane, "rollup", None)
    return Counts(**{name: getattr(rollup, name) for name in _SUMS}) if rollup else NOTHING
