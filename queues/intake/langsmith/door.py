"""LangSmith's door, under /langsmith: what its SDK sends is taken as traces and signals. The API key is a token of ours
that may ingest.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from pydantic_core import from_json

from hitl.access.models import ApiToken
from hitl.access.tokens import TokenRefused
from queues.intake import body
from queues.intake.body import BodyRefused
from queues.intake.feedback.origins import across
from queues.intake.foreign.front import bearer, door, guarded
from queues.intake.foreign.meaning import Refused
from queues.intake.langsmith import feedback, multipart, presigned, taking
from queues.intake.langsmith.multipart import Sent
from queues.intake.langsmith.taking import Taken

MOST: Final = 10_000
_PROJECTS: Final = uuid.UUID("7c1d3f94-61a1-5b0e-9a0c-6a1c9b7f2d58")
# What the SDK may send at once. Without a version it sends feedback by itself, and hears when that is refused.
INFO: Final[dict[str, Any]] = {
    "version": "",
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "scale_up_qsize_trigger": 1000,
        "scale_up_nthreads_limit": 16,
        "scale_down_nempty_trigger": 4,
        "size_limit": 100,
        "size_limit_bytes": 20 * 1024 * 1024,
    },
    "instance_flags": {"zstd_compression_enabled": True},
}


def said(status: int, sentence: str) -> HttpResponse:
    """A failure as LangSmith words it."""
    return JsonResponse({"detail": sentence}, status=status)


def secret(request: HttpRequest) -> str:
    """The API key; a program may also show it as a bearer's."""
    key = request.headers.get("x-api-key", "").strip() or bearer(request)
    if not key.startswith("hitl_") or not key.isascii():
        raise TokenRefused(401, "This needs a token. Set LANGSMITH_API_KEY to one of hitl's (hitl_…).")
    return key


