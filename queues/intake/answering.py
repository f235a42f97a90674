"""What every door of the API answers alike: one shape of error, the fate of rows, and a body that broke off."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Schema

from queues.intake import body, reading
from queues.intake.body import BodyRefused
from queues.intake.received import Received


class Error(Schema):
    """What went wrong, in a sentence; `detail` says what was kept, where something was."""

    error: str
    detail: str | None = None


UNREADABLE: Final[dict[Any, Any]] = {400: Error, 401: Error, 403: Error, 411: Error, 413: Error, 415: Error, 503: Error}


class Counted(Protocol):
    @property
    def accepted(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def rejected(self) -> Sequence[object]: ...
    @property
    def rows(self) -> int: ...


def document(whole: bytes) -> Sequence[object]:
    """The rows of a JSON body. Raises BodyRefused."""
    try:
        return reading.document(whole)
    except reading.Broken as broken:
        raise BodyRefused(400, str(broken)) from None


def rows(request: HttpRequest) -> Iterator[object]:
    """The rows of a request: of a JSON body, or a line each. Raises BodyRefused, perhaps half-way."""
    if body.media_type(request) in body.LINES_TYPES:
        return reading.lines(body.blocks(request, settings.INTAKE_MAX_BYTES))
    return iter(document(body.whole(request)))


def taken(received: Received, name: str) -> HttpResponse:
    """What became of the rows of a request; `name` is what the id of a row is called in it."""
    if received.cut_off:
        return cut_off(received.cut_off, received)
    return JsonResponse(
        {
            "accepted": received.accepted,
            "duplicates": received.duplicates,
            "rejected": [{"index": one.index, name: one.name, "error": one.error} for one in received.rejected],
        }
    )


def cut_off(refused: BodyRefused, received: Counted) -> HttpResponse:
    """A body that broke off: the sentence, and what of it is kept."""
    counts = f"{received.accepted:,} accepted, {received.duplicates:,} duplicates, {len(received.rejected):,} rejected"
    kept = f"Of the {received.rows:,} rows read: {counts}. Sent again, what was accepted counts as a duplicate."
    answer = {"error": refused.sentence} | ({"detail": kept} if received.rows else {})
    return JsonResponse(answer, status=refused.status)
