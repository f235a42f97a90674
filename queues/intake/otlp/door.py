"""The door of OpenTelemetry: `POST /v1/traces`, as OTLP/HTTP has it. Other tools' OTLP doors are this one by another
name, with readers of their own before ours.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from hitl.access import tokens
from hitl.access.models import ApiToken
from hitl.access.tokens import TokenRefused
from queues.intake import body
from queues.intake.body import BodyRefused
from queues.intake.foreign import words
from queues.intake.foreign.meaning import Word
from queues.intake.foreign.readers import READERS
from queues.intake.foreign.said import Reader, Sent, read
from queues.intake.otlp import encoding
from queues.intake.otlp.encoding import Broken, Faulty
from queues.intake.phoenix import taking as phoenix
from queues.intake.span import SpanIn
from queues.intake.spans import spans

log = logging.getLogger(__name__)

BODY_BYTES: Final = 32 * 1024 * 1024
REASONS_SHOWN: Final = 5
RETRY_SECONDS: Final = 5
TOO_LARGE: Final = (
    f"The body is larger than {BODY_BYTES // 1024 // 1024} MB once unpacked. Nothing was taken. "
    "Send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE)."
)


@login_not_required
@csrf_exempt
def traces(request: HttpRequest) -> HttpResponse:
    """OTLP/HTTP, protobuf and JSON, for a token that may ingest."""
    try:
        token = tokens.authenticate(request, "ingest")
    except TokenRefused as refused:
        return refusal(request, refused.status, refused.sentence)
    return answer(request, token=token, door="otlp")


def answer(
    request: HttpRequest,
    *,
    token: ApiToken,
    door: str,
    readers: Sequence[Reader] = READERS,
    metadata: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The answer to an export request: what became of it, as the protocol has it."""
    if request.method != "POST":
        return refusal(request, 405, f"{request.method} is not done here; use POST.")
    media_type = _media_type(request)
    if media_type not in (encoding.PROTOBUF, encoding.JSON):
        return refusal(request, 415, f"Send Content-Type: {encoding.PROTOBUF}, or {encoding.JSON}.")
    try:
        sent = encoding.spans(body.whole(request, BODY_BYTES), media_type)
        taken = take(sent, token=token, door=door, readers=readers, metadata=metadata)
    except BodyRefused as refused:
        return refusal(request, refused.status, TOO_LARGE if refused.status == 413 else refused.sentence)
    except Broken as broken:
        return refusal(request, 400, str(broken))
    except (DatabaseError, InterfaceError):
        log.exception("Spans could not be stored")
        return refusal(request, 503, "The database could not be used just now. Send the same again: it is safe.")
    return HttpResponse(encoding.answer(media_type, len(taken.rejected), taken.message), content_type=media_type)


def refusal(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """A failure as the protocol has it, in the encoding of the request. Whoever got 503 sends again by itself."""
    media_type = encoding.PROTOBUF if _media_type(request) == encoding.PROTOBUF else encoding.JSON
    headers = {
        401: {"WWW-Authenticate": "Bearer"},
        405: {"Allow": "POST"},
        503: {"Retry-After": str(RETRY_SECONDS)},
    }.get(status, {})
    return HttpResponse(encoding.status(media_type, sentence), status=status, content_type=media_type, headers=headers)


def _media_type(request: HttpRequest) -> str:
    return (request.content_type or "").lower()


@dataclass(slots=True)
class Taken:
    """What became of an export: each span that was not taken, by trace, span and reason; and what else was not."""

    rejected: list[tuple[str, str, str]] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The reasons, the commonest first; empty where there are none."""
        reasons = Counter(reason for _, _, reason in self.rejected).most_common(REASONS_SHOWN)
        said = [f"{count:,} × {reason}" if count > 1 else reason for reason, count in reasons]
        if self.unheard:
            said.append(f"{len(self.unheard):,} evaluations were not taken: {self.unheard[0]}")
        return " ".join(said)


def take(
    sent: Iterable[Sent | Faulty],
    *,
    token: ApiToken,
    door: str,
    readers: Sequence[Reader] = READERS,
    metadata: Mapping[str, Any] | None = None,
) -> Taken:
    """Read spans and take them in, then what was said of answers in them. `metadata` is noted on every root span."""
    now = timezone.now()
    source = f"{door} token {token}"
    taken = Taken()
    heard: list[Word] = []
    names: list[tuple[str, str]] = []
    incoming = _read(sent, readers, metadata or {}, taken, heard, names)
    stored = spans(incoming, tenant=token.tenant, now=now, source=source)
    taken.rejected += [(*names[index], error) for index, error in stored.rejected]
    if heard:
        faults = words.take(heard, tenant=token.tenant, now=now, tool=door, source=source)
        taken.unheard = [fault for fault in faults if fault]
    phoenix.catch_up([span for _, span in names], tenant=token.tenant, now=now, source=source)
    return taken


def _read(
    sent: Iterable[Sent | Faulty],
    readers: Sequence[Reader],
    metadata: Mapping[str, Any],
    taken: Taken,
    heard: list[Word],
    names: list[tuple[str, str]],
) -> Iterator[SpanIn]:
    for one in sent:
        if isinstance(one, Faulty):
            taken.rejected.append(("", "", str(one)))
            continue
        found = read(one, readers)
        if metadata and not found.span.parent:
            content = found.span.content
            content["metadata"] = {**metadata, **content.get("metadata", {})}
        heard += found.words
        names.append((one.trace, one.span))
        yield found.span
