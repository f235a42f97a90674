"""The secrets that sign webhooks: `whsec_` and 256 random bits, kept encrypted under a key made from SECRET_KEY."""

import base64
import secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "whsec_"


class Unreadable(Exception):
    """A secret was encrypted under another SECRET_KEY; the text says what to do."""


def new() -> str:
    """A fresh secret, as the receiver enters it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def seal(secret: str) -> bytes:
    return _box().encrypt(secret.encode())


def unseal(sealed: bytes) -> str:
    """The secret in clear. Raises Unreadable when SECRET_KEY was changed without its predecessor in the fallbacks."""
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken:
        raise Unreadable(
            "The secret of this address can't be read, since HITL_SECRET_KEY has changed. Make a new secret for it."
        ) from None


def _box() -> MultiFernet:
    return _made_from((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _made_from(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"hitl.outbox.secrets").derive(key.encode())
