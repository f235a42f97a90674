"""Earlier labels in: the history that a team brings."""

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from codebook.labels import importing
from codebook.models import Codebook
from hitl.access.bearer import Bearer, token_of
from hitl.models import Tenant
from queues.intake import body, reading
from queues.intake.answering import UNREADABLE, Error, document
from queues.intake.body import BodyRefused
from queues.intake.received import ROWS_MOST
from queues.intake.schema import NAME_LONGEST

router = Router()


class RejectedLabel(Schema):
    index: int = Field(description="Counted from 0 over the rows that were sent.")
    item: str | None = Field(description="As far as it could be read.")
    error: str = Field(description="What is wrong, field by field.")


class TakenLabels(Schema):
    """What became of the rows of a readable body. `rejected` names every row that was not taken."""

    accepted: int
    duplicates: int = Field(description="Rows that were taken in before with the same content.")
    rejected: list[RejectedLabel]
    codebook_version: int | None = Field(description="The imported version that the labels were stamped with.")


LABEL: Final = {"$ref": "#/components/schemas/EarlierLabel"}
EXAMPLE: Final = {
    "item": "case_123",
    "rater": "anna",
    "verdict": "reject",
    "categories": ["unsupported-claim"],
    "at": "2026-03-02T10:15:00Z",
}
LABELS_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        "One label, an array of labels, or one label a line (NDJSON); at most "
        f"{body.JSON_BYTES // 1024 // 1024} MB and {ROWS_MOST:,} rows a request. gzip is understood. Rows are "
        "checked one by one: those that are not taken are named in `rejected`, the others are taken."
    ),
    "content": {
        "application/json": {"schema": {"oneOf": [LABEL, {"type": "array", "items": LABEL}]}, "example": EXAMPLE},
        "application/x-ndjson": {
            "schema": {"type": "string", "description": "One label a line. May be packed with Content-Encoding: gzip."}
        },
    },
}


class Asked(Schema):
    codebook: str = Field(max_length=60, description="The short name of the codebook that your cases are decided by.")
    version: str = Field(
        importing.TITLE,
        min_length=1,
        max_length=NAME_LONGEST,
        description="What these labels are called together. The first request under a name declares the categories.",
    )


@router.post(
    "/labels",
    auth=Bearer("ingest"),
    response={200: TakenLabels, 404: Error, 422: Error, **UNREADABLE},
    openapi_extra={"requestBody": LABELS_BODY},
    operation_id="send_labels",
    summary="Send earlier labels",
)
def send_labels(request: HttpRequest, asked: Query[Asked]) -> HttpResponse:
    """Takes labels that your team gave before. They are stamped with an imported version of the codebook, and count for
    its categories once its owner says that they meant the same. Sending the same again is safe.
    """
    token = token_of(request)
    rows = _rows(request)
    named = asked.version.replace("\x00", "").strip() or importing.TITLE
    into = importing.Import(token.tenant, _codebook(token.tenant, asked.codebook), named, source=f"token {token}")
    received = importing.receive(rows, into=into, now=timezone.now())
    return JsonResponse(
        {
            "accepted": received.accepted,
            "duplicates": received.duplicates,
            "rejected": [{"index": one.index, "item": one.name, "error": one.error} for one in received.rejected],
            "codebook_version": received.version,
        }
    )


def _rows(request: HttpRequest) -> list[object]:
    if body.media_type(request) not in body.LINES_TYPES:
        rows = list(document(body.whole(request)))
    else:
        rows = []
        for row in reading.lines(body.blocks(request, body.JSON_BYTES)):
            rows.append(row)
            if len(rows) > ROWS_MOST:
                break
    if len(rows) > ROWS_MOST:
        raise BodyRefused(413, f"More than {ROWS_MOST:,} rows came in one request. Send them in parts.")
    return rows


def _codebook(tenant: Tenant, slug: str) -> Codebook:
    """A codebook that decides cases of the tenant; of any other its token is told nothing."""
    if "\x00" not in slug:
        decides = Codebook.objects.filter(slug=slug, queue_uses__queue__lanes__tenant=tenant)
        if found := decides.distinct().first():
            return found
    raise Http404("No codebook of this name decides cases of this tenant.")
