"""Where would this case go? The rules as they are now, asked without storing anything."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hitl.models import Tenant, User
from queues import terms, wording
from queues.models import Case
from queues.risk import Risk
from queues.routing import rulebook
from queues.weighing import Facts, Placement, Weigher


@dataclass(frozen=True, slots=True)
class Answered:
    """The place, in sentences; `elsewhere`: how many rules of other people's queues were tried before."""

    placement: Placement
    sentences: list[str]
    elsewhere: int


def ask(*, user: User, tenant: Tenant, facts: Facts, now: datetime) -> Answered:
    """What would become of such a case, came it in now."""
    standing = terms.of(tenant)
    standing = replace(standing, rules=rulebook(wording.masked(standing.rules.rules, user)))
    placement = Weigher(standing, now).place(facts)
    tried = placement.routed.passed_over
    known = replace(placement.routed, passed_over=tuple(passed for passed in tried if passed.rule))
    if known.rule and not known.rule.name:
        sentences = [f"It would go to {wording.ELSEWHERE}, by a rule that is not yours to see."]
    else:
        sentences = known.explain()
    return Answered(placement, sentences, len(tried) - len(known.passed_over))


def facts_of(case: Case, now: datetime) -> Facts:
    """The facts of a case as it came in, with what was left of the producer's time then."""
    asked = None if case.producer_deadline is None else now + (case.producer_deadline - case.received_at)
    rating: Any = case.assessment.get("sent", {}).get("user_rating")
    return Facts(case.domain, case.topic, case.language, Risk(case.risk), frozenset(case.triggers), asked, rating)
