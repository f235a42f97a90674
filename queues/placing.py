"""Puts cases where people find them: a slot in a lane for each case that has a queue, and another try for the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db import connection, transaction

from hitl.audit import log
from hitl.models import User
from queues import keeping, terms
from queues.lanes import LaneKey, find_or_make
from queues.models import Case, Lane, Sampled, Slot
from queues.risk import Risk
from queues.weighing import Facts, Weigher


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One slot to open."""

    case_id: int
    lane: LaneKey
    priority: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class RoutedAgain:
    """How many cases found a queue, and how many still have none."""

    routed: int
    unrouted: int


SLOT_COLUMNS = (
    "case_id", "lane_id", "purpose", "round", "seat", "state", "priority", "due_at", "overdue", "barred", "created_at",
    "reason", "lease_token",
)  # fmt: skip


def open_slots(rows: Sequence[SlotRow], *, now: datetime) -> None:
    """A step: a first slot for each case, in its lane. The tick marks what is overdue, and records the breach."""
    lanes = find_or_make({row.lane for row in rows})
    first, waiting = Slot.Purpose.FIRST.value, Slot.State.OPEN.value
    columns = ", ".join(SLOT_COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"copy queues_slot ({columns}) from stdin") as copy:
        for row in rows:
            lane = lanes[row.lane]
            copy.write_row((row.case_id, lane, first, 1, 1, waiting, row.priority, row.due_at, False, "{}", now, "", 0))


def lane_of(
    *, queue_id: int, tenant_id: int, language: str, authority: str, stream: str = Lane.Stream.ESCALATION.value
) -> LaneKey:
    return LaneKey(queue_id, stream, tenant_id, language, authority)


def stream_of(policies: Iterable[str]) -> str:
    """Where a case from these sampling policies waits. What the random draw picked waits among the random sample though
    others picked it too, or that sample would leave out the worst.
    """
    return Lane.Stream.RANDOM.value if Sampled.Policy.RANDOM in policies else Lane.Stream.SAMPLED.value


def streams_of(cases: Iterable[Case]) -> dict[int, str]:
    """The stream of each of these cases that came out of the traffic; the others are escalations."""
    sampled = [case.pk for case in cases if case.origin == Case.Origin.SAMPLING]
    found = Sampled.objects.filter(case__in=sampled).values_list("case_id", "policies") if sampled else ()
    return {case_id: stream_of(policies) for case_id, policies in found}


@transaction.atomic
def route_again(*, cases: Iterable[Case], by: User | None, now: datetime) -> RoutedAgain:
    """Try unrouted cases against the rules as they are now; those that find a queue get their slot there.

    One that the queue's judge is sure of gets none, since nobody is asked. Cases that were routed or decided in the
    meantime are left alone. A queue's own deadline counts from now; the producer's stays. What came out of the traffic
    has no deadline, and a person decides it.
    """
    wanted = Case.objects.filter(pk__in=[case.pk for case in cases], queue=None, state=Case.State.WAITING)
    locked = list(wanted.select_for_update(of=("self",)).select_related("tenant").order_by("tenant_id", "pk"))
    routed: list[Case] = []
    slots: list[SlotRow] = []
    kept: list[keeping.Kept] = []
    for tenant, waiting in groupby(locked, key=lambda case: case.tenant):
        weigher = Weigher(terms.of(tenant), now)
        trusting = any(queue.judge_first for queue in weigher.terms.queues.values())
        together = list(waiting)
        streams = streams_of(together)
        words = keeping.words_on(together) if trusting else {}
        for case in together:
            rating = case.assessment.get("sent", {}).get("user_rating")
            risk, fired = Risk(case.risk), frozenset(case.triggers)
            placement = weigher.place(
                Facts(case.domain, case.topic, case.language, risk, fired, case.producer_deadline, rating)
            )
            if placement.queue_id is None:
                continue
            case.queue_id, case.authority = placement.queue_id, placement.routed.authority
            case.routing = placement.routed.to_json()
            stream = streams.get(case.pk)
            if stream is None:
                case.due_at, case.due_because = placement.due_at, placement.due_because
            routed.append(case)
            trusted = weigher.terms.queues[placement.queue_id].judge_first
            word = keeping.enough(case, placement.queue_id, trusted, words.get(case.pk, ()))
            if word and stream is None:
                case.state = Case.State.MACHINE
                kept.append(word)
                continue
            lane = lane_of(
                queue_id=placement.queue_id,
                tenant_id=tenant.pk,
                language=case.language,
                authority=case.authority,
                stream=stream or Lane.Stream.ESCALATION.value,
            )
            slots.append(SlotRow(case.pk, lane, placement.priority, case.due_at))
    if routed:
        Case.objects.bulk_update(
            routed, ["state", "queue", "authority", "routing", "due_at", "due_because"], batch_size=500
        )
        if kept:
            keeping.keep(kept, now=now)
        open_slots(slots, now=now)
        _record(routed, by)
    return RoutedAgain(len(routed), len(locked) - len(routed))


def _record(routed: Sequence[Case], by: User | None) -> None:
    """One record for each tenant and queue, so that each lead finds it."""

    def where(case: Case) -> tuple[int, int]:
        return case.tenant_id, case.queue_id or 0

    for (tenant_id, queue_id), cases in groupby(sorted(routed, key=where), key=where):
        log.append(
            actor=by,
            action="cases.routed",
            subject=f"queue:{queue_id}",
            tenant_id=tenant_id,
            queue_id=queue_id,
            detail={"cases": [case.pk for case in cases]},
            actor_name="" if by else "hitl",
        )
