"""The random key of a tenant's pseudonyms, kept encrypted: another HITL_SECRET_KEY changes no pseudonym."""

import secrets

from hitl import vault

PURPOSE = "hitl.access.pseudonyms"


class Unreadable(Exception):
    """A key was encrypted under another SECRET_KEY; the text says what to do."""


def new() -> bytes:
    """A fresh key, as it is stored with a tenant."""
    return sealed(secrets.token_bytes(32))


def sealed(key: bytes) -> bytes:
    return vault.lock(key, purpose=PURPOSE)


def opened(sealed: bytes) -> bytes:
    """The key in clear. Raises Unreadable rather than giving one person two pseudonyms."""
    try:
        return vault.unlock(sealed, purpose=PURPOSE)
    except vault.Unreadable:
        raise Unreadable(
            "The key of a tenant's pseudonyms can't be read, since HITL_SECRET_KEY has changed. Nothing was stored. "
            "Put the key from before into HITL_SECRET_KEY_FALLBACKS and start again; if it is lost for good, run "
            "manage.py new_pseudonyms, and the same persons get other pseudonyms from then on."
        ) from None


def readable(sealed: bytes) -> bool:
    try:
        opened(sealed)
    except Unreadable:
        return False
    return True
