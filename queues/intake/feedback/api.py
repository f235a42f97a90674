"""Feedback in one call: by a program about its own answers, or by a page about traces that came by another way."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Field, Router, Schema

from hitl.access.attempts import address
from hitl.access.bearer import Bearer, token_of
from hitl.access.models import ApiToken
from queues.intake import body
from queues.intake.answering import UNREADABLE, Error, document
from queues.intake.body import BodyRefused
from queues.intake.feedback import origins, rates, taking, waiting
from queues.intake.feedback.schema import BELIEVED, PUBLIC_TEXT_LONGEST, SIGNALS_MOST, pieces
from queues.models import IntakeSettings

router = Router()

EVENTS_MOST: Final = 1_000
# What a page sends at once: less than a minute's worth, whoever wrote the page.
PUBLIC_MOST: Final = 100
PUBLIC_BYTES: Final = 1024 * 1024


class Fault(Schema):
    field: str = Field(description="Of the event, as `signals[2].rating`.")
    error: str


class Came(Schema):
    """What became of one event. What is not named in `errors` was taken, now or before."""

    index: int = Field(description="Counted from 0 over the events that were sent.")
    request_id: str | None = Field(description="As far as it could be read.")
    trace: Literal["stored", "known", "refused"] | None = Field(
        description="`known`: it was here before and stays as it is; null: the event had no texts."
    )
    signals: int = Field(description="How many signals of the event were taken, now or before.")
    errors: list[Fault]


class New(Schema):
    accepted: int
    duplicates: int = Field(description="Those that were taken in before with the same content.")


class FeedbackTaken(Schema):
    """What was taken, and for each event what was not."""

    traces: New
    signals: New
    events: list[Came]


EVENT: Final = {"$ref": "#/components/schemas/FeedbackEvent"}
EXAMPLE: Final = {
    "request_id": "req_123",
    "prompt_version": "support-7",
    "user_input": "I was charged twice in October. Do I get it back?",
    "llm_output": "You were charged twice. The second payment is returned within three days.",
    "implicit_signal": "edited",
    "explicit_rating": 2,
    "edited_output": "The second payment is returned as soon as the bank has confirmed it.",
    "timestamp": 1795248000.0,
    "user_key": "u-81",
    "consent": {"evaluation": True},
}
BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        f"One event, or an array of at most {EVENTS_MOST:,}. An event with `user_input` or `llm_output` is kept as a "
        "trace, under the time of the first event about it; `implicit_signal`, `explicit_rating`, `edited_output`, "
        f"`reason` and `comment` become signals, and `signals` (at most {SIGNALS_MOST}) may hold more. Sending the "
        "same again is safe. Feedback on a trace that has not come yet waits for it.\n\n"
        "A token for `feedback` alone may stand in a page. With it, an event names its answer and says what was made "
        "of it, and nothing else: no texts of the interaction, and nothing of a person who allowed nothing by "
        f"`consent`. A text has at most {PUBLIC_TEXT_LONGEST:,} characters, a request at most {PUBLIC_MOST} pieces of "
        f"feedback; a time more than {BELIEVED.days} days back or ahead of now is not believed, and now is taken. What "
        f"waits for a trace in vain is removed after {waiting.PATIENCE.days} days. Pages must be of an origin that the "
        "tenant names, and there is a limit per minute and address: 429 says in `Retry-After` when to go on."
    ),
    "content": {
        "application/json": {"schema": {"oneOf": [EVENT, {"type": "array", "items": EVENT}]}, "example": EXAMPLE},
    },
}


@router.post(
    "/feedback",
    auth=Bearer("ingest", "feedback"),
    response={200: FeedbackTaken, 422: Error, 429: Error, **UNREADABLE},
    openapi_extra={"requestBody": BODY},
    operation_id="send_feedback",
    summary="Send feedback",
)
def send_feedback(request: HttpRequest) -> HttpResponse:
    """Takes what users made of answers, with the interaction itself where it is not here yet: trace and signals in one
    call. Every event is taken whatever the others are.
    """
    token, now = token_of(request), timezone.now()
    settings = IntakeSettings.of(token.tenant)
    origins.admit(request, token, settings)
    if body.media_type(request) not in body.JSON_TYPES:
        raise BodyRefused(415, "Feedback is sent as application/json: one event, or an array of them.")
    public = not token.may([ApiToken.Scope.INGEST])
    rows = _from_page(request, token, settings, now) if public else document(body.whole(request))
    if len(rows) > EVENTS_MOST:
        raise BodyRefused(413, f"More than {EVENTS_MOST:,} events came in one request. Send the rest in another.")
    taken = taking.feedback(rows, tenant=token.tenant, now=now, source=f"token {token}", public=public)
    return JsonResponse(_answer(taken))


def _from_page(request: HttpRequest, token: ApiToken, settings: IntakeSettings, now: datetime) -> Sequence[object]:
    """The events of a body, counted against the limit per minute. A body that is not taken counts, too."""
    spend = partial(rates.spend, token=token, address=address(request), most=settings.feedback_per_minute, now=now)
    try:
        rows = document(body.whole(request, PUBLIC_BYTES))
        cost = sum(map(pieces, rows))
        if cost > PUBLIC_MOST:
            raise BodyRefused(413, f"A page sends at most {PUBLIC_MOST} pieces of feedback at once. Nothing was kept.")
    except BodyRefused:
        spend(cost=1)
        raise
    spend(cost=cost)
    return rows


def _answer(taken: taking.Taken) -> dict[str, Any]:
    return {
        "traces": {"accepted": taken.traces.accepted, "duplicates": taken.traces.duplicates},
        "signals": {"accepted": taken.signals.accepted, "duplicates": taken.signals.duplicates},
        "events": [
            {
                "index": one.index,
                "request_id": one.ref,
                "trace": one.trace,
                "signals": one.signals,
                "errors": [{"field": fault.field, "error": fault.error} for fault in one.errors],
            }
            for one in taken.fates
        ],
    }
