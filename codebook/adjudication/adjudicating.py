"""The owner's last word on a case: a label of its own, in a round of its own. What the others said stays as it was."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from codebook.labels import labelling
from codebook.models import Adjudication, Codebook, Disagreement, Label, Version
from codebook.versions import Rubric, in_use
from hitl.audit import log
from hitl.models import User
from queues import seconds
from queues.masks import vault
from queues.models import Case, Slot
from queues.scrubbing import scrubbed


class NotSettled(ValueError):
    """The last word was not taken, and nothing was changed; the message says why."""


def newest(codebook: Codebook) -> Rubric:
    """The version that a last word is given under. Raises NoCodebook while nothing is published."""
    published = codebook.versions.filter(state=Version.State.PUBLISHED).order_by("-number")
    return in_use(published.values_list("pk", flat=True).first())


@transaction.atomic
def adjudicate(
    *,
    case: Case,
    round: int,
    codebook: Codebook,
    version_id: int,
    verdict: str,
    category_ids: Collection[int],
    sided_with: Label | None,
    note: str,
    by: User,
    now: datetime,
    corrects: int | None = None,
    told: bool = False,
) -> Adjudication:
    """Settles a round of a case. `version_id` is what the owner had on screen; `told`: the producer hears of it.

    `corrects` is the label of the last word that the owner had on screen, None if there was none: so of two tabs the
    second is refused. A correction is a label that follows the first, which is on record as taken back. Raises
    NotSettled; labelling.WrongVersion if the codebook has a newer version, or a category is not of it.
    """
    case = Case.objects.select_for_update(no_key=True, of=("self",)).select_related("tenant").get(pk=case.pk)
    before = Adjudication.objects.select_related("label__slot").filter(case=case, round=round).first()
    _check(case, codebook, by, before, corrects)
    stamp = newest(codebook)
    if stamp.id != version_id:
        raise labelling.WrongVersion
    seat = case.slots.select_related("lane").filter(round=round).earliest("seat")
    slot = before.label.slot if before else _slot(case, seat, by, now)
    assert slot
    if before:
        before.label.undone_at = now
        before.label.save(update_fields=["undone_at"])
    label = labelling.give(
        slot=slot,
        queue_id=seat.lane.queue_id,
        origin=case.origin,
        user=by,
        stamp=stamp,
        verdict=verdict,
        category_ids=category_ids,
        now=now,
        follows=before.label if before else None,
    )
    word, _ = Adjudication.objects.update_or_create(
        case=case,
        round=round,
        defaults={"label": label, "sided_with": sided_with, "note": scrubbed(note, case.tenant), "by": by, "at": now},
    )
    vault.keep(tenant=case.tenant, stored=[word.note], now=now)
    Disagreement.objects.filter(case=case, round=round, settled_at=None).update(settled_at=now)
    log.append(
        actor=by,
        action="case.adjudication_corrected" if before else "case.adjudicated",
        subject=f"case:{case.pk}",
        tenant_id=case.tenant_id,
        queue_id=seat.lane.queue_id,
        detail={
            "verdict": str(verdict),
            "categories": stamp.keys(frozenset(category_ids)),
            "sided_with": sided_with.pk if sided_with else None,
            "codebook": stamp.slug,
            "version": stamp.number,
            "producer_told": told,
        },
    )
    return word


def _check(case: Case, codebook: Codebook, by: User, before: Adjudication | None, corrects: int | None) -> None:
    if codebook.owner_id != by.pk:
        raise NotSettled(f"Only {codebook.owner.name} has the last word on “{codebook.title}”.")
    if seconds.undecided(by).filter(case=case).exists():
        raise NotSettled("You may still be the one to decide this case, so its decisions are kept from you until then.")
    if before and before.label_id != corrects:
        raise NotSettled(
            f"{before.by.name} settled this case on {before.at:%-d %b at %H:%M} UTC, in another tab perhaps. That word "
            "stands; look at it below, and correct it if need be."
        )
    if corrects and not before:
        raise NotSettled("There is no last word to correct. Reload the page.")


def _slot(case: Case, seat: Slot, by: User, now: datetime) -> Slot:
    return Slot.objects.create(
        case=case,
        lane=seat.lane,
        purpose=Slot.Purpose.ADJUDICATION,
        round=case.slots.latest("round").round + 1,
        state=Slot.State.DECIDED,
        decided_by=by,
        decided_at=now,
        created_at=now,
    )
