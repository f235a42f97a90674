"""Cases in, verdicts out, and an answer to "does this need a person?": the producer's side of the house."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from django.conf import settings
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import ValidationError

from hitl.access.bearer import Bearer, token_of
from queues import languages, terms
from queues.intake import answering, body, receive, storing
from queues.intake.answering import UNREADABLE, Error, document
from queues.intake.body import BodyRefused
from queues.intake.received import ROWS_MOST
from queues.intake.schema import CASE_BYTES, AssessedAnswer, faults, read
from queues.models import Case, Outcome
from queues.routing import sentences
from queues.triggers import Trigger
from queues.weighing import Weighed, Weigher

router = Router()


class Rejected(Schema):
    index: int = Field(description="Counted from 0 over the rows that were sent.")
    case_id: str | None = Field(description="As far as it could be read.")
    error: str = Field(description="What is wrong, field by field.")


class Taken(Schema):
    """What became of the rows of a readable body. `rejected` names every row that was not taken."""

    accepted: int
    duplicates: int = Field(description="Rows that were taken in before with the same content.")
    rejected: list[Rejected]


class Verdict(Schema):
    """Where a case stands. The fields from `verdict` on are there once it is decided and the undo window is over, or
    once a judge that its queue trusts has labelled it: then no person was asked, and `judge` says whose word it is.
    """

    case_id: str
    status: Literal["waiting", "decided", "machine_labelled", "dropped"] = Field(
        description=(
            "`decided` by a person; `machine_labelled` by a judge, which a person may still correct; `dropped` unseen, "
            "as happens only to what hitl took out of the traffic itself, never to a case that was sent."
        )
    )
    received_at: str
    due_at: str | None
    metadata: dict[str, Any] = Field(description="As it was sent, personal data taken out.")
    verdict: Literal["accept", "edit", "reject"] | None = None
    final_answer: str | None = None
    categories: list[str] | None = None
    codebook: str | None = None
    codebook_version: int | None = None
    decided_at: str | None = None
    decided_by: Literal["person", "judge"] | None = None
    judge: str | None = Field(None, description="The judge's name and version, where the verdict is a judge's.")
    revision: int | None = Field(None, description="Counts up when a verdict is amended.")


class SignalReading(Schema):
    key: str
    label: str
    value: float | None
    display: str
    interpretation: str
    weak: bool
    weight: float


class TriggerFired(Schema):
    key: str
    label: str
    because: str


class Route(Schema):
    """Where the case would go if it were sent now; no queue means that it would wait unrouted."""

    queue: str | None
    authority: str
    why: list[str]
    due_at: str | None
    due_because: str


class Assessed(Schema):
    outcome: Literal["human", "limited_answer", "pass"]
    reason: str
    risk: Literal["low", "medium", "high", "critical"] = Field(description="Yours, raised to the tenant's floor.")
    language: str | None
    language_detected: bool
    confidence: float | None = Field(description="0 to 1; null where too little is known.")
    coverage: float = Field(description="The share of the signals' weight that was there.")
    signals: list[SignalReading]
    triggers: list[TriggerFired]
    route: Route


CASE: Final = {"$ref": "#/components/schemas/EscalatedCase"}
EXAMPLE: Final = {
    "case_id": "case_123",
    "user_question": "I was charged twice in October. Do I get it back?",
    "model_draft": "You were charged twice. The second payment is returned within three days.",
    "evidence": [{"document_id": "refunds-4.2", "quote": "Refunds need a confirmed error.", "score": 0.91}],
    "risk_level": "high",
    "reason_for_escalation": "low groundedness, and money is promised",
    "domain": "billing",
    "language": "en",
    "groundedness": 0.61,
    "sla_deadline": "2027-05-09T18:00:00Z",
}
LINES: Final = "One case a line. May be packed with Content-Encoding: gzip."
CASES_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        f"One case, an array of cases (at most {body.JSON_BYTES // 1024 // 1024} MB), or one case a line (NDJSON, "
        f"at most {settings.INTAKE_MAX_BYTES // 1024 // 1024} MB unpacked). At most {ROWS_MOST:,} rows a "
        f"request and {CASE_BYTES:,} bytes a case. gzip is understood. Rows are checked one by one: those that do not "
        "fit the schema are named in `rejected`, the others are taken."
    ),
    "content": {
        "application/json": {"schema": {"oneOf": [CASE, {"type": "array", "items": CASE}]}, "example": EXAMPLE},
        "application/x-ndjson": {"schema": {"type": "string", "description": LINES}},
    },
}
ASSESS_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AssessedAnswer"}}},
}


@router.post(
    "/cases",
    auth=Bearer("ingest"),
    response={200: Taken, **UNREADABLE},
    openapi_extra={"requestBody": CASES_BODY},
    operation_id="send_cases",
    summary="Send cases",
)
def send_cases(request: HttpRequest) -> HttpResponse:
    """Takes cases that need a person. Sending the same again is safe: it counts as a duplicate. The same `case_id` with
    other content is refused as a conflict, and nothing is changed.
    """
    token = token_of(request)
    rows = answering.rows(request)
    received = receive.cases(rows, tenant=token.tenant, now=timezone.now(), source=f"token {token}")
    return answering.taken(received, "case_id")


@router.get(
    "/cases/{path:case_id}",
    auth=Bearer("ingest"),
    response={200: Verdict, 401: Error, 403: Error, 404: Error, 503: Error},
    operation_id="ask_for_verdict",
    summary="Ask for a verdict",
)
def ask_for_verdict(request: HttpRequest, case_id: str) -> HttpResponse:
    """Where a case stands. A decision is told when its undo window is over, here and to the webhooks alike."""
    case = Case.objects.filter(tenant=token_of(request).tenant, external_id=case_id).first()
    if case is None:
        raise Http404("There is no case of this id.")
    told = Outcome.objects.filter(case=case, release_at__lte=Now()).first()
    answer: dict[str, Any] = {
        "case_id": case.external_id,
        "status": _status(case, told),
        "received_at": case.received_at.isoformat(),
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "metadata": case.assessment.get("sent", {}).get("metadata", {}),
    }
    if told:
        answer |= {
            "verdict": told.verdict,
            "final_answer": told.final_answer,
            "categories": told.categories,
            "codebook": told.codebook,
            "codebook_version": told.codebook_version,
            "decided_at": told.decided_at.isoformat(),
            "decided_by": "judge" if told.judge else "person",
            "judge": told.judge or None,
            "revision": told.revision,
        }
    return JsonResponse(answer)


def _status(case: Case, told: Outcome | None) -> str:
    if told is None:
        return "dropped" if case.state == Case.State.DROPPED else "waiting"
    return "machine_labelled" if told.judge else "decided"


@router.post(
    "/assess",
    auth=Bearer("ingest"),
    response={200: Assessed, 422: Error, **UNREADABLE},
    openapi_extra={"requestBody": ASSESS_BODY},
    operation_id="assess",
    summary="Ask whether an answer needs a person",
)
def assess(request: HttpRequest) -> HttpResponse:
    """Weighs an answer as if it were sent, stores nothing, and says what would become of it and why."""
    token = token_of(request)
    if body.media_type(request) not in body.JSON_TYPES:
        raise BodyRefused(415, "One answer is assessed at a time: send it as application/json.")
    rows = document(body.whole(request))
    if len(rows) != 1:
        raise BodyRefused(422, f"One answer is assessed at a time, not {len(rows)}.")
    try:
        asked = read(AssessedAnswer, rows[0])
        language = languages.normalise(asked.language) if asked.language else ""
    except ValidationError as error:
        raise BodyRefused(422, faults(error, AssessedAnswer)) from None
    except languages.UnknownLanguage as unknown:
        raise BodyRefused(422, f"language: {unknown}") from None
    if asked.tenant_id is not None and asked.tenant_id != token.tenant.slug:
        raise BodyRefused(403, f"tenant_id: is not {token.tenant.slug}, the tenant that the token belongs to.")
    weigher = Weigher(terms.of(token.tenant), timezone.now())
    return JsonResponse(_assessed(weigher.weigh(storing.answer(asked, language), sent=False)))


def _assessed(weighed: Weighed) -> Mapping[str, Any]:
    found, placement = weighed.assessment, weighed.placement
    rule = placement.routed.rule
    return {
        "outcome": found.outcome.value,
        "reason": found.reason,
        "risk": found.risk.name.lower(),
        "language": weighed.language or None,
        "language_detected": weighed.language_detected,
        "confidence": weighed.confidence.value,
        "coverage": weighed.confidence.coverage,
        "signals": [
            {
                "key": one.key,
                "label": one.label,
                "value": one.value,
                "display": one.display,
                "interpretation": one.interpretation,
                "weak": one.weak,
                "weight": one.weight,
            }
            for one in weighed.confidence.readings
        ],
        "triggers": [
            {"key": one.key.value, "label": str(Trigger(one.key).label), "because": one.because}
            for one in found.triggers
        ],
        "route": {
            "queue": rule.queue_name if rule else None,
            "authority": placement.routed.authority,
            "why": sentences(placement.routed.to_json()),
            "due_at": placement.due_at.isoformat() if placement.due_at else None,
            "due_because": placement.due_because,
        },
    }
