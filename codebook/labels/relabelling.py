"""Relabels: cases whose labels are in quarantine come back to the queues, blind, and are decided under the new words.

The order is on record at once; the worker finds the cases and opens their slots, a chunk at a time.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from codebook.models import Category, Codebook, Relabel, RelabelSlot
from codebook.standing import Standing, standing
from hitl.audit import log
from hitl.jobs import progress
from hitl.jobs.models import Job
from hitl.models import User
from queues.asking import Again, ask_again
from queues.lanes import LaneKey, find_or_make
from queues.models import Case, Lane, LaneTaker, Slot

CHUNK: Final = 500
OPEN: Final = "codebook.labels.relabelling.open_slots"
REMOVE: Final = "codebook.labels.relabelling.remove_unclaimed"


class CannotRelabel(ValueError):
    """Nothing was ordered or cancelled; the text says why."""


@transaction.atomic
def order(
    *, codebook: Codebook, category: Category, share: Decimal, reason: str, by: User, now: datetime
) -> tuple[Relabel, Job]:
    """Orders that a share (above 0, up to 1) of the affected cases be decided again. Raises CannotRelabel.

    Affected: cases of the codebook's queues with a label under a version whose labels of the category are in
    quarantine, whether the label gave it or not, and with no answer (codebook_finallabel) under one that still counts.
    """
    codebook = _locked(codebook, by)
    found = standing(codebook.pk)
    if category.pk not in found.judged_under:
        raise CannotRelabel(f"“{category.title}” is not in the newest version, so nobody can be asked about it.")
    if not found.quarantined.get(category.pk):
        raise CannotRelabel(f"No label of “{category.title}” is in quarantine, so there is nothing to decide again.")
    if not 0 < share <= 1:
        raise CannotRelabel("The share is more than 0% and at most 100%.")
    if not (reason := reason.strip()):
        raise CannotRelabel("Say what for. The reason goes on record.")
    ordered = Relabel.objects.create(
        codebook=codebook, category=category, share=share, affected=0, reason=reason, ordered_by=by, ordered_at=now
    )
    _record(ordered, "relabel.ordered", by, {"share": str(share), "reason": reason})
    title = f"Relabel of {category.title}"
    job = progress.start(kind="relabel", title=title, tenant=None, user=by, task=OPEN, args=[ordered.pk])
    return ordered, job


@transaction.atomic
def cancel(*, order: Relabel, by: User, now: datetime) -> Job:
    """Takes back what nobody has claimed yet; what was decided stays, and counts. Raises CannotRelabel."""
    _locked(order.codebook, by)
    order = Relabel.objects.select_for_update(of=("self",)).select_related("category").get(pk=order.pk)
    if order.cancelled_at:
        raise CannotRelabel(f"It was cancelled on {order.cancelled_at:%-d %B %Y} already.")
    order.cancelled_at = now
    order.save(update_fields=["cancelled_at"])
    _record(order, "relabel.cancelled", by, {})
    title = f"Cancelling the relabel of {order.category.title}"
    return progress.start(kind="relabel", title=title, tenant=None, user=by, task=REMOVE, args=[order.pk])


def open_slots(job_id: int, order_id: int) -> None:
    """In the worker: finds the cases, and opens a slot for each that is drawn. Run again, it goes on where it was."""
    order = Relabel.objects.select_related("category", "codebook").get(pk=order_id)
    found = standing(order.codebook_id)
    if order.category_id not in found.judged_under:
        raise progress.JobFailed("Another version was published in the meantime. Order the relabel again under that.")
    affected = affected_cases(found, order.category_id)
    drawn = [case for case in affected if is_drawn(order.category_id, case, order.share)]
    opened = RelabelSlot.objects.filter(order=order).count()
    if not opened:
        Relabel.objects.filter(pk=order_id).update(affected=len(affected))
    progress.advance(job_id, 0, len(drawn))
    for start in range(0, len(drawn), CHUNK):
        chunk = _open_chunk(order_id=order_id, cases=drawn[start : start + CHUNK], now=timezone.now())
        if chunk is None:
            break
        opened += chunk
        progress.advance(job_id, min(start + CHUNK, len(drawn)))
    progress.finish(
        job_id,
        {
            "sentence": f"{opened:,} of {len(affected):,} affected cases are in their queues again.",
            "url": reverse("codebook_standing", args=[order.codebook.slug]),
            "link": "Back to the quarantine",
        },
    )


def remove_unclaimed(job_id: int, order_id: int) -> None:
    """In the worker: away with the slots of a cancelled order that nobody ever claimed."""
    order = Relabel.objects.select_related("codebook").get(pk=order_id, cancelled_at__isnull=False)
    total, removed = RelabelSlot.objects.filter(order=order, slot__state=Slot.State.OPEN).count(), 0
    progress.advance(job_id, 0, total)
    while chunk := _remove_chunk(order_id):
        removed += chunk
        progress.advance(job_id, removed)
    progress.finish(
        job_id,
        {
            "sentence": f"{removed:,} cases are out of their queues again. What somebody had begun or decided stays.",
            "url": reverse("codebook_standing", args=[order.codebook.slug]),
            "link": "Back to the quarantine",
        },
    )


def is_drawn(category_id: int, case_id: int, share: Decimal) -> bool:
    """Whether a case is in the sample. It always is or is not: a larger share holds all that is in a smaller one.

    The first eight bytes of the SHA-256 of "relabel:<category>:<case>", as a fraction, are below the share.
    """
    drawn = hashlib.sha256(f"relabel:{category_id}:{case_id}".encode()).digest()[:8]
    return int.from_bytes(drawn) < share * 2**64


def affected_cases(found: Standing, category_id: int) -> list[int]:
    """Cases that a relabel of the category is about, without those that already wait for one; oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            _AFFECTED,
            {
                "codebook": found.newest.codebook_id,
                "out": list(found.quarantined[category_id]),
                "good": list(found.judged_under[category_id]),
            },
        )
        return [case for (case,) in cursor.fetchall()]