@door("POST", secret=secret, say=said)
def runs_batch(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """Runs that began and runs that ended, as JSON."""
    sent = _json(request)
    if not isinstance(sent, dict):
        return said(422, "The body must be an object with post and patch.")
    rows: list[Sent] = []
    for what in ("post", "patch"):
        given = sent.get(what) or []
        if not isinstance(given, list):
            return said(422, f"{what}: must be a list of runs.")
        rows += [_row(what, one) for one in given]
    if len(rows) > MOST:
        return said(413, f"At most {MOST:,} runs are taken at once. Nothing was taken; send them in parts.")
    return _answer(taking.take(rows, token=token, now=timezone.now()))


@door("POST", secret=secret, say=said)
def runs_multipart(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """The same in parts, with feedback among them. What came of a body that breaks off is kept."""
    return _answer(taking.take(multipart.sent(request), token=token, now=timezone.now()))


@door("POST", secret=secret, say=said)
def runs(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """One run, when it began."""
    return _run(request, token, {})


@door("PATCH", secret=secret, say=said)
def run(request: HttpRequest, token: ApiToken, pk: str) -> HttpResponse:
    """What is new of one run."""
    return _run(request, token, {"id": pk})


@door("POST", secret=secret, say=said)
def post_feedback(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """Feedback on a run."""
    sent = _json(request)
    if not isinstance(sent, dict):
        return said(422, "The feedback must be an object.")
    taken = Taken()
    taking.take_feedback([sent], taken, token=token, now=timezone.now())
    if taken.faults:
        return said(422, taken.faults[0][1])
    return JsonResponse({**sent, "id": str(sent.get("id") or uuid.uuid4())})


@door("POST", secret=secret, say=said)
def post_tokens(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """Addresses for feedback without a key: one, or a list of them."""
    sent = _json(request)
    rows = sent if isinstance(sent, list) else [sent]
    now = timezone.now()
    if not 0 < len(rows) <= presigned.MOST:
        return said(422, f"Ask for 1 to {presigned.MOST} addresses at once.")
    try:
        wanted = [presigned.wanted(row, now) for row in rows]
    except Refused as refused:
        return said(422, f"{refused} No address was made.")
    made = [
        {
            "id": str(secret),
            "url": settings.HITL_URL + reverse("langsmith_token", kwargs={"secret": str(secret)}),
            "expires_at": one.expires_at.isoformat(),
        }
        for secret, one in zip(presigned.issue(token=token, asked=wanted, now=now), wanted, strict=True)
    ]
    return JsonResponse(made if isinstance(sent, list) else made[0], safe=False)


def _by_token(request: HttpRequest, secret: str) -> HttpResponse:
    """One piece of feedback from whoever holds the address, as JSON or as the address's own parameters."""
    now = timezone.now()
    try:
        leave = presigned.find(uuid.UUID(secret), now)
    except Refused as refused:
        return said(404, str(refused))
    given = _parameters(request) if request.method == "GET" else _json(request)
    if not isinstance(given, Mapping) or (request.method == "GET" and not given):
        return said(422, "Say what the feedback is: score, value, comment or correction.")
    about = given.get("metadata")
    try:
        word = feedback.word(
            {
                "id": leave.feedback_id, "run_id": leave.trace_ref, "key": leave.name,
                **{name: given.get(name) for name in ("score", "value", "correction", "comment")},
                "extra": about if isinstance(about, Mapping) else {},
            },
            trace=taking.traces_of([leave.trace_ref], tenant=leave.token.tenant).get(leave.trace_ref, ""),
            by_user=True,
        )  # fmt: skip
    except Refused as refused:
        return said(422, str(refused))
    taken = Taken()
    taking.take_words([word], taken, token=leave.token, now=now)
    return said(422, taken.faults[0][1]) if taken.faults else JsonResponse({"message": "Taken."})


@door("GET", "HEAD", secret=secret, say=said)
def sessions(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """The one project there is: the token's tenant."""
    name = request.GET.get("name", token.tenant.slug)
    project = {
        "id": str(uuid.uuid5(_PROJECTS, token.tenant.slug)),
        "name": name[:200],
        "tenant_id": str(uuid.uuid5(_PROJECTS, f"tenant {token.tenant.slug}")),
        "start_time": token.tenant.created_at.isoformat(),
        "reference_dataset_id": None,
    }
    return JsonResponse([project], safe=False)


def _info(request: HttpRequest) -> HttpResponse:
    return JsonResponse(INFO)


def _nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    return said(404, "hitl does not do this. Of LangSmith's API it takes runs and feedback in, under /langsmith.")


info = guarded(_info, methods=("GET", "HEAD"), say=said)
by_token = across(guarded(_by_token, methods=("GET", "POST"), say=said))
nowhere = guarded(_nowhere, methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"), say=said)


def _run(request: HttpRequest, token: ApiToken, also: dict[str, Any]) -> HttpResponse:
    sent = _json(request)
    if not isinstance(sent, dict):
        return said(422, "The run must be an object.")
    try:
        return _answer(taking.alone({**sent, **also}, token=token, now=timezone.now()))
    except Refused as refused:
        return said(422, str(refused))


def _row(what: str, given: Any) -> Sent:
    if isinstance(given, dict):
        return Sent(what, str(given.get("id") or ""), given)
    return Sent(what, "", {}, "The run must be an object.")


def _answer(taken: Taken) -> HttpResponse:
    """202 where all was taken; else what was not, so that it stands in the program's own log."""
    if sentence := taken.sentence():
        return said(422, sentence)
    return JsonResponse({"message": "Taken."}, status=202)


def _parameters(request: HttpRequest) -> dict[str, Any]:
    """What a link says. An address alone says nothing: whoever looks at links beforehand must not vote."""
    given: dict[str, Any] = {
        name: request.GET[name] for name in ("value", "comment", "correction") if name in request.GET
    }
    if score := request.GET.get("score", ""):
        try:
            given["score"] = float({"true": "1", "false": "0"}.get(score.lower(), score))
        except ValueError:
            given["value"] = score
    return given


def _json(request: HttpRequest) -> Any:
    try:
        return from_json(body.whole(request), allow_inf_nan=False)
    except ValueError as error:
        raise BodyRefused(400, f"The body is not JSON: {error}. Nothing was taken.") from None
