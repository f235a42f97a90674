"""Phoenix's API under /phoenix, as far as its clients send: spans, annotations and notes. Errors are `{detail}`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from pydantic_core import from_json

from hitl.access import tokens
from hitl.access.models import ApiToken
from hitl.access.tokens import TokenRefused
from queues.intake import body
from queues.intake.foreign import front
from queues.intake.otlp import door as otlp
from queues.intake.phoenix import shapes, taking
from queues.intake.phoenix.shapes import Wrong

DOOR: Final = "phoenix"
PROJECT: Final = "x-project-name"
View = Callable[..., HttpResponse]


def _error(status: int, sentence: str) -> HttpResponse:
    return JsonResponse({"detail": sentence}, status=status)


def door(view: View) -> View:
    """For a view that takes the request and its token. Every refusal is a sentence in Phoenix's shape."""

    @wraps(view)
    def answer(request: HttpRequest, token: ApiToken, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, token, **kwargs)
        except Wrong as wrong:
            return _error(422, f"{wrong} Nothing was taken.")
        except taking.Unknown as unknown:
            return _error(404, str(unknown))

    return front.door("POST", secret=tokens.bearer, say=_error)(answer)


@login_not_required
@csrf_exempt
def traces(request: HttpRequest) -> HttpResponse:
    """OTLP, as Phoenix's instrumentations send it; the project's name is noted on the trace."""
    try:
        token = tokens.authenticate(request, "ingest")
    except TokenRefused as refused:
        return otlp.refusal(request, refused.status, refused.sentence)
    project = request.headers.get(PROJECT, "").strip()[:120]
    return otlp.answer(request, token=token, door=DOOR, metadata={"project": project} if project else None)


@door
def project_spans(request: HttpRequest, token: ApiToken, project: str) -> HttpResponse:
    """Spans as JSON, as the client's `log_spans` sends them. The good ones are kept; those that are not are named."""
    sent = list(shapes.spans(_json(request)))
    rejected = otlp.take(sent, token=token, door=DOOR, metadata={"project": project[:120]}).rejected
    counts = {"total_received": len(sent), "total_queued": len(sent) - len(rejected)}
    if not rejected:
        return JsonResponse(counts, status=202)
    named = [{"span_id": span, "trace_id": trace, "error": error} for trace, span, error in rejected]
    invalid = {"total_invalid": len(named), "total_duplicates": 0, "invalid_spans": named, "duplicate_spans": []}
    error = "Some spans were not taken; the others were, and sent again they change nothing."
    return JsonResponse({**counts, **invalid, "error": error}, status=400)


@door
def span_annotations(request: HttpRequest, token: ApiToken) -> HttpResponse:
    return _annotate(request, token, shapes.SPAN)


@door
def trace_annotations(request: HttpRequest, token: ApiToken) -> HttpResponse:
    return _annotate(request, token, shapes.TRACE)


@door
def document_annotations(request: HttpRequest, token: ApiToken) -> HttpResponse:
    return _annotate(request, token, shapes.DOCUMENT)


@door
def span_notes(request: HttpRequest, token: ApiToken) -> HttpResponse:
    return _annotate(request, token, shapes.NOTE)


@front.door("GET", "HEAD", secret=tokens.bearer, say=_error)
def projects(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """The one project there is, by which a key is tried: the token's tenant."""
    return JsonResponse({"data": [{"id": token.tenant.slug, "name": token.tenant.name}], "next_cursor": None})


@login_not_required
@csrf_exempt
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """What Phoenix has and hitl has not."""
    return _error(404, "This part of Phoenix's API is not served here: hitl takes spans, annotations and notes in.")


def _annotate(request: HttpRequest, token: ApiToken, kind: str) -> HttpResponse:
    """Takes annotations in. With `sync=true`, and for a note, a span that has not come is a 404, as it is in Phoenix;
    without, what is said of it waits for it. What could not be kept is named beside the ids.
    """
    entries = shapes.entries(kind, _json(request))
    waits = kind != shapes.NOTE and request.GET.get("sync", "false").lower() not in ("true", "1")
    faults = taking.take(entries, tenant=token.tenant, now=timezone.now(), source=f"{DOOR} token {token}", waits=waits)
    ids = [{"id": shapes.name(entry)} for entry in entries]
    rejected = [{"index": index, "error": fault} for index, fault in enumerate(faults) if fault]
    return JsonResponse(
        {"data": ids[0] if kind == shapes.NOTE else ids, **({"rejected": rejected} if rejected else {})}
    )


def _json(request: HttpRequest) -> Any:
    try:
        return from_json(body.whole(request))
    except ValueError:
        raise Wrong("The body is not JSON.") from None
