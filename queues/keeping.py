"""Keeps cases from people where the queue trusts the judge: no slot, and a note for the judge's label."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from hitl.models import Tenant
from queues.judging import Facts, JudgeFirst, Said, may_label
from queues.models import Case, JudgeKept, JudgeVerdict, Queue
from queues.risk import Risk

COUNTED_AT_MOST: Final = 10_000


class Kept(NamedTuple):
    case_id: int
    queue_id: int
    verdict_id: int
    because: str


def keep(rows: Sequence[Kept], *, now: datetime) -> None:
    """A step: these cases need no person. The judge's label follows in a moment (`codebook.judges.machine`)."""
    with (
        connection.cursor() as cursor,
        cursor.copy("copy queues_judgekept (case_id, queue_id, verdict_id, because, kept_at) from stdin") as copy,
    ):
        for row in rows:
            copy.write_row((row.case_id, row.queue_id, row.verdict_id, row.because[:300], now))


def words_on(cases: Iterable[Case]) -> Mapping[int, Sequence[tuple[int, Said]]]:
    """What judges have said of these cases, with the verdicts' ids, by case."""
    found: dict[int, list[tuple[int, Said]]] = defaultdict(list)
    for one in JudgeVerdict.objects.filter(case__in=[case.pk for case in cases]).order_by("pk"):
        said = Said(
            one.judge, one.judge_version, one.prompt, one.position, one.verdict, one.score, one.confidence,
            tuple(one.categories),
        )  # fmt: skip
        assert one.case_id
        found[one.case_id].append((one.pk, said))
    return found


def enough(case: Case, queue_id: int, trusted: JudgeFirst | None, words: Sequence[tuple[int, Said]]) -> Kept | None:
    """What is kept of a case that finds a queue, where the judge's word is enough there; else None."""
    ruling = may_label(
        Facts(
            trusted=trusted,
            risk=Risk(case.risk),
            fired=frozenset(case.triggers),
            user_requested_human=bool(case.assessment.get("sent", {}).get("user_requested_human")),
            said=[said for _, said in words],
        )
    )
    return None if ruling.by is None else Kept(case.pk, queue_id, words[ruling.by][0], ruling.because)


def kept_since(queue: Queue, tenants: QuerySet[Tenant], since: datetime) -> int:
    """How many cases of these tenants a queue's judge kept from people since then, up to COUNTED_AT_MOST."""
    kept = JudgeKept.objects.filter(queue=queue, kept_at__gte=since, case__tenant__in=tenants)
    return kept.values("pk")[:COUNTED_AT_MOST].count()
