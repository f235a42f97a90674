"""Keeps what somebody brought, as it came, unreadable in the database, until it is taken in or dropped."""

import base64
import gzip
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """It was locked under another SECRET_KEY; the text says what to do."""


def lock(content: bytes) -> bytes:
    return _box().encrypt(gzip.compress(content, compresslevel=1))


def unlock(locked: bytes) -> bytes:
    """The content as it came. Raises Unreadable when SECRET_KEY was changed and the one before is not a fallback."""
    try:
        return gzip.decompress(_box().decrypt(locked))
    except InvalidToken:
        raise Unreadable("The file can't be read, since HITL_SECRET_KEY has changed. Upload it again.") from None


def _box() -> MultiFernet:
    return _made_from((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _made_from(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"hitl.queues.vault").derive(key.encode())
