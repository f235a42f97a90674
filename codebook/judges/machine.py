"""Writes the labels of judges whose word is enough, and tells the producers: machine labels, and never a person's."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from codebook.judges import audits as judge_audits
from codebook.models import Label, LabelBatch, LabelCategory, Version
from codebook.versions import Rubric, current
from hitl.audit import log
from queues import cases
from queues.models import JudgeKept, JudgeVerdict, Outcome

CHUNK: Final = 200
ROUNDS: Final = 20
NAME_LONGEST: Final = 120


def label_all(now: datetime) -> int:
    """A chore: labels what judges kept from people since, some hundred a transaction; returns how many."""
    done = 0
    for _ in range(ROUNDS):
        done += (chunk := label(now=now))
        if chunk < CHUNK:
            break
    return done


@transaction.atomic
def label(*, now: datetime) -> int:
    """The labels of cases that a judge's word is enough for, with the newest version of their queue's codebook.

    The producer is told at once, and that no person was asked. A category that the codebook does not have is left out,
    and said on record. A share is drawn for people to decide all the same. A queue without a codebook waits for one.
    """
    published = Version.objects.filter(codebook__queue_uses__queue=OuterRef("queue"), state=Version.State.PUBLISHED)
    waiting = JudgeKept.objects.filter(Exists(published), labelled_at=None)
    kept = list(
        waiting.select_for_update(skip_locked=True, of=("self", "case"), no_key=True)
        .select_related("case", "queue", "verdict")
        .order_by("case")[:CHUNK]
    )
    by_queue: dict[int, list[JudgeKept]] = defaultdict(list)
    for one in kept:
        by_queue[one.queue_id].append(one)
    for queue_id, together in by_queue.items():
        _label(together, current(queue_id), now)
    JudgeKept.objects.filter(pk__in=[one.pk for one in kept]).update(labelled_at=now)
    return len(kept)


def name_of(verdict: JudgeVerdict) -> str:
    """The judge and its version, as its labels are signed."""
    return signed(verdict.judge, verdict.judge_version)


def signed(judge: str, version: str) -> str:
    return f"{judge} {version}".strip()[:NAME_LONGEST]


def _label(kept: Sequence[JudgeKept], stamp: Rubric, now: datetime) -> None:
    """Step: the labels of one queue."""
    batches = {origin: _batch(kept[0].queue_id, stamp, origin, now) for origin in {one.case.origin for one in kept}}
    labels = Label.objects.bulk_create(
        Label(
            case=one.case,
            batch=batches[one.case.origin],
            version_id=stamp.id,
            rater=Label.Rater.JUDGE,
            rater_name=name_of(one.verdict),
            verdict=one.verdict.verdict,
            created_at=now,
        )
        for one in kept
    )
    ids = {category.key: category.pk for category in stamp.categories}
    LabelCategory.objects.bulk_create(
        LabelCategory(label=label, category_id=ids[key], version_id=stamp.id)
        for one, label in zip(kept, labels, strict=True)
        for key in dict.fromkeys(one.verdict.categories)
        if key in ids
    )
    for one in kept:
        _tell(one, stamp, now)
    log.append_all([_entry(one, stamp, ids.keys()) for one in kept])
    judge_audits.draw(labels=labels, queue=kept[0].queue, codebook_id=stamp.codebook_id, now=now)


def _batch(queue_id: int, stamp: Rubric, origin: str, now: datetime) -> LabelBatch:
    """The open batch of judges' labels, held open until they are in it."""
    fields = {"queue_id": queue_id, "version_id": stamp.id, "origin": origin, "purpose": LabelBatch.Purpose.JUDGE}
    batch, _ = LabelBatch.objects.select_for_update(no_key=True).get_or_create(
        **fields, closed_at=None, defaults={"opened_at": now}
    )
    return batch


def _tell(one: JudgeKept, stamp: Rubric, now: datetime) -> None:
    accepts = one.verdict.verdict == Label.Verdict.ACCEPT
    given = set(one.verdict.categories)
    cases.record_outcome(
        case=one.case,
        verdict=Outcome.Verdict(one.verdict.verdict),
        final_answer=one.case.draft if accepts else "",
        categories=[category.key for category in stamp.categories if category.key in given],
        codebook=stamp.slug,
        codebook_version=stamp.number,
        now=now,
        undo_seconds=0,
        judge=name_of(one.verdict),
    )


def _entry(one: JudgeKept, stamp: Rubric, known: Collection[str]) -> log.Entry:
    unknown = [key for key in one.verdict.categories if key not in known]
    return log.Entry(
        action="case.machine_labelled",
        subject=f"case:{one.case_id}",
        tenant_id=one.case.tenant_id,
        queue_id=one.queue_id,
        detail={
            "verdict": one.verdict.verdict,
            "codebook": stamp.slug,
            "version": stamp.number,
            "why": one.because,
            "unknown_categories": unknown,
        },
        actor_name=name_of(one.verdict),
    )
