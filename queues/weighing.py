"""What becomes of a case before anybody sees it: its confidence, why a person, which queue, by when. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from queues import confidence, languages, routing, sla, triggers
from queues.calendars import BusinessCalendar
from queues.confidence import Confidence
from queues.judging import JudgeFirst
from queues.priority import priority
from queues.risk import Risk
from queues.routing import Routed, Rulebook
from queues.sla import Sla
from queues.triggers import Assessment, AssessmentSettings


@dataclass(frozen=True, slots=True)
class QueueTerms:
    """What a queue promises, in whose working hours, and which judge's word is enough in it."""

    sla: Sla
    calendar: BusinessCalendar | None
    judge_first: JudgeFirst | None = None


NO_QUEUE: Final = QueueTerms(Sla(), None)


@dataclass(frozen=True, slots=True)
class Terms:
    """What cases of a tenant are measured by, as it stood at one moment.

    `revision` is the tenant's own revision of the thresholds, None where the defaults hold.

    `quality` is the share of drafts accepted by (domain, topic); `languages` are those that rules or people here take.
    """

    tenant: str
    revision: int | None
    settings: AssessmentSettings
    quality: Mapping[tuple[str, str], float]
    rules: Rulebook
    queues: Mapping[int, QueueTerms]
    languages: frozenset[str]


class Answer(NamedTuple):
    """What an application says of its answer. `signals` go by the names of `queues.confidence`."""

    question: str = ""
    draft: str = ""
    domain: str = ""
    topic: str = ""
    language: str = ""
    risk: Risk | None = None
    deadline: datetime | None = None
    reason: str = ""
    signals: Mapping[str, float] = MappingProxyType({})
    evidence: Sequence[Mapping[str, Any]] = ()
    tool_results: Sequence[Mapping[str, Any]] = ()
    judges: tuple[tuple[str, float], ...] = ()
    user_requested_human: bool = False
    user_rating: float | None = None
    policy_flags: tuple[str, ...] = ()
    tool: str = ""
    tool_risk: Risk | None = None


class Facts(NamedTuple):
    """What decides where a case goes."""

    domain: str
    topic: str
    language: str
    risk: Risk
    fired: frozenset[str]
    deadline: datetime | None
    user_rating: float | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a case goes, by when it is due, and how soon it is handed out. Without a queue it waits unrouted.

    `routing` is `routed` as the JSON that is stored: cases that go the same way share it.
    """

    routed: Routed
    routing: str
    queue_id: int | None
    due_at: datetime | None
    due_because: str
    priority: int


@dataclass(frozen=True, slots=True)
class Weighed:
    language: str
    language_detected: bool
    confidence: Confidence
    assessment: Assessment
    placement: Placement


class Weigher:
    """Weighs cases by the terms of one moment. Cases that have the same facts are placed once."""

    def __init__(self, terms: Terms, now: datetime) -> None:
        self.terms, self.now = terms, now
        self._placed: dict[Facts, Placement] = {}

    def weigh(self, answer: Answer, *, sent: bool) -> Weighed:
        """`sent`: the application asked for a person, so the outcome is a person whatever the signals say."""
        terms = self.terms
        language, detected = answer.language, False
        if not language:
            language = languages.detect(answer.question or answer.draft, terms.languages) or ""
            detected = bool(language)
        trust, found = self.judge(answer, sent=sent)
        fired = frozenset([one.key.value for one in found.triggers])
        placement = self.place(
            Facts(answer.domain, answer.topic, language, found.risk, fired, answer.deadline, answer.user_rating)
        )
        return Weighed(language, detected, trust, found, placement)

    def judge(self, answer: Answer, *, sent: bool) -> tuple[Confidence, Assessment]:
        """How far the answer can be trusted, and what follows; where the case goes is another matter."""
        terms = self.terms
        signals = answer.signals
        if (quality := terms.quality.get((answer.domain, answer.topic))) is not None:
            signals = {**signals, confidence.ROUTE: quality}
        trust = confidence.combine(
            signals,
            evidence=answer.evidence,
            tool_results=answer.tool_results,
            risk=answer.risk,
            settings=terms.settings.confidence,
        )
        facts = triggers.Facts(
            risk=answer.risk,
            domain=answer.domain,
            question=answer.question,
            producer_asks=sent,
            producer_reason=answer.reason,
            user_requested_human=answer.user_requested_human,
            policy_flags=answer.policy_flags,
            judge_scores=answer.judges,
            user_rating=answer.user_rating,
            tool=answer.tool,
            tool_risk=answer.tool_risk,
        )
        return trust, triggers.assess(facts, trust, terms.settings)

    def place(self, facts: Facts) -> Placement:
        """The queue by the rules, and the earlier of the queue's deadline and the producer's, counted from now."""
        placement = self._placed.get(facts)
        if placement is None:
            placement = self._placed[facts] = _place(facts, self.terms, self.now)
        return placement


def _place(facts: Facts, terms: Terms, now: datetime) -> Placement:
    asked = None if facts.deadline is None else (facts.deadline - now).total_seconds() / 60
    routed = routing.route(
        routing.Facts(terms.tenant, facts.domain, facts.language, facts.risk, facts.topic, facts.fired, asked),
        terms.rules,
    )
    queue = NO_QUEUE if routed.rule is None else terms.queues[routed.rule.queue_id]
    due_at, because = promise(queue, facts.deadline, now)
    return Placement(
        routed=routed,
        routing=json.dumps(routed.to_json(), ensure_ascii=False),
        queue_id=None if routed.rule is None else routed.rule.queue_id,
        due_at=due_at,
        due_because=because,
        priority=priority(
            risk=facts.risk,
            minutes_left=None if due_at is None else (due_at - now).total_seconds() / 60,
            signal_weight=0.0 if facts.user_rating is None else facts.user_rating - 3,
        ),
    )


def promise(queue: QueueTerms, asked: datetime | None, now: datetime) -> tuple[datetime | None, str]:
    """By when a case that comes into the queue now is due, and whose deadline that is."""
    try:
        due = sla.deadline(now, queue.sla, queue.calendar, asked)
        because = due.source if due else ""
    except sla.NeverOpen as never:
        due = sla.deadline(now, NO_QUEUE.sla, None, asked)
        because = f"{due.source}. {never}" if due else str(never)
    return due.due_at if due else None, because[:200]
