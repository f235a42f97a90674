"""A case as a lead looks at it: what became of it so far, unless the lead may still have to decide it themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from codebook.models import Label
from hitl.models import User
from queues.models import Breach, Case, LaneTaker, Outcome, Slot


@dataclass(frozen=True, slots=True)
class Seat:
    """A slot of the case, with the labels given on it, first to last; `hidden`: there may be one that is not shown."""

    slot: Slot
    labels: Sequence[Label]
    hidden: bool
    breached_at: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """`independent`: the person may still decide a seat, so decisions of others are withheld (guarantee 5)."""

    seats: Sequence[Seat]
    outcome: Outcome | None
    independent: bool


def history(case: Case, user: User) -> History:
    slots = list(
        case.slots.select_related("lane__queue", "holder", "decided_by", "reserved_for").order_by("round", "seat")
    )
    independent = may_still_decide(slots, user)
    labels = Label.objects.filter(slot__in=slots).select_related("user", "version__codebook", "review")
    if independent:
        labels = labels.filter(user=user)
    by_slot: dict[int, list[Label]] = {}
    for label in labels.prefetch_related("given__category").order_by("pk"):
        if label.slot_id:
            by_slot.setdefault(label.slot_id, []).append(label)
    late = dict(Breach.objects.filter(slot__in=slots).values_list("slot", "at"))
    seats = [
        Seat(slot, by_slot.get(slot.pk, ()), independent and slot.decided_by_id != user.pk, late.get(slot.pk))
        for slot in slots
    ]
    outcome = None if independent else Outcome.objects.filter(case=case).first()
    return History(seats, outcome, independent)


def may_still_decide(slots: Sequence[Slot], user: User) -> bool:
    """Whether an undecided seat may yet be the person's: theirs to take, or in their hands already."""
    open_seats = [slot for slot in slots if slot.state != Slot.State.DECIDED and user.pk not in slot.barred]
    if any(slot.holder_id == user.pk or slot.reserved_for_id == user.pk for slot in open_seats):
        return True
    lanes = {slot.lane_id for slot in open_seats}
    return bool(lanes) and LaneTaker.objects.filter(user=user, lane__in=lanes).exists()
