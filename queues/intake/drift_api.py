"""Drift reports in: which slices of the traffic the team's monitoring found changed."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema

from hitl.access.bearer import Bearer, token_of
from queues.intake import answering, drift
from queues.intake.answering import UNREADABLE

router = Router()


class RejectedReport(Schema):
    index: int = Field(description="Counted from 0 over the rows that were sent.")
    report_id: str | None = Field(description="As far as it could be read.")
    error: str = Field(description="What is wrong, field by field.")


class TakenReports(Schema):
    """What became of the rows of a readable body. `rejected` names every row that was not taken."""

    accepted: int
    duplicates: int = Field(description="Rows that were taken in before with the same content.")
    rejected: list[RejectedReport]


REPORT: Final = {"$ref": "#/components/schemas/ReportedDrift"}
EXAMPLE: Final = {
    "report_id": "drift_2026-11-20_refund",
    "topic": "refund",
    "release": "2026.11.2",
    "detector": "embedding-drift",
    "score": 0.41,
    "wanted": 20,
    "until": "2027-05-10T09:00:00Z",
}
DRIFT_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        f"One report, an array of reports, or one a line (NDJSON); at most {drift.MOST:,} rows a request. Rows are "
        "checked one by one: those that are not taken are named in `rejected`, the others are taken."
    ),
    "content": {
        "application/json": {"schema": {"oneOf": [REPORT, {"type": "array", "items": REPORT}]}, "example": EXAMPLE},
        "application/x-ndjson": {"schema": {"type": "string", "description": "One report a line."}},
    },
}


@router.post(
    "/drift",
    auth=Bearer("ingest"),
    response={200: TakenReports, **UNREADABLE},
    openapi_extra={"requestBody": DRIFT_BODY},
    operation_id="send_drift",
    summary="Report drift",
)
def send_drift(request: HttpRequest) -> HttpResponse:
    """Takes reports of slices that changed. While one holds, the next samples take traces of its slice ahead of the
    rest, within the share that the sampling plan gives to drift. Sending the same again is safe.
    """
    token = token_of(request)
    rows = answering.rows(request)
    received = drift.drift(rows, tenant=token.tenant, now=timezone.now(), source=f"api token {token}")
    return answering.taken(received, "report_id")
