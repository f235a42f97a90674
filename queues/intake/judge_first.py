"""What judges said of cases as they come in: which of them need no person, and what is kept of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from hitl.models import Tenant
from queues import keeping
from queues.intake import judge_verdicts
from queues.intake.judge_verdicts import Spoken, Target, Waiting
from queues.intake.schema import EscalatedCase
from queues.judging import Facts, Said, may_label
from queues.weighing import Terms, Weighed


class _Word(NamedTuple):
    """What a judge said of a case; `waited` is its id where it came before the case."""

    case_id: int
    said: Said
    waited: int | None


class Judged:
    """Costs nothing where no judge was sent and none waits for a case of this tenant."""

    def __init__(self, numbered: dict[int, Any], tenant: Tenant, now: datetime, *, some_wait: bool) -> None:
        self.tenant, self.now = tenant, now
        self.words: list[_Word] = []
        self.kept: list[tuple[int, int, int, str]] = []
        self.waiting: Mapping[int, list[Waiting]] = {}
        if some_wait:
            cases = {ready.case.case_id: number for number, ready in numbered.items()}
            # The first case of a trace, where it has several.
            traces = {
                ready.case.trace_id: number for number, ready in reversed(numbered.items()) if ready.case.trace_id
            }
            self.waiting = judge_verdicts.waiting_for(tenant, cases, traces)

    def keeps(self, number: int, case: EscalatedCase, weighed: Weighed, terms: Terms) -> bool:
        """Whether the word of a judge is enough for this case, so that it needs no slot."""
        waiting = self.waiting.get(number, ())
        if not case.judges and not waiting:
            return False
        came = judge_verdicts.of_case(case.judges)
        speakers = {judge_verdicts.speaker(said) for said in came}
        words = [_Word(number, said, None) for said in came]
        words += [
            _Word(number, one.said, one.id) for one in waiting if judge_verdicts.speaker(one.said) not in speakers
        ]
        first = len(self.words)
        self.words += words
        queue_id = weighed.placement.queue_id
        ruling = may_label(
            Facts(
                trusted=None if queue_id is None else terms.queues[queue_id].judge_first,
                risk=weighed.assessment.risk,
                fired=frozenset(one.key.value for one in weighed.assessment.triggers),
                user_requested_human=case.user_requested_human,
                said=[word.said for word in words],
            )
        )
        if ruling.by is None or queue_id is None:
            return False
        self.kept.append((number, queue_id, first + ruling.by, ruling.because))
        return True

    def store(self) -> None:
        """A step: the verdicts that came, those that waited joined to their cases, and the cases kept from people."""
        if not self.words:
            return
        fresh = iter(judge_verdicts.numbers(sum(word.waited is None for word in self.words)))
        ids = [next(fresh) if word.waited is None else word.waited for word in self.words]
        came = [
            Spoken(pk, Target(word.case_id), word.said, self.now)
            for pk, word in zip(ids, self.words, strict=True)
            if word.waited is None
        ]
        if came:
            judge_verdicts.keep(came, tenant=self.tenant, now=self.now)
        if waited := [(word.waited, word.case_id) for word in self.words if word.waited is not None]:
            judge_verdicts.join(waited)
        if self.kept:
            rows = [keeping.Kept(case, queue, ids[place], because) for case, queue, place, because in self.kept]
            keeping.keep(rows, now=self.now)
