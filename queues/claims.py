"""Claims: a reviewer's lease on a slot. Time is the database's clock; the lease token fences every later word.

A token that still matches proves that nobody else has held the slot since, so an expired lease that nobody took may
still be used; one that somebody took cannot.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, QuerySet

from hitl.access import authorities
from hitl.audit import log
from hitl.models import User
from queues.models import Lane, LaneTaker, Slot

# However much burns, the random sample keeps this share of the reviewers' hour: it is what the figures rest on.
RANDOM_FLOOR = 0.10
OVERDUE_WEIGHT = 4


class ClaimLost(Exception):
    """The slot is no longer this person's: the lease ran out and somebody else took it, or it was decided."""


class CannotHandUp(Exception):
    """Nothing stands above the authority that the case needs already."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first slot of a lane, as far as the draw needs to know it."""

    lane_id: int
    stream: str
    weight: int
    reserved: bool
    overdue: bool


@dataclass(frozen=True, slots=True)
class Claim:
    slot_id: int
    case_id: int
    token: int
    tenant_id: int
    queue_id: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A claim with a fresh lease, and how many other slots its holder holds."""

    claim: Claim
    others: int


def draw(heads: Sequence[Head], roll: float) -> Head | None:
    """The lane to serve next. `roll` is in [0, 1). What a colleague passed on comes first; then lanes by weight."""
    passed_on = [head for head in heads if head.reserved]
    if passed_on or not heads:
        return passed_on[0] if passed_on else None
    weights = [head.weight * (OVERDUE_WEIGHT if head.overdue else 1) for head in heads]
    sampled = [index for index, head in enumerate(heads) if head.stream == "random"]
    share = sum(weights[index] for index in sampled) / sum(weights)
    if sampled and len(sampled) < len(heads) and share < RANDOM_FLOOR:
        lift = RANDOM_FLOOR / share
        sink = (1 - RANDOM_FLOOR) / (1 - share)
        adjusted = [weight * (lift if index in sampled else sink) for index, weight in enumerate(weights)]
    else:
        adjusted = [float(weight) for weight in weights]
    mark = roll * sum(adjusted)
    for head, weight in zip(heads, adjusted, strict=True):
        mark -= weight
        if mark < 0:
            return head
    return heads[-1]


def take(*, user: User, queue_id: int | None = None, roll: float | None = None) -> Claim | None:
    """Step: claims one more slot, or None when nothing waits that this person may take."""
    with connection.cursor() as cursor:
        cursor.execute("select * from lane_heads(%s, %s)", [user.pk, queue_id])
        heads = [Head(*row) for row in cursor.fetchall()]
        while head := draw(heads, random.random() if roll is None else roll):  # noqa: S311
            cursor.execute("select * from take_head(%s, %s, %s)", [user.pk, head.lane_id, head.reserved])
            if row := cursor.fetchone():
                return Claim(*row)
            # Colleagues hold the locks of all that was there a moment ago: the next best lane.
            heads.remove(head)
    return None


def held(*, user: User, queue_id: int | None = None) -> list[Claim]:
    """What this person holds, the case on the screen first, then those claimed ahead, oldest first."""
    mine = Slot.objects.filter(holder=user, state=Slot.State.HELD)
    if queue_id:
        mine = mine.filter(lane__queue=queue_id)
    rows = mine.order_by(F("seen_at").desc(nulls_last=True), "claimed_at").values_list(
        "pk", "case_id", "lease_token", "lane__tenant_id", "lane__queue_id"
    )
    return [Claim(*row) for row in rows]


@transaction.atomic
def hold(*, user: User, queue_id: int | None = None, wanted: int = 2) -> list[Claim]:
    """The case to work on and the one on deck: what the person holds already, filled up to `wanted`."""
    claims = held(user=user, queue_id=queue_id)[:wanted]
    for claim in claims:
        _renew(user, claim.slot_id, claim.token, seen=False)
    while len(claims) < wanted and (another := take(user=user, queue_id=queue_id)):
        claims.append(another)
    return claims


def confirm(*, user: User, slot_id: int, token: int) -> Confirmed | None:
    """Step: the case is now on the person's screen: seen, with a fresh lease. None if it is no longer theirs."""
    return _renew(user, slot_id, token, seen=True)


def heartbeat(*, user: User, slot_id: int, token: int, on_deck: tuple[int, int] | None = None) -> None:
    """Keeps the lease while the person works, and that of the case on deck (slot, token). Raises ClaimLost."""
    if on_deck:
        _renew(user, *on_deck, seen=False)
    if not _renew(user, slot_id, token, seen=True):
        raise ClaimLost


