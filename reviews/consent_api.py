"""A user takes back what they allowed, through the product that they use."""

from typing import Annotated, Any, ClassVar, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import BaseModel, ConfigDict, ValidationError

from hitl.access.bearer import Bearer, token_of
from hitl.access.models import ApiToken
from queues.intake import body
from queues.intake.answering import UNREADABLE, Error, document
from queues.intake.body import BodyRefused
from queues.intake.schema import STRICT, faults, name
from queues.traces import consent
from reviews.datasets.holding import holding

router = Router()

AT_ONCE: Final = 100


class TakenBack(BaseModel):
    """Whose consent is taken back: by the key that their traces and signals carry."""

    model_config = ConfigDict(**STRICT)
    NOUN: ClassVar = "withdrawal"

    user_key: Annotated[str, name(200, 1, "The user's pseudonym, as it is sent with traces and signals.")]


class HeldIn(Schema):
    dataset: str
    version: int
    rows: int


class Withdrawn(Schema):
    """What became of one withdrawal."""

    index: int
    at: str = Field(description="What the user gave up to then may be used for nothing.")
    signals: int = Field(description="How many signals lost a consent that they had.")
    datasets: list[HeldIn] = Field(description="Frozen before, with rows of theirs: whoever has one must be told.")


class Withdrawals(Schema):
    withdrawals: list[Withdrawn]


WITHDRAWAL: Final = {"$ref": "#/components/schemas/TakenBack"}
BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        f"One withdrawal, or an array of at most {AT_ONCE}; all are carried out, or, if one is wrong, none. A user of "
        "whom nothing is known is noted all the same: what was given before and comes later is held to it. "
        "Withdrawing again is safe."
    ),
    "content": {
        "application/json": {
            "schema": {"oneOf": [WITHDRAWAL, {"type": "array", "items": WITHDRAWAL}]},
            "example": {"user_key": "u-48151"},
        }
    },
}


@router.post(
    "/consent/withdrawals",
    auth=Bearer("ingest"),
    response={200: Withdrawals, 422: Error, **UNREADABLE},
    openapi_extra={"requestBody": BODY},
    operation_id="withdraw_consent",
    summary="Withdraw a user's consent",
)
def withdraw_consent(request: HttpRequest) -> HttpResponse:
    """Takes a user's signals out of every dataset to come, at once, and says which earlier ones held them."""
    token = token_of(request)
    if body.media_type(request) not in body.JSON_TYPES:
        raise BodyRefused(415, "Withdrawals are sent as application/json: one, or an array of them.")
    keys = _keys(document(body.whole(request, body.BLOCK)))
    with transaction.atomic():
        done = [_withdraw(index, key, token) for index, key in enumerate(keys)]
    return JsonResponse({"withdrawals": done})


def _withdraw(index: int, key: str, token: ApiToken) -> dict[str, Any]:
    tenant, now = token.tenant, timezone.now()
    one = consent.withdraw(tenant=tenant, user_key=key, by=None, source=f"api token {token}", now=now)
    held = [
        {"dataset": held.dataset, "version": held.version, "rows": held.rows}
        for held in holding(tenant, one.record.user_key)
    ]
    return {"index": index, "at": one.record.at.isoformat(), "signals": one.signals, "datasets": held}


def _keys(rows: Any) -> list[str]:
    if len(rows) > AT_ONCE:
        raise BodyRefused(413, f"More than {AT_ONCE} withdrawals came in one request. Nothing was changed.")
    keys = []
    for index, row in enumerate(rows):
        try:
            keys.append(TakenBack.model_validate(row).user_key)
        except ValidationError as error:
            said = faults(error, TakenBack)
            raise BodyRefused(422, f"Row {index}: {said} Nothing was changed.") from None
    return keys
