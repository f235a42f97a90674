"""Addresses at which anybody who holds one may give one piece of feedback, on one trace, for a time."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from hitl.access.models import ApiToken
from hitl.audit import log
from queues.intake.cleaning import clean_name
from queues.intake.foreign.meaning import Refused
from queues.intake.langsmith.feedback import LONGEST
from queues.intake.langsmith.runs import identity, moment
from queues.models import FeedbackToken

USUALLY: Final = timedelta(hours=3)
AT_MOST: Final = timedelta(days=365)
MOST: Final = 100
# Who comes with an old one is told that it is old.
KEPT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address is asked for."""

    trace: str
    key: str
    feedback: str
    expires_at: datetime


def wanted(given: Any, now: datetime) -> Wanted:
    """Raises Refused, with the field."""
    if not isinstance(given, Mapping):
        raise Refused("The request must be an object, or a list of them.")
    key = given.get("feedback_key")
    if not isinstance(key, str) or not key.strip() or len(key) > LONGEST or not key.isprintable():
        raise Refused(f"feedback_key: must be a text of 1 to {LONGEST} characters.")
    expires_at = moment(given.get("expires_at"), "expires_at") or now + _lasting(given.get("expires_in"))
    if not now < expires_at <= now + AT_MOST:
        raise Refused(f"expires_at, expires_in: must lie ahead, by {AT_MOST.days} days at most.")
    return Wanted(
        trace=identity(given.get("run_id"), "run_id"),
        key=key.strip(),
        feedback=identity(given["id"], "id") if given.get("id") else str(uuid.uuid4()),
        expires_at=expires_at,
    )


@transaction.atomic
def issue(*, token: ApiToken, asked: list[Wanted], now: datetime) -> list[uuid.UUID]:
    """An address for each, as the secret that it ends with, which is kept nowhere."""
    FeedbackToken.objects.filter(expires_at__lt=now - KEPT).delete()
    secrets = [uuid.uuid4() for _ in asked]
    FeedbackToken.objects.bulk_create(
        FeedbackToken(
            token=token,
            digest=digest(secret),
            trace_ref=one.trace,
            name=clean_name(one.key, token.tenant)[:LONGEST],
            feedback_id=one.feedback,
            created_at=now,
            expires_at=one.expires_at,
        )
        for secret, one in zip(secrets, asked, strict=True)
    )
    log.append(
        actor=None,
        action="feedback_address.made",
        subject=f"tenant:{token.tenant_id}",
        tenant_id=token.tenant_id,
        detail={"count": len(asked)},
        actor_name=f"langsmith token {token}",
    )
    return secrets


def find(secret: uuid.UUID, now: datetime) -> FeedbackToken:
    """The leave that comes with an address. Raises Refused where there is none, or none any more."""
    found = FeedbackToken.objects.select_related("token__tenant").filter(digest=digest(secret)).first()
    if found is None:
        raise Refused("This address is not known. It may be mistyped, or have ended some time ago.")
    if found.expires_at <= now:
        raise Refused(f"This address ended on {found.expires_at:%Y-%m-%d at %H:%M} UTC.")
    ended = found.token.revoked_at or (found.token.expires_at if (found.token.expires_at or now) < now else None)
    if ended:
        raise Refused(f"This address ended on {ended:%Y-%m-%d}, with the token that it was made with.")
    return found


def digest(secret: uuid.UUID) -> bytes:
    return hashlib.sha256(secret.bytes).digest()


def _lasting(given: Any) -> timedelta:
    """A time as LangSmith has it: days, hours and minutes."""
    if given is None:
        return USUALLY
    if not isinstance(given, Mapping):
        raise Refused("expires_in: must be an object with days, hours and minutes.")
    parts = {name: given.get(name) or 0 for name in ("days", "hours", "minutes")}
    if not all(isinstance(part, int | float) and abs(part) < 1e6 for part in parts.values()):
        raise Refused("expires_in: days, hours and minutes must be numbers.")
    return timedelta(**parts)
