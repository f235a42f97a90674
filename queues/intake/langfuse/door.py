"""Langfuse's door, under /api/public: what its SDKs send is taken as traces and signals. The public key may be
anything, the secret key is a token of ours that may ingest.
"""

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from pydantic_core import from_json

from hitl.access.models import ApiToken
from hitl.access.tokens import TokenRefused
from queues.intake import body
from queues.intake.body import BodyRefused
from queues.intake.foreign import words
from queues.intake.foreign.front import bearer, door, guarded
from queues.intake.foreign.meaning import Refused, Word
from queues.intake.foreign.readers import READERS
from queues.intake.langfuse import attributes, events, scores
from queues.intake.otlp import door as otlp
from queues.intake.span import SpanIn
from queues.intake.spans import spans

TOOL: Final = "langfuse"
MOST: Final = 10_000
_IDS: Final = uuid.UUID("2f2b7f0e-4a6c-5f0e-8d55-6b1f6f0f4c11")


def said(status: int, sentence: str) -> HttpResponse:
    """A failure as Langfuse words it."""
    names = {400: "InvalidRequestError", 401: "UnauthorizedError", 403: "ForbiddenError", 404: "NotFoundError"}
    names |= {405: "MethodNotAllowedError", 413: "PayloadTooLargeError"}
    headers = {"WWW-Authenticate": "Basic"} if status == 401 else {}
    answer = {"message": sentence, "error": names.get(status, "InternalServerError")}
    return JsonResponse(answer, status=status, headers=headers)


def secret(request: HttpRequest) -> str:
    """The secret key of Basic authentication; a program may also show it as a bearer's."""
    kind, _, packed = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            pair = base64.b64decode(packed.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        key = pair.partition(":")[2].strip()
    else:
        key = bearer(request)
    if not key.startswith("hitl_"):
        raise TokenRefused(
            401,
            "This needs a token. Set LANGFUSE_SECRET_KEY to one of hitl's (hitl_…); the public key may be anything.",
        )
    return key


@door("POST", secret=secret, say=said)
def post_scores(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """One score, or a list of them."""
    sent = _json(body.whole(request))
    if isinstance(sent, list):
        faults = [fault for fault in _take_scores(sent, token) if fault]
        if not faults:
            return JsonResponse({"message": "Accepted"}, status=202)
        errors = [{"message": fault} for fault in faults]
        return JsonResponse(
            {"accepted": len(sent) - len(faults), "rejected": len(faults), "errors": errors}, status=207
        )
    (fault,) = _take_scores([sent], token)
    if fault:
        return said(400, fault)
    name = sent.get("id") or uuid.uuid5(_IDS, json.dumps(sent, sort_keys=True))
    return JsonResponse({"id": str(name)})


@door("POST", secret=secret, say=said)
def ingestion(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """A batch of events; each is answered for by its id."""
    sent = _json(body.whole(request))
    batch = sent.get("batch") if isinstance(sent, dict) else None
    if not isinstance(batch, list):
        return said(400, "batch: must be a list of events.")
    if len(batch) > MOST:
        return said(413, f"A batch has at most {MOST:,} events. Nothing was taken; send it in parts.")
    faults = _take_events(batch, token)
    answer: dict[str, list[dict[str, Any]]] = {"successes": [], "errors": []}
    for event, fault in zip(batch, faults, strict=True):
        name = event.get("id") if isinstance(event, dict) else None
        if fault:
            answer["errors"].append({"id": str(name or ""), "status": 400, "message": fault, "error": fault})
        else:
            answer["successes"].append({"id": str(name), "status": 201})
    return JsonResponse(answer, status=207)


@door("POST", secret=secret, say=said)
def traces(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """OpenTelemetry's spans, with Langfuse's attributes before all others."""
    return otlp.answer(request, token=token, door=TOOL, readers=(attributes.read, *READERS))


@door("GET", "HEAD", secret=secret, say=said)
def projects(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """The one project of these keys, which is how the SDK tries them: the token's tenant."""
    project = {
        "id": token.tenant.slug,
        "name": token.tenant.name,
        "organization": {"id": "hitl", "name": "hitl"},
        "metadata": {},
    }
    return JsonResponse({"data": [project]})


def _health(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "OK", "version": "hitl"})


def _nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    return said(
        404, "hitl does not do this. Of Langfuse's API it takes traces, observations and scores in, under /api/public."
    )


health = guarded(_health, methods=("GET", "HEAD"), say=said)
nowhere = guarded(_nowhere, methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"), say=said)


def _json(whole: bytes) -> Any:
    try:
        return from_json(whole, allow_inf_nan=False)
    except ValueError as error:
        raise BodyRefused(400, f"The body is not JSON: {error}. Nothing was taken.") from None


def _take_scores(sent: list[Any], token: ApiToken) -> list[str]:
    if len(sent) > MOST:
        raise BodyRefused(413, f"At most {MOST:,} scores are taken at once. Nothing was taken; send them in parts.")
    faults = [""] * len(sent)
    read: list[tuple[int, Word]] = []
    for place, one in enumerate(sent):
        try:
            read.append((place, scores.word(one)))
        except Refused as refused:
            faults[place] = str(refused)
    _take_words(read, faults, token, timezone.now())
    return faults


def _take_events(batch: list[Any], token: ApiToken) -> list[str]:
    """For each event why it was not taken; empty where it was."""
    now = timezone.now()
    faults = [""] * len(batch)
    steps: list[tuple[int, SpanIn]] = []
    read: list[tuple[int, Word]] = []
    for place, event in enumerate(batch):
        try:
            made = _event(event, now)
        except Refused as refused:
            faults[place] = str(refused)
            continue
        if isinstance(made, SpanIn):
            steps.append((place, made))
        elif made:
            read.append((place, made))
    if steps:
        source = f"{TOOL} token {token}"
        taken = spans([span for _, span in steps], tenant=token.tenant, now=now, source=source)
        for index, error in taken.rejected:
            faults[steps[index][0]] = error
    _take_words(read, faults, token, now)
    return faults


def _event(event: Any, now: datetime) -> SpanIn | Word | None:
    """What an event tells; None where there is nothing to keep. Raises Refused."""
    if not isinstance(event, Mapping) or not isinstance(event.get("body"), Mapping):
        raise Refused("The event must be an object with id, type, timestamp and body.")
    name, kind, told = events.named(event, "id"), event.get("type"), event["body"]
    at = scores.moment(event.get("timestamp"), "timestamp") or now
    if kind == events.TRACE:
        return events.trace(told, at)
    if kind == events.SCORE:
        return scores.word({"timestamp": event.get("timestamp"), **told}, default_id=name)
    if kind in events.OBSERVATIONS:
        return events.observation(str(kind), told, at)
    if kind == events.LOG:
        return None
    raise Refused(f"type: {str(kind)[:60]} is not one that hitl keeps.")


def _take_words(read: list[tuple[int, Word]], faults: list[str], token: ApiToken, now: datetime) -> None:
    if not read:
        return
    source = f"{TOOL} token {token}"
    answers = words.take([word for _, word in read], tenant=token.tenant, now=now, tool=TOOL, source=source)
    for (place, _), fault in zip(read, answers, strict=True):
        faults[place] = fault
