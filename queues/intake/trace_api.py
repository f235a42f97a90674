"""Traces in: what the product did, for looking at."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema

from hitl.access.bearer import Bearer, token_of
from queues.intake import answering, body, traces
from queues.intake.answering import UNREADABLE
from queues.intake.received import ROWS_MOST
from queues.intake.trace_schema import TRACE_BYTES

router = Router()


class RejectedTrace(Schema):
    index: int = Field(description="Counted from 0 over the rows that were sent.")
    trace_id: str | None = Field(description="As far as it could be read.")
    error: str = Field(description="What is wrong, field by field.")


class TakenTraces(Schema):
    """What became of the rows of a readable body. `rejected` names every row that was not taken."""

    accepted: int
    duplicates: int = Field(description="Rows that were taken in before with the same content.")
    rejected: list[RejectedTrace]


TRACE: Final = {"$ref": "#/components/schemas/RecordedTrace"}
EXAMPLE: Final = {
    "trace_id": "trace_123",
    "at": "2026-11-20T09:00:00Z",
    "input": "I was charged twice in October. Do I get it back?",
    "output": "You were charged twice. The second payment is returned within three days.",
    "documents": [{"document_id": "refunds-4.2", "quote": "Refunds need a confirmed error.", "score": 0.91}],
    "scores": {"groundedness": 0.61},
    "prompt_version": "support-7",
    "model": "chat-large",
    "release": "2026.11.2",
    "user_key": "u-48151",
    "topic": "refund",
    "domain": "billing",
    "language": "en",
    "latency_ms": 1840,
}
TRACES_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        f"One trace, an array of traces (at most {body.JSON_BYTES // 1024 // 1024} MB), or one trace a line (NDJSON, "
        f"at most {settings.INTAKE_MAX_BYTES // 1024 // 1024} MB unpacked). At most {ROWS_MOST:,} rows a request and "
        f"{TRACE_BYTES:,} bytes a trace. gzip is understood. Rows are checked one by one: those that are not taken are "
        "named in `rejected`, the others are taken."
    ),
    "content": {
        "application/json": {"schema": {"oneOf": [TRACE, {"type": "array", "items": TRACE}]}, "example": EXAMPLE},
        "application/x-ndjson": {
            "schema": {"type": "string", "description": "One trace a line. May be packed with Content-Encoding: gzip."}
        },
    },
}


@router.post(
    "/traces",
    auth=Bearer("ingest"),
    response={200: TakenTraces, **UNREADABLE},
    openapi_extra={"requestBody": TRACES_BODY},
    operation_id="send_traces",
    summary="Send traces",
)
def send_traces(request: HttpRequest) -> HttpResponse:
    """Takes what the product did, whether somebody will look at it or not. Sending the same again is safe: it counts as
    a duplicate. The same `trace_id` with other content is refused as a conflict, and nothing is changed.
    """
    token = token_of(request)
    rows = answering.rows(request)
    received = traces.traces(rows, tenant=token.tenant, now=timezone.now(), source=f"api token {token}")
    return answering.taken(received, "trace_id")
