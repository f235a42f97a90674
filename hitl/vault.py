"""Keeps what must not be read in the database: encrypted under keys made from SECRET_KEY, one for each purpose."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """It was locked under another SECRET_KEY. Whoever catches this knows what was lost, and says what to do."""


def lock(content: bytes, *, purpose: str) -> bytes:
    """`purpose` names what it is for; what was locked for one cannot be unlocked for another."""
    return _box(purpose).encrypt(content)


def unlock(locked: bytes, *, purpose: str) -> bytes:
    """The content in clear. Raises Unreadable when SECRET_KEY was changed without its predecessor in the fallbacks."""
    try:
        return _box(purpose).decrypt(locked)
    except InvalidToken:
        raise Unreadable("It can't be read, since HITL_SECRET_KEY has changed.") from None


def _box(purpose: str) -> MultiFernet:
    return _made_from((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS), purpose)


@lru_cache(maxsize=16)
def _made_from(keys: tuple[str, ...], purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key, purpose))) for key in keys])


def _derived(key: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key.encode())
