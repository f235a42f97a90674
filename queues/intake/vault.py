"""Keeps what somebody brought, as it came, unreadable in the database, until it is taken in or dropped."""

import gzip

from hitl import vault

PURPOSE = "hitl.queues.vault"


class Unreadable(Exception):
    """It was locked under another SECRET_KEY; the text says what to do."""


def lock(content: bytes) -> bytes:
    return vault.lock(gzip.compress(content, compresslevel=1), purpose=PURPOSE)


def unlock(locked: bytes) -> bytes:
    """The content as it came. Raises Unreadable when SECRET_KEY was changed and the one before is not a fallback."""
    try:
        return gzip.decompress(vault.unlock(locked, purpose=PURPOSE))
    except vault.Unreadable:
        raise Unreadable("The file can't be read, since HITL_SECRET_KEY has changed. Upload it again.") from None