@transaction.atomic
def release(*, user: User, queue_id: int | None = None) -> int:
    """Puts back everything this person holds (of one queue), as when they leave."""
    mine = Slot.objects.filter(holder=user, state=Slot.State.HELD)
    if queue_id:
        mine = mine.filter(lane__queue=queue_id)
    # Of the slots alone: a lane that is locked too holds up everybody who decides in it.
    back = list(mine.select_for_update(of=("self",)).values_list("pk", "case_id", "lane__tenant_id", "lane__queue_id"))
    Slot.objects.filter(pk__in=[row[0] for row in back]).update(state=Slot.State.OPEN, **_NOBODY)
    log.append_all(
        [
            log.Entry(actor=user, action="case.put_back", subject=f"case:{case}", tenant_id=tenant, queue_id=queue)
            for _, case, tenant, queue in back
        ]
    )
    return len(back)


@transaction.atomic
def defer(*, user: User, slot_id: int, token: int, until: datetime, reason: str) -> Slot:
    """Puts the case aside until a time; the deadline stands. Raises ClaimLost."""
    slot = _mine(user, slot_id, token)
    _leave(slot, state=Slot.State.DEFERRED, deferred_until=until, reason=reason)
    _record(user, slot, "case.deferred", {"until": until.isoformat()})
    return slot


@transaction.atomic
def pass_on(*, user: User, slot_id: int, token: int, to: User, reason: str) -> Slot:
    """Gives the case to a colleague who may take it. Raises ClaimLost; ValueError in words if they may not."""
    slot = _mine(user, slot_id, token)
    if to.pk not in colleagues(slot).values_list("pk", flat=True) or to.pk == user.pk:
        raise ValueError(f"{to.name} may not take this case. It is still yours.")
    _leave(slot, state=Slot.State.OPEN, reserved_for=to, reason=reason)
    _record(user, slot, "case.passed_on", {"to": to.pk})
    return slot


@transaction.atomic
def hand_up(*, user: User, slot_id: int, token: int, reason: str) -> Slot:
    """Gives the case to a higher authority; whoever handed it up is barred. Raises ClaimLost, CannotHandUp."""
    slot = _mine(user, slot_id, token)
    wanted = higher(slot)
    if wanted is None:
        raise CannotHandUp
    before = slot.lane
    slot.lane, _ = Lane.objects.get_or_create(
        queue=before.queue,
        stream=before.stream,
        tenant=before.tenant,
        language=before.language,
        authority=wanted,
        defaults={"weight": before.weight},
    )
    slot.barred = sorted({*slot.barred, user.pk})
    _leave(slot, state=Slot.State.OPEN, reserved_for=None, reason=reason)
    _record(user, slot, "case.handed_up", {"from": before.authority, "to": wanted})
    return slot


def higher(slot: Slot) -> str | None:
    """The authority that the case would go up to: the next level, or the one that its queue names."""
    if slot.lane.authority:
        return authorities.above(slot.lane.authority)
    return slot.lane.queue.hand_up_to or None


def colleagues(slot: Slot) -> QuerySet[User]:
    """Who may take this slot."""
    return takers(slot.lane_id).exclude(pk__in=slot.barred)


def takers(lane_id: int) -> QuerySet[User]:
    """Who may take from this lane, by name; a single slot may be barred to some of them."""
    return User.objects.filter(pk__in=LaneTaker.objects.filter(lane=lane_id).values("user")).order_by("name")


def _renew(user: User, slot_id: int, token: int, *, seen: bool) -> Confirmed | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update queues_slot slot
            set seen_at = case when %s then coalesce(seen_at, clock_timestamp()) else seen_at end,
                lease_until = clock_timestamp() + make_interval(mins => queue.lease_minutes)
            from queues_lane lane join queues_queue queue on queue.id = lane.queue_id
            where lane.id = slot.lane_id and slot.id = %s and slot.holder_id = %s and slot.lease_token = %s
              and slot.state = 'held'
            returning slot.id, slot.case_id, slot.lease_token, lane.tenant_id, lane.queue_id,
              (select count(*) from queues_slot other
               where other.holder_id = slot.holder_id and other.state = 'held' and other.id <> slot.id)
            """,
            [seen, slot_id, user.pk, token],
        )
        row = cursor.fetchone()
    return Confirmed(Claim(*row[:-1]), row[-1]) if row else None


def _mine(user: User, slot_id: int, token: int) -> Slot:
    slot = (
        Slot.objects.select_for_update(of=("self",))
        .select_related("lane__queue", "lane__tenant")
        .filter(pk=slot_id, holder=user, lease_token=token, state=Slot.State.HELD)
        .first()
    )
    if slot is None:
        raise ClaimLost
    return slot


_NOBODY: dict[str, None] = {"holder": None, "lease_until": None, "claimed_at": None, "seen_at": None}


def _leave(slot: Slot, **changes: object) -> None:
    for field, value in {**_NOBODY, **changes}.items():
        setattr(slot, field, value)
    slot.save()


def _record(user: User, slot: Slot, action: str, detail: dict[str, object]) -> None:
    log.append(
        actor=user,
        action=action,
        subject=f"case:{slot.case_id}",
        tenant_id=slot.lane.tenant_id,
        queue_id=slot.lane.queue_id,
        detail=detail,
    )
