"""What a reviewer did today, what they can still take back, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Min, Subquery
from django.db.models.functions import Coalesce

from hitl.models import User
from queues.models import LaneRollup, LaneTaker, Slot
from reviews.deciding import UNDO_LAST, decided_by


@dataclass(frozen=True, slots=True)
class Recent:
    """A decision that may still be taken back, `seconds_left` from now."""

    slot_id: int
    title: str
    verdict: str
    seconds_left: int


def midnight(user: User, now: datetime) -> datetime:
    """The last midnight where the person is."""
    local = now.astimezone(ZoneInfo(user.time_zone))
    return datetime.combine(local.date(), time(), local.tzinfo).astimezone(UTC)


def decided_today(user: User, now: datetime) -> int:
    """Decisions since midnight, where the person is."""
    return Slot.objects.filter(decided_by=user, decided_at__gte=midnight(user, now)).count()


def recent(user: User, now: datetime) -> Sequence[Recent]:
    """The last decisions, latest first, as far as they have not gone out."""
    return _recent(user, now)[0]


def status(user: User, now: datetime) -> dict[str, object]:
    """How many were decided today and which may be taken back, in one statement: every decision is answered with it."""
    recents, count = _recent(user, now)
    return {"today": decided_today(user, now) if count is None else count, "recent": recents}


def _recent(user: User, now: datetime) -> tuple[list[Recent], int | None]:
    lanes = LaneTaker.objects.filter(user=user).values("lane")
    today = Slot.objects.filter(decided_by=user, decided_at__gte=midnight(user, now))
    count = today.order_by().values("decided_by").annotate(count=Count("*")).values("count")
    rows = (
        decided_by(user)
        .filter(lane__in=lanes)
        .values_list(
            "pk",
            "case__external_id",
            "case__outcome__verdict",
            "case__outcome__release_at",
            Coalesce(Subquery(count), 0),
        )[:UNDO_LAST]
    )
    recents = [
        Recent(slot, title, verdict, int((release_at - now).total_seconds()))
        for slot, title, verdict, release_at, _ in rows
        if release_at and release_at > now
    ]
    return recents, rows[0][-1] if rows else None


def next_due(user: User) -> datetime | None:
    """When the next deferred or waiting case of this person's lanes is due, from the rollups."""
    lanes = LaneTaker.objects.filter(user=user).values("lane")
    return LaneRollup.objects.filter(lane__in=lanes).aggregate(at=Min(F("next_due_at")))["at"]
