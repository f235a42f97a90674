"""People decide some of the cases that a judge was sure of, without being told: how often they disagree is measured.

Of each stratum (what the judge said, and the case's risk) a share is drawn by a fixed hash as the labels come, so the
questions spread over the quarter. Where the share gives too few, the least hashes are taken until FEWEST a quarter are
asked: in proportion to how much of the quarter is over, so that these spread too.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from django.db import connection, transaction

from codebook.models import JudgeAudit, Label
from hitl.audit import log
from queues.asking import Again, ask_again
from queues.models import Case, Queue, Slot
from queues.quarters import Quarter, quarter_of
from queues.risk import Risk

FEWEST: Final = 10
# What came in the last moments of a quarter is looked at in the first days of the next.
LATE: Final = timedelta(days=2)


def stratum_of(verdict: str, risk: int) -> str:
    """What the judge said, and at which risk: people may disagree with its two words to quite different degrees."""
    return f"{verdict}, {Risk(risk).label.lower()} risk"


def drawn(case_id: int) -> float:
    """The case's fixed number from 0 to 1: nobody can draw again, and it knows nothing of the case."""
    return int.from_bytes(hashlib.sha256(f"judge audit:{case_id}".encode()).digest()[:8]) / 2**64


def draw(*, labels: Sequence[Label], queue: Queue, codebook_id: int, now: datetime) -> int:
    """Step: asks people about the share of these new machine labels that the queue wants audited; returns how many."""
    picked = [label for label in labels if drawn(label.case_id) < queue.judge_audit_share]
    return _ask(picked, codebook_id, quarter_of(now), now)


def top_up(now: datetime) -> int:
    """A chore: asks about more in the strata where the share gives too few; returns about how many."""
    quarters = {one.name: one for one in (quarter_of(now - LATE), quarter_of(now))}
    asked = 0
    for quarter in quarters.values():
        with connection.cursor() as cursor:
            cursor.execute(_STRATA, {"begins": quarter.begins, "ends": quarter.ends})
            rows = cursor.fetchall()
        for queue_id, codebook_id, verdict, risk, labels, audits in rows:
            if audits < min(labels, wanted(quarter.over(now))):
                asked += _fill(
                    queue_id=queue_id, codebook_id=codebook_id, verdict=verdict, risk=risk, quarter=quarter, now=now
                )
    return asked


def wanted(over: float) -> int:
    """How many of a stratum are asked about at least, when so much of the quarter is over."""
    return ceil(FEWEST * over)


@transaction.atomic
def _fill(*, queue_id: int, codebook_id: int, verdict: str, risk: int, quarter: Quarter, now: datetime) -> int:
    # Two ticks that overlap for a moment fill it one after the other.
    Queue.objects.select_for_update(no_key=True).get(pk=queue_id)
    with connection.cursor() as cursor:
        cursor.execute(
            _OF_STRATUM,
            {
                "begins": quarter.begins,
                "ends": quarter.ends,
                "queue": queue_id,
                "codebook": codebook_id,
                "verdict": verdict,
                "risk": risk,
            },
        )
        found = cursor.fetchall()
    missing = min(len(found), wanted(quarter.over(now))) - sum(audited for *_, audited in found)
    least = sorted((drawn(case), label) for label, case, audited in found if not audited)[: max(0, missing)]
    return _ask(list(Label.objects.filter(pk__in=[label for _, label in least])), codebook_id, quarter, now)


def _ask(labels: Sequence[Label], codebook_id: int, quarter: Quarter, now: datetime) -> int:
    """Step: a blind slot for each, in the lane of quality checks."""
    if not labels:
        return 0
    slots = ask_again(wanted=[Again(label.case_id) for label in labels], purpose=Slot.Purpose.JUDGE_AUDIT, now=now)
    cases: Mapping[int, Case] = Case.objects.in_bulk([label.case_id for label in labels])
    JudgeAudit.objects.bulk_create(
        JudgeAudit(
            slot_id=slots[label.case_id],
            codebook_id=codebook_id,
            label=label,
            stratum=stratum_of(label.verdict, cases[label.case_id].risk),
            quarter=quarter.name,
        )
        for label in labels
        if label.case_id in slots
    )
    log.append(
        actor=None,
        action="judge.audited",
        subject=f"codebook:{codebook_id}",
        tenant_id=None,
        detail={"cases": len(slots), "quarter": quarter.name},
        actor_name="hitl",
    )
    return len(slots)


# Labels of judges in the quarter, of the cases that they kept from people.
_MACHINE: Final = """
from queues_judgekept kept
join queues_case told on told.id = kept.case_id
join codebook_label label on label.case_id = kept.case_id and label.rater = 'judge' and label.undone_at is null
join codebook_version version on version.id = label.version_id
left join codebook_judgeaudit audit on audit.label_id = label.id
where kept.labelled_at >= %(begins)s and kept.labelled_at < %(ends)s
"""

_STRATA: Final = f"""
select kept.queue_id, version.codebook_id, label.verdict, told.risk, count(distinct label.id), count(audit.slot_id)
{_MACHINE} and kept.kept_at >= %(begins)s - interval '7 days'
group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""

_OF_STRATUM: Final = f"""
select label.id, label.case_id, count(audit.slot_id) > 0
{_MACHINE} and kept.queue_id = %(queue)s and version.codebook_id = %(codebook)s and label.verdict = %(verdict)s
  and told.risk = %(risk)s
group by label.id, label.case_id
"""
