"""A case as a lead looks at it: what became of it so far, unless the lead may still have to decide it themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from codebook.models import Label
from hitl.models import User
from queues import seconds
from queues.models import Breach, Case, Outcome, Slot


@dataclass(frozen=True, slots=True)
class Seat:
    """A slot of the case, with the labels given on it, first to last; `hidden`: there may be one that is not shown."""

    slot: Slot
    labels: Sequence[Label]
    hidden: bool
    breached_at: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """`independent`: the person may still decide a seat, so whatever was decided is withheld (guarantee 5), and that
    anything was: the seat that waits is shown as if it were the first.
    """

    seats: Sequence[Seat]
    outcome: Outcome | None
    independent: bool


def history(case: Case, user: User) -> History:
    slots = list(
        case.slots.select_related("lane__queue", "holder", "decided_by", "reserved_for").order_by("round", "seat")
    )
    independent = seconds.undecided(user).filter(case=case).exists()
    if independent:
        slots = [slot for slot in slots if slot.state != Slot.State.DECIDED][-1:]
    labels = Label.objects.filter(slot__in=slots).select_related("user", "version__codebook", "review")
    if independent:
        labels = labels.none()
    by_slot: dict[int, list[Label]] = {}
    for label in labels.prefetch_related("given__category").order_by("pk"):
        if label.slot_id:
            by_slot.setdefault(label.slot_id, []).append(label)
    late = dict(Breach.objects.filter(slot__in=slots).values_list("slot", "at"))
    seats = [
        Seat(slot, by_slot.get(slot.pk, ()), independent, None if independent else late.get(slot.pk)) for slot in slots
    ]
    outcome = None if independent else Outcome.objects.filter(case=case).first()
    return History(seats, outcome, independent)
