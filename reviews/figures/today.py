"""What a reviewer did today, what they can still take back, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, Min

from codebook.models import Label
from hitl.clock import midnight
from hitl.models import User
from queues.models import LaneRollup, LaneTaker
from reviews.deciding import UNDO_LAST, decided_by


@dataclass(frozen=True, slots=True)
class Recent:
    """A decision that may still be taken back, `seconds_left` from now."""

    slot_id: int
    title: str
    verdict: str
    seconds_left: int


def decided_today(user: User, now: datetime) -> int:
    """Decisions since midnight, where the person is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from queues_slot where decided_by_id = %s and decided_at >= %s",
            [user.pk, midnight(user.time_zone, now)],
        )
        return int(cursor.fetchone()[0])


def recent(user: User, now: datetime) -> Sequence[Recent]:
    """The last decisions, latest first, as far as they have not gone out."""
    lanes = LaneTaker.objects.filter(user=user).values("lane")
    rows = list(
        decided_by(user)
        .filter(lane__in=lanes)
        .values_list("pk", "case__external_id", "decided_at", "lane__queue__undo_seconds")[:UNDO_LAST]
    )
    # The person's own, and their own time: the outcome of the case may be a colleague's.
    standing = Label.objects.filter(slot__in=[row[0] for row in rows], undone_at=None, is_amendment=False)
    verdicts = dict(standing.values_list("slot", "verdict")) if rows else {}
    return [
        Recent(slot, title, verdicts[slot], seconds_left)
        for slot, title, decided_at, undo_seconds in rows
        if (seconds_left := undo_seconds - int((now - decided_at).total_seconds())) > 0 and slot in verdicts
    ]


def status(user: User, now: datetime, last: Recent | None = None, decided: int | None = None) -> dict[str, object]:
    """What a page says of the day: how many were decided, and the last decision that may be taken back. What is known
    of the two is not asked again.
    """
    return {
        "today": decided_today(user, now) if decided is None else decided,
        "last": last or next(iter(recent(user, now)), None),
    }


def next_due(user: User) -> datetime | None:
    """When the next deferred or waiting case of this person's lanes is due, from the rollups."""
    lanes = LaneTaker.objects.filter(user=user).values("lane")
    return LaneRollup.objects.filter(lane__in=lanes).aggregate(at=Min(F("next_due_at")))["at"]
