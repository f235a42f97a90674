"""Complaints in: what users said elsewhere of answers, without a trace."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema

from hitl.access.bearer import Bearer, token_of
from queues.intake import answering, complaints
from queues.intake.answering import UNREADABLE
from queues.intake.body import BodyRefused
from queues.intake.received import ROWS_MOST

router = Router()


class RejectedComplaint(Schema):
    index: int = Field(description="Counted from 0 over the rows that were sent.")
    complaint_id: str | None = Field(description="As far as it could be read.")
    error: str = Field(description="What is wrong, field by field.")


class TakenComplaints(Schema):
    """What became of the rows of a readable body. `rejected` names every row that was not taken."""

    accepted: int
    duplicates: int = Field(description="Rows that were taken in before with the same content.")
    rejected: list[RejectedComplaint]


COMPLAINT: Final = {"$ref": "#/components/schemas/PublicComplaint"}
EXAMPLE: Final = {
    "complaint_id": "ticket_4711",
    "channel": "ticket",
    "text": "Your assistant told me on Tuesday that I get my second payment back. I did not.",
    "user_key": "u-48151",
    "about": "2026-11-17T10:00:00Z",
    "at": "2026-11-20T09:00:00Z",
}
COMPLAINTS_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        f"One complaint, an array of complaints, or one a line (NDJSON); at most {ROWS_MOST:,} rows a request. gzip is "
        "understood. Rows are checked one by one: those that are not taken are named in `rejected`, the others are "
        "taken. Off until somebody who runs the tenant switches them on: then, and only then, is anything kept."
    ),
    "content": {
        "application/json": {
            "schema": {"oneOf": [COMPLAINT, {"type": "array", "items": COMPLAINT}]},
            "example": EXAMPLE,
        },
        "application/x-ndjson": {
            "schema": {
                "type": "string",
                "description": "One complaint a line. May be packed with Content-Encoding: gzip.",
            }
        },
    },
}


@router.post(
    "/complaints",
    auth=Bearer("ingest"),
    response={200: TakenComplaints, **UNREADABLE},
    openapi_extra={"requestBody": COMPLAINTS_BODY},
    operation_id="send_complaints",
    summary="Send complaints",
)
def send_complaints(request: HttpRequest) -> HttpResponse:
    """Takes feedback that names no trace. The likeliest traces are proposed to a person, who links it or dismisses it;
    once linked it is a signal on its trace. Sending the same again is safe: it counts as a duplicate.
    """
    token = token_of(request)
    rows = answering.rows(request)
    try:
        received = complaints.complaints(rows, tenant=token.tenant, now=timezone.now(), source=f"api token {token}")
    except complaints.NotTaken as off:
        raise BodyRefused(403, str(off)) from None
    return answering.taken(received, "complaint_id")
