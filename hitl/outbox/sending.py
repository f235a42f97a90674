"""One attempt to hand over one message, and what came of it in words. No database: the caller keeps the record."""

import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from django.core.mail import EmailMessage, get_connection
from standardwebhooks.webhooks import Webhook

from hitl.outbox import http, tools
from hitl.outbox.addresses import Refused
from hitl.outbox.messages import body_of
from hitl.outbox.models import Message

# The receiver can't be reached, or asks for a pause: others' messages to it would fare no better now.
_TROUBLE: Final = (429, 502, 503, 504)
_GONE: Final = 410
_CONFLICT: Final = 409
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message on its way. `lease` names this attempt; `secrets` sign it, the current one first, or open the tool that
    it goes to.
    """

    id: int
    uid: str
    channel: str
    topic: str
    url: str
    destination: str
    payload: dict[str, Any]
    attempts: int
    lease: datetime
    tenant_id: int | None
    endpoint_id: int | None
    secrets: tuple[str, ...] = ()
    tool: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """`error` is empty when it was taken. `trouble`: the receiver is not there. `gone`: it wants no more. `hopeless`:
    it would never take this message, so that trying again is no use.
    """

    error: str = ""
    trouble: bool = False
    gone: bool = False
    hopeless: bool = False


def send(parcel: Parcel) -> Result:
    """One attempt. Never raises: whatever goes wrong is a result in words."""
    try:
        result = _HANDS[parcel.channel](parcel)
    except tools.Unsuitable as unsuitable:
        result = Result(str(unsuitable), hopeless=True)
    except (Refused, http.Unreachable) as error:
        result = Result(str(error), trouble=isinstance(error, http.Unreachable))
    except Exception as error:  # a message must not be lost, or block its like, because of a mistake in here
        result = Result(f"It could not be sent ({type(error).__name__}). The log of the server may say more.")
    return replace(result, error=result.error[:_LONGEST])


def signed(*, uid: str, body: bytes, secrets: tuple[str, ...], at: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks; while a secret is being replaced, both sign."""
    text = body.decode()
    return {
        "webhook-id": f"msg_{uid}",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(f"msg_{uid}", at, text) for secret in secrets),
    }


def _webhook(parcel: Parcel) -> Result:
    if not parcel.secrets:
        return Result("Its secret can't be read, since HITL_SECRET_KEY has changed. Make a new secret for the address.")
    body = body_of(parcel.payload)
    at = datetime.fromtimestamp(int(time.time()), UTC)
    headers = signed(uid=parcel.uid, body=body, secrets=parcel.secrets, at=at)
    return _came_of(http.post(parcel.url, headers={"Content-Type": "application/json", **headers}, body=body))


def _tool(parcel: Parcel) -> Result:
    """The message as the tool's own API wants it, opened with the key that the tenant gave for it."""
    if not parcel.secrets:
        return Result("Its key can't be read, since HITL_SECRET_KEY has changed. Remove the tool, and add it again.")
    call = tools.call(parcel.tool, parcel.payload, key=parcel.secrets[0], project=parcel.project)
    answer = tools.make(call, parcel.url)
    if answer.status == _CONFLICT and call.if_known:
        answer = tools.make(call.if_known, parcel.url)
    result = _came_of(answer)
    return replace(result, error=tools.without_key(result.error, parcel.secrets[0]))


def _came_of(answer: http.Answer) -> Result:
    if 200 <= answer.status < 300:
        return Result()
    if 300 <= answer.status < 400:
        return Result(f"It answered {answer.title}, a redirect, which is not followed. Enter the address it leads to.")
    if answer.status == _GONE:
        return Result(f"It answered {answer.title}: it wants no more messages.", gone=True)
    said = f": “{answer.said}”" if answer.said else "."
    return Result(f"It answered {answer.title}{said}", trouble=answer.status in _TROUBLE)


def _email(parcel: Parcel) -> Result:
    mail = EmailMessage(
        subject=parcel.payload["subject"],
        body=parcel.payload["body"],
        to=[parcel.payload["to"]],
        headers={"Message-ID": f"<{parcel.uid}@hitl>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(timeout=int(http.TIMEOUT)),
    )
    try:
        mail.send()
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return Result(f"The mail server answered {error.smtp_code}: “{said[: http.KEPT]}”")
    except smtplib.SMTPRecipientsRefused:
        return Result("The mail server refuses this person's address.")
    except (OSError, smtplib.SMTPException) as error:
        return Result(f"The mail server can't be used: {error}.", trouble=True)
    return Result()


_HANDS: Final[dict[str, Callable[[Parcel], Result]]] = {
    Message.Channel.WEBHOOK: _webhook,
    Message.Channel.EMAIL: _email,
    Message.Channel.TOOL: _tool,
}