@transaction.atomic
def _open_chunk(*, order_id: int, cases: Sequence[int], now: datetime) -> int | None:
    """How many slots were opened; None once the order is cancelled."""
    order = Relabel.objects.select_for_update().get(pk=order_id)
    if order.cancelled_at:
        return None
    barred = _barred(cases)
    wanted = [Again(case, barred=barred.get(case, ())) for case in cases]
    slots = ask_again(wanted=wanted, purpose=Slot.Purpose.RELABEL, now=now)
    RelabelSlot.objects.bulk_create(RelabelSlot(slot_id=slot, order=order) for slot in slots.values())
    return len(slots)


def _barred(cases: Iterable[int]) -> Mapping[int, tuple[int, ...]]:
    """Whoever decided a case before is not asked again, unless nobody else could answer."""
    deciders: dict[int, set[int]] = defaultdict(set)
    for case, user in Slot.objects.filter(case__in=cases, decided_by__isnull=False).values_list("case", "decided_by"):
        if user:
            deciders[case].add(user)
    lanes = {
        case.pk: LaneKey(case.queue_id, Lane.Stream.QUALITY.value, case.tenant_id, case.language, case.authority)
        for case in Case.objects.filter(pk__in=deciders).only("queue", "tenant", "language", "authority")
        if case.queue_id
    }
    made = find_or_make(lanes.values())
    takers: dict[int, set[int]] = defaultdict(set)
    for lane, user in LaneTaker.objects.filter(lane__in=set(made.values())).values_list("lane", "user"):
        takers[lane].add(user)
    return {case: tuple(sorted(deciders[case])) for case, key in lanes.items() if takers[made[key]] - deciders[case]}


@transaction.atomic
def _remove_chunk(order_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_UNCLAIMED, [order_id, CHUNK * 10])
        slots = [slot for (slot,) in cursor.fetchall()]
        # The ORM would look for what hangs on each slot; nothing can, as nobody ever held it.
        cursor.execute("delete from codebook_relabelslot where slot_id = any(%s)", [slots])
        cursor.execute("delete from queues_slot where id = any(%s)", [slots])
    return len(slots)


def _locked(codebook: Codebook, by: User) -> Codebook:
    codebook = Codebook.objects.select_for_update(of=("self",)).select_related("owner").get(pk=codebook.pk)
    if codebook.owner_id != by.pk:
        raise CannotRelabel(f"Only {codebook.owner.name} orders and cancels relabels of “{codebook.title}”.")
    return codebook


def _record(order: Relabel, action: str, by: User, detail: dict[str, Any]) -> None:
    log.append(
        actor=by,
        action=action,
        subject=f"codebook:{order.codebook_id}",
        tenant_id=None,
        detail={"relabel": order.pk, "category": order.category.key, **detail},
    )


_AFFECTED: Final = """
with out as (
  select distinct label.case_id from codebook_label label
  where label.version_id = any(%(out)s) and label.undone_at is null and label.rater <> 'judge'
), good as (
  select distinct label.case_id from codebook_label label join codebook_labelbatch batch on batch.id = label.batch_id
  where label.version_id = any(%(good)s) and label.undone_at is null and label.rater = 'person'
    and batch.purpose in ('adjudication', 'relabel', 'first', 'judge_audit')
)
select told.id from out
join queues_case told on told.id = out.case_id
join codebook_queuecodebook used on used.queue_id = told.queue_id and used.codebook_id = %(codebook)s
where not exists (select from good where good.case_id = told.id)
  and not exists (
    select from queues_slot slot where slot.case_id = told.id and slot.purpose = 'relabel' and slot.state <> 'decided')
order by told.id
"""

_UNCLAIMED: Final = """
select slot.id from codebook_relabelslot wanted join queues_slot slot on slot.id = wanted.slot_id
where wanted.order_id = %s and slot.state = 'open' and slot.lease_token = 0
order by slot.id limit %s for update of slot skip locked
"""
