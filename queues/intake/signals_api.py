"""Signals in: what users say and do, and what judges say of answers."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema

from hitl.access.bearer import Bearer, token_of
from queues.intake import answering, signals
from queues.intake.answering import UNREADABLE
from queues.intake.received import ROWS_MOST
from queues.intake.signal_schema import MODELS

router = Router()


class RejectedSignal(Schema):
    index: int = Field(description="Counted from 0 over the rows that were sent.")
    signal_id: str | None = Field(description="As far as it could be read.")
    error: str = Field(description="What is wrong, field by field.")


class TakenSignals(Schema):
    """What became of the rows of a readable body. `rejected` names every row that was not taken."""

    accepted: int
    duplicates: int = Field(description="Rows that were taken in before with the same content.")
    rejected: list[RejectedSignal]


SIGNAL: Final = {"oneOf": [{"$ref": f"#/components/schemas/{model.__name__}"} for model in MODELS]}
EXAMPLE: Final = {
    "type": "judge_verdict",
    "case_id": "case_123",
    "judge": "groundedness",
    "version": "2026-10",
    "prompt": "strict-2",
    "verdict": "reject",
    "confidence": 0.93,
    "categories": ["unsupported-claim"],
    "at": "2026-11-20T09:00:00Z",
}
SIGNALS_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        "One signal, an array of signals, or one signal a line (NDJSON), with the limits of cases. At most "
        f"{ROWS_MOST:,} rows a request. Rows are checked one by one: those that are not taken are named in "
        "`rejected`, the others are. A signal whose case has not come yet waits for it."
    ),
    "content": {
        "application/json": {"schema": {"oneOf": [SIGNAL, {"type": "array", "items": SIGNAL}]}, "example": EXAMPLE},
        "application/x-ndjson": {
            "schema": {
                "type": "string",
                "description": "One signal a line. May be packed with Content-Encoding: gzip.",
            }
        },
    },
}


@router.post(
    "/signals",
    auth=Bearer("ingest"),
    response={200: TakenSignals, **UNREADABLE},
    openapi_extra={"requestBody": SIGNALS_BODY},
    operation_id="send_signals",
    summary="Send signals",
)
def send_signals(request: HttpRequest) -> HttpResponse:
    """Takes what users say and do about answers, and what judges say of them: priors, never a person's label. A signal
    of a user names its trace; one whose trace has not come waits for it. Sending the same again is safe.
    """
    token = token_of(request)
    rows = answering.rows(request)
    received = signals.signals(rows, tenant=token.tenant, now=timezone.now(), source=f"api token {token}")
    return answering.taken(received, "signal_id")
