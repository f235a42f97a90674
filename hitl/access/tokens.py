"""Bearer tokens of the API: a tenant's, for some scopes, for some time. Only the digest of a token is kept."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from hitl.access.models import ApiToken, Tenant, User
from hitl.access.people import Refused
from hitl.audit import log

LONGEST_DAYS: Final = 3650
NOTED_EVERY: Final = timedelta(minutes=1)


class TokenRefused(Exception):
    """A request without the token it needs: the status to answer with, and the sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@transaction.atomic
def issue(
    *,
    tenant: Tenant,
    name: str,
    scopes: Iterable[str],
    days: int = 365,
    by: User | None = None,
    actor_name: str = "",
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is to be shown once and cannot be had again."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in ApiToken.Scope.values]
    if unknown or not wanted:
        known = ", ".join(ApiToken.Scope.values)
        raise Refused(f"“{unknown[0]}” is no scope: there are {known}." if unknown else f"Give a scope: {known}.")
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused(f"A token is good for 1 to {LONGEST_DAYS} days, not {days}.")
    prefix = secrets.token_hex(4)
    secret = f"hitl_{prefix}_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        tenant=tenant, name=name.strip()[:120] or "Unnamed", prefix=prefix, digest=ApiToken.digest_of(secret),
        scopes=wanted, created_by=by, expires_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    _record(by, "token.issued", token, actor_name, scopes=wanted, days=days)
    return token, secret


@transaction.atomic
def revoke(*, token: ApiToken, by: User | None, actor_name: str = "") -> None:
    """Ends a token at once. Ending it again changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        _record(by, "token.revoked", token, actor_name)


def authenticate(request: HttpRequest, *scopes: str) -> ApiToken:
    """The token that a request carries, if it has one of the scopes. One look-up; raises TokenRefused otherwise."""
    return admit(bearer(request), *scopes)


def admit(secret: str, *scopes: str) -> ApiToken:
    """The token with this secret, wherever it was carried, if it has one of the scopes. Raises TokenRefused."""
    token = _find(secret)
    now = timezone.now()
    if token.revoked_at is not None:
        raise TokenRefused(401, f"This token was revoked on {token.revoked_at:%Y-%m-%d}. Ask for a new one.")
    if token.expires_at is not None and token.expires_at <= now:
        raise TokenRefused(401, f"This token expired on {token.expires_at:%Y-%m-%d}. Ask for a new one.")
    if not token.may(scopes):
        may, wanted = ", ".join(token.scopes), " or ".join(scopes)
        raise TokenRefused(403, f"This token is for {may}; this needs one for {wanted}.")
    _note_use(token, now)
    return token


def bearer(request: HttpRequest) -> str:
    """The secret that the Authorization header carries. Raises TokenRefused."""
    header = request.headers.get("Authorization", "")
    kind, _, secret = header.partition(" ")
    if not header:
        raise TokenRefused(401, "This needs a token. Send the header Authorization: Bearer hitl_…")
    if kind.lower() != "bearer" or not secret.isascii() or not secret.strip().startswith("hitl_"):
        raise TokenRefused(401, "The Authorization header is not understood. Write it as: Bearer hitl_…")
    return secret.strip()


def _find(secret: str) -> ApiToken:
    digest = ApiToken.digest_of(secret)
    # Looked up by the digest of 256 random bits: how long that takes says nothing about the secret.
    token = ApiToken.objects.select_related("tenant").filter(digest=digest).first()
    if token is None or not secrets.compare_digest(bytes(token.digest), digest):
        raise TokenRefused(401, "This token is not known here. It may be mistyped, or of another installation.")
    return token


def _note_use(token: ApiToken, now: datetime) -> None:
    """At most once a minute, so that a busy token costs no write per request."""
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _record(by: User | None, action: str, token: ApiToken, actor_name: str, **detail: object) -> None:
    log.append(
        actor=by, action=action, subject=f"token:{token.pk}", tenant_id=token.tenant_id,
        detail=detail or None, actor_name=actor_name or ("" if by else "command line"),
    )  # fmt: skip
