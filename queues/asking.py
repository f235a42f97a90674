"""Asks for a case to be decided once more, by people who are not told why: a slot in a new round."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from queues.lanes import LaneKey, find_or_make
from queues.models import Case, Lane, Slot


@dataclass(frozen=True, slots=True)
class Again:
    """A case to ask about. `barred`: who may not answer. `reserved_for`: who alone may."""

    case_id: int
    barred: tuple[int, ...] = ()
    reserved_for: int | None = None


def ask_again(*, wanted: Sequence[Again], purpose: Slot.Purpose, now: datetime) -> dict[int, int]:
    """Step: a slot for each case that has a queue, in the queue's lane of quality checks; {case id: slot id}.

    Nothing on the reviewer's screen tells it from a first decision, and nobody waits for the answer.
    """
    ids = [one.case_id for one in wanted]
    # Locked, so that two who ask at the same moment do not both open the same round.
    cases = {case.pk: case for case in Case.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    rounds = dict(
        Slot.objects.filter(case__in=ids).values_list("case").annotate(last=Max("round")).values_list("case", "last")
    )
    lanes = {
        case.pk: LaneKey(case.queue_id, Lane.Stream.QUALITY.value, case.tenant_id, case.language, case.authority)
        for case in cases.values()
        if case.queue_id
    }
    made = find_or_make(lanes.values())
    slots = Slot.objects.bulk_create(
        Slot(
            case_id=one.case_id,
            lane_id=made[lanes[one.case_id]],
            purpose=purpose,
            round=rounds.get(one.case_id, 0) + 1,
            barred=list(one.barred),
            reserved_for_id=one.reserved_for,
            created_at=now,
        )
        for one in wanted
        if one.case_id in lanes
    )
    return {slot.case_id: slot.pk for slot in slots}
