"""Stores what was found fit: receipts first, which decide who wins; then the winners' cases and slots through COPY."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from pydantic_core import to_json

from hitl.models import Tenant
from queues import placing
from queues.intake import judge_first, receipts
from queues.intake.receipts import Known
from queues.intake.schema import RISKS, EscalatedCase
from queues.masks import vault
from queues.models import Case
from queues.risk import Risk
from queues.weighing import Answer, Terms, Weighed, Weigher

KIND: Final = "case"
RISK_OF: Final = {name: Risk(level) for level, name in enumerate(RISKS, 1)}
ORIGIN: Final = Case.Origin.ESCALATION.value
STATE: Final = Case.State.WAITING.value
MACHINE: Final = Case.State.MACHINE.value
COLUMNS: Final = (
    "id", "tenant_id", "external_id", "origin", "state", "domain", "language", "language_detected", "risk", "topic",
    "question", "draft", "conversation", "evidence", "tool_results", "policy", "reason", "assessment", "confidence",
    "triggers", "trace_id", "user_key", "model", "prompt_version", "release", "callback_url", "queue_id", "authority",
    "routing", "received_at", "producer_deadline", "due_at", "due_because",
)  # fmt: skip
SIGNALS: Final = {
    "retrieval_score": "retrieval_score",
    "rerank_margin": "rerank_margin",
    "groundedness": "groundedness",
    "tool_success": "tool_success",
    "policy_classifier_score": "policy_classifier_score",
    "self_reported_confidence": "self_reported",
}


class Ready(NamedTuple):
    """A row that may be stored once it is cleaned: checked, its language tidied. `at` is its index."""

    at: int
    case: EscalatedCase
    digests: tuple[bytes, ...]
    language: str


def known_of(tenant: Tenant, rows: Sequence[Ready]) -> dict[str, Known]:
    """The receipts there are for the ids of these rows."""
    return receipts.known([ready.case.case_id for ready in rows], kind=KIND, tenant=tenant)


def store(batch: Sequence[Ready], *, tenant: Tenant, terms: Terms, now: datetime) -> list[Ready]:
    """A step: store those whose id nobody took in first, and say which."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select nextval('queues_case_id_seq'),"
            " exists(select from queues_judgeverdict where tenant_id = %s and case_id is null)"
            " from generate_series(1, %s)",
            [tenant.pk, len(batch)],
        )
        numbered = cursor.fetchall()
        by_number = {number: ready for (number, _), ready in zip(numbered, batch, strict=True)}
        named = {number: (ready.case.case_id, ready.digests[0]) for number, ready in by_number.items()}
        first = receipts.take(named, kind=KIND, tenant=tenant, now=now)
        won = {number: by_number[number] for number in sorted(first)}
        if not won:
            return []
        judged = judge_first.Judged(won, tenant, now, some_wait=numbered[0][1])
        slots: list[placing.SlotRow] = []
        weigher = Weigher(terms, now)
        with cursor.copy(f"copy queues_case ({', '.join(COLUMNS)}) from stdin") as copy:
            for number, ready in won.items():
                told = answer(ready.case, ready.language)
                weighed = weigher.weigh(told, sent=True)
                queue_id = weighed.placement.queue_id
                kept = judged.keeps(number, ready.case, weighed, terms)
                state = MACHINE if kept else STATE
                copy.write_row(_row(number, ready.case, told, weighed, tenant.pk, terms.revision, now, state))
                if queue_id is not None and not kept:
                    slots.append(_slot(number, weighed, queue_id, tenant.pk))
    judged.store()
    vault.keep(tenant=tenant, stored=won.values(), now=now)
    if slots:
        placing.open_slots(slots, now=now)
    return list(won.values())


def answer(case: Any, language: str) -> Answer:
    """What the weighing needs to know of a case, or of an answer that is only asked about."""
    return Answer(
        question=case.user_question,
        draft=case.model_draft,
        domain=case.domain,
        topic=case.topic,
        language=language,
        risk=RISK_OF.get(case.risk_level),
        deadline=case.sla_deadline,
        reason=case.reason_for_escalation,
        signals=signals(case),
        evidence=case.evidence,
        tool_results=case.tool_results,
        judges=tuple((judge["name"], score) for judge in case.judges if (score := judge.get("score")) is not None),
        user_requested_human=case.user_requested_human,
        user_rating=case.user_rating,
        policy_flags=tuple(case.policy_flags),
        tool=case.tool,
        tool_risk=RISK_OF.get(case.tool_risk),
    )


def signals(case: Any) -> dict[str, float]:
    """The confidence signals that were sent, by the names that `queues.confidence` knows them by."""
    return {key: value for field, key in SIGNALS.items() if (value := getattr(case, field)) is not None}


def _row(
    number: int,
    case: EscalatedCase,
    told: Answer,
    weighed: Weighed,
    tenant_id: int,
    revision: int | None,
    now: datetime,
    state: str,
) -> Sequence[object]:
    """In the order of COLUMNS."""
    placement, found = weighed.placement, weighed.assessment
    assessment = {
        **found.to_json(),
        "confidence": weighed.confidence.to_json(),
        "revision": revision,
        "sent": sent(case, told.signals),
    }
    return (
        number,
        tenant_id,
        case.case_id,
        ORIGIN,
        state,
        case.domain,
        weighed.language,
        weighed.language_detected,
        int(found.risk),
        case.topic,
        case.user_question,
        case.model_draft,
        to_json(case.conversation).decode() if case.conversation else "[]",
        to_json(case.evidence).decode() if case.evidence else "[]",
        to_json(case.tool_results).decode() if case.tool_results else "[]",
        case.policy,
        case.reason_for_escalation,
        to_json(assessment).decode(),
        weighed.confidence.value,
        f"{{{','.join(one.key.value for one in found.triggers)}}}",
        case.trace_id,
        case.user_key,
        case.model,
        case.prompt_version,
        case.release,
        case.callback_url or "",
        placement.queue_id,
        placement.routed.authority,
        placement.routing,
        now,
        case.sla_deadline,
        placement.due_at,
        placement.due_because,
    )


def sent(case: EscalatedCase, signals: Mapping[str, float]) -> Mapping[str, Any]:
    """What the producer sent that no column holds: it is weighed again when thresholds are tried on past cases."""
    found: dict[str, Any] = {}
    if signals:
        found["signals"] = signals
    for field in ("judges", "user_requested_human", "user_rating", "policy_flags", "tool", "tool_risk", "metadata"):
        value = getattr(case, field)
        if value or (field == "user_rating" and value is not None):
            found[field] = value
    found["risk_level"] = case.risk_level
    return found


def _slot(number: int, weighed: Weighed, queue_id: int, tenant_id: int) -> placing.SlotRow:
    lane = placing.lane_of(
        queue_id=queue_id,
        tenant_id=tenant_id,
        language=weighed.language,
        authority=weighed.placement.routed.authority,
    )
    return placing.SlotRow(number, lane, weighed.placement.priority, weighed.placement.due_at)
