"""The secrets that sign webhooks: `whsec_` and 256 random bits, kept encrypted."""

import base64
import secrets

from hitl import vault

PREFIX = "whsec_"
PURPOSE = "hitl.outbox.secrets"


class Unreadable(Exception):
    """A secret was encrypted under another SECRET_KEY; the text says what to do."""


def new() -> str:
    """A fresh secret, as the receiver enters it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def seal(secret: str) -> bytes:
    return vault.lock(secret.encode(), purpose=PURPOSE)


def unseal(sealed: bytes) -> str:
    """The secret in clear. Raises Unreadable when SECRET_KEY was changed without its predecessor in the fallbacks."""
    try:
        return vault.unlock(sealed, purpose=PURPOSE).decode()
    except vault.Unreadable:
        raise Unreadable(
            "The secret of this address can't be read, since HITL_SECRET_KEY has changed. Make a new secret for it."
        ) from None
