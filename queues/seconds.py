"""Second decisions: which cases get them, and the seat of the next person, who is not told of the one before."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

from hitl.models import User
from queues.models import Case, LaneTaker, Slot
from queues.priority import priority
from queues.risk import Risk

INDEPENDENT: Final = (Slot.Purpose.FIRST, Slot.Purpose.SECOND)


def is_chosen(case_id: int, queue_id: int, share: Decimal) -> bool:
    """Whether a case of a queue is decided by more than one person. `share` is from 0 to 1.

    The same case always gets the same answer, in every process and release: the first eight bytes of the SHA-256 of
    "second:<queue>:<case>", as a fraction of what eight bytes can say, are below the share. So nobody can draw again
    by undoing, the choice knows nothing of the case, and whoever is chosen at a share is chosen at a larger one too.
    """
    drawn = hashlib.sha256(f"second:{queue_id}:{case_id}".encode()).digest()[:8]
    return int.from_bytes(drawn) < share * 2**64


def open_next_seat(*, slot: Slot, case: Case, share: Decimal, raters: int, now: datetime) -> int | None:
    """Step: opens the seat after a decided one, where the case is chosen and not all `raters` have their seat yet.

    The id of the new slot, or None; where the case is not chosen, without asking the database. The seat is in the same
    lane with a deadline of the same length, counted from now, so that nothing distinguishes it; it opens only if
    somebody is there to take it. Nobody is told when it is late (clock.mark_overdue): no producer waits for it.
    """
    if slot.purpose not in INDEPENDENT or slot.seat >= raters or case.queue_id is None:
        return None
    if not is_chosen(case.pk, case.queue_id, share):
        return None
    assert slot.decided_by_id
    barred = sorted({*slot.barred, slot.decided_by_id})
    with connection.cursor() as cursor:
        cursor.execute(_OF_A_NEW_SEAT, {"case": case.pk, "lane": slot.lane_id, "barred": barred, "now": now})
        row = cursor.fetchone()
    if row is None:
        return None
    due_at, minutes, risk, rating = row
    opened = Slot.objects.create(
        case_id=case.pk,
        lane_id=slot.lane_id,
        purpose=Slot.Purpose.SECOND,
        round=slot.round,
        seat=slot.seat + 1,
        priority=priority(risk=Risk(risk), minutes_left=minutes, signal_weight=rating),
        due_at=due_at,
        barred=barred,
        created_at=now,
    )
    return opened.pk


def take_back_seat(*, slot: Slot) -> bool:
    """Step: closes the seats after this one that nobody has claimed yet. False if somebody has, now or before."""
    later = Slot.objects.filter(case=slot.case_id, round=slot.round, seat__gt=slot.seat)
    # Whoever claims at this moment holds the row's lock: then it is claimed once it is free, and stays.
    later.filter(state=Slot.State.OPEN, lease_token=0).delete()
    return not later.exists()


def undecided(user: User) -> QuerySet[Slot]:
    """The seats that may yet be this person's to decide: whoever has one sees nobody's decision on its case.

    Theirs to take now, or in their hands already; put aside or with a colleague, it may come back.
    """
    takes = LaneTaker.objects.filter(user=user).values("lane")
    mine = Q(holder=user) | Q(reserved_for=user) | Q(lane__in=takes)
    return Slot.objects.exclude(state=Slot.State.DECIDED).exclude(barred__contains=[user.pk]).filter(mine)


def yet_theirs(user: User, case: OuterRef) -> Subquery:
    """A seat on the case that may yet be this person's to decide, or null.

    Looked up case by case: as an EXISTS it would be joined with every slot there is.
    """
    return Subquery(undecided(user).filter(case=case).order_by("pk").values("pk")[:1])


# What a case's first seat had, begun anew; a user's rating of 3 of 5 says nothing either way.
_OF_A_NEW_SEAT: Final = """
select %(now)s + (told.due_at - told.received_at), extract(epoch from told.due_at - told.received_at)::float / 60,
  told.risk, coalesce(sign((told.assessment -> 'sent' ->> 'user_rating')::float - 3), 0)
from queues_case told
where told.id = %(case)s and exists (
  select from queues_lanetaker taker where taker.lane_id = %(lane)s and taker.user_id <> all(%(barred)s::bigint[]))
"""
