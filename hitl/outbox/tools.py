"""Other tools that a tenant's events go to: each gets them as its own API wants them, opened with the tenant's key.

How a tool wants them is known to the rooms above, whose modules are named in settings.OUTBOX_TOOLS: nothing here
imports upwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Final, Protocol, cast

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from hitl.access.models import Tenant, User
from hitl.audit import log
from hitl.outbox import addresses, http, secrets
from hitl.outbox.messages import body_of
from hitl.outbox.models import Endpoint, Message, SigningSecret

# A person waits for it.
TRYING: Final = 5.0
_SHORTEST: Final = 6


class Unsuitable(ValueError):
    """The tool would never take this; the text says why."""


class Taken(ValueError):
    """The tenant has this tool already."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a tool: `path` follows the address that the tenant gave. `if_known` is sent instead where the tool
    answers that it has this already.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = None
    if_known: "Call | None" = None


class Shape(Protocol):
    """How a tool wants to be spoken to."""

    def told(self, payload: dict[str, Any], *, key: str, project: str) -> Call:
        """The call that tells of an event. Raises Unsuitable."""
        ...

    def greeting(self, *, key: str, project: str) -> Call:
        """A call that changes nothing, and that only a right address and key answer well."""
        ...


@cache
def shape(kind: str) -> Shape:
    return cast(Shape, import_module(settings.OUTBOX_TOOLS[kind]))


def call(kind: str, payload: dict[str, Any], *, key: str, project: str) -> Call:
    """What to say to a tool of this kind about an event. Raises Unsuitable."""
    return shape(kind).told(payload, key=key, project=project)


def make(call: Call, base: str, timeout: float = http.TIMEOUT) -> http.Answer:
    """Raises addresses.Refused, http.Unreachable."""
    headers = {"Accept": "application/json", **call.headers}
    body = b""
    if call.body is not None:
        headers["Content-Type"], body = "application/json", body_of(call.body)
    return http.call(call.method, base.rstrip("/") + call.path, headers=headers, body=body, timeout=timeout)


def without_key(said: str, key: str) -> str:
    """A sentence with the tool's own words in it, which may have repeated the key."""
    for part in (key, *key.split(":")):
        if len(part) >= _SHORTEST:
            said = said.replace(part, "…")
    return said


def connect(*, tenant: Tenant, kind: str, url: str, key: str, project: str, by: User | None) -> Endpoint:
    """A tool that hears of decisions from now on. Raises addresses.Refused, Taken."""
    address = addresses.check(url.strip().rstrip("/"))
    base = address.url.rstrip("/")
    with transaction.atomic():
        endpoint, is_new = Endpoint.objects.get_or_create(
            tenant=tenant,
            url=base,
            kind=kind,
            project=project,
            removed_at=None,
            defaults={"topics": [Endpoint.Topic.CASE_DECIDED]},
        )
        if not is_new:
            raise Taken("This tool is there already. Remove it first if its key has changed.")
        SigningSecret.objects.create(tenant=tenant, endpoint=endpoint, sealed=secrets.seal(key))
        _record(endpoint, "tool.connected", by, {"kind": kind, "server": address.netloc})
    return endpoint


@transaction.atomic
def remove(*, endpoint: Endpoint, by: User) -> int:
    """The tool hears of nothing more, and its key is forgotten. How many messages were called off, which it says."""
    Endpoint.objects.filter(pk=endpoint.pk, removed_at=None).update(
        is_active=False, removed_at=Now(), off_because="It was removed."
    )
    SigningSecret.objects.filter(endpoint=endpoint).delete()
    unsettled = Message.objects.filter(endpoint=endpoint, state__in=[Message.State.WAITING, Message.State.FAILING])
    called_off = unsettled.update(state=Message.State.CANCELLED)
    _record(endpoint, "tool.removed", by, {"called_off": called_off})
    return called_off


def attempt(*, endpoint: Endpoint, by: User) -> str:
    """Asks the tool for something, now; a sentence that says why it did not answer well, empty if it did."""
    with transaction.atomic():
        _record(endpoint, "tool.tried", by)
    sealed = SigningSecret.objects.filter(endpoint=endpoint, until=None).values_list("sealed", flat=True).first()
    if sealed is None:
        return "It was removed."
    try:
        key = secrets.unseal(bytes(sealed))
        answer = make(shape(endpoint.kind).greeting(key=key, project=endpoint.project), endpoint.url, TRYING)
    except (addresses.Refused, http.Unreachable, secrets.Unreadable) as refused:
        return str(refused)
    if 200 <= answer.status < 300:
        return ""
    if answer.status in (401, 403):
        return f"It is there, but answered {answer.title}: the key is not right, or may not do this."
    if answer.status == 404:
        return f"It answered {answer.title}: the address leads elsewhere. Check its path."
    said = f": “{answer.said}”" if answer.said else "."
    return without_key(f"It answered {answer.title}{said}", key)


def _record(endpoint: Endpoint, action: str, by: User | None, detail: dict[str, object] | None = None) -> None:
    log.append(
        actor=by,
        action=action,
        subject=f"endpoint:{endpoint.pk}",
        tenant_id=endpoint.tenant_id,
        detail=detail,
        actor_name="" if by else "command line",
    )
