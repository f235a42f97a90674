"""Tells producers when a person, asked about a case that a judge had labelled, says something else than the judge."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from codebook.models import JudgeAudit, Label
from codebook.versions import rubric
from hitl.audit import log
from queues import cases
from queues.models import Outcome
from reviews import recording

CHUNK: Final = 100


def tell_all(now: datetime) -> int:
    """A chore: settles the audits that people decided, each on its own; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_DECIDED, {"now": now, "chunk": CHUNK})
        found = cursor.fetchall()
    for audit, label in found:
        settle(audit_id=audit, label_id=label, now=now)
    return len(found)


@transaction.atomic
def settle(*, audit_id: int, label_id: int, now: datetime) -> bool:
    """Compares a person's answer, which can't be taken back any more, with what the producer was told.

    Where it differs, in the verdict or in a category, the producer is told with the next revision, and the case counts
    as decided by a person. Where it does not, the judge's word stands as it is. True if the producer was told.
    """
    audit = JudgeAudit.objects.select_for_update().select_related("slot").get(pk=audit_id)
    if audit.settled_id == label_id:
        return False
    case, _ = recording.lock_case(audit.slot.case_id)
    label = Label.objects.select_related("review").get(pk=label_id)
    stamp = rubric(label.version_id)
    keys = stamp.keys(frozenset(label.given.values_list("category", flat=True)))
    told = Outcome.objects.get(case=case)
    audit.settled = label
    audit.save(update_fields=["settled"])
    if (told.verdict, set(told.categories)) == (label.verdict, set(keys)):
        return False
    cases.record_outcome(
        case=case,
        verdict=Outcome.Verdict(label.verdict),
        final_answer=label.review.final_answer,
        categories=keys,
        codebook=stamp.slug,
        codebook_version=stamp.number,
        now=now,
        undo_seconds=0,
        amend=True,
    )
    log.append(
        actor=label.user,
        action="case.corrected",
        subject=f"case:{case.pk}",
        tenant_id=case.tenant_id,
        queue_id=case.queue_id,
        detail={"verdict": label.verdict, "categories": keys, "codebook": stamp.slug, "version": stamp.number},
    )
    return True


# The answer that stands on each audit's slot, once it can't be taken back.
_DECIDED: Final = """
select audit.slot_id, answer.id
from codebook_judgeaudit audit
join queues_slot slot on slot.id = audit.slot_id
join queues_lane lane on lane.id = slot.lane_id
join queues_queue queue on queue.id = lane.queue_id
cross join lateral (
  select label.id from codebook_label label
  where label.slot_id = slot.id and label.undone_at is null order by label.id desc limit 1
) answer
where slot.state = 'decided' and slot.decided_at <= %(now)s - make_interval(secs => queue.undo_seconds)
  and audit.settled_id is distinct from answer.id
order by slot.decided_at limit %(chunk)s
"""
