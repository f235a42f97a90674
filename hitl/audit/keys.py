"""The key that signs checkpoints: HITL_AUDIT_KEY, or else a value made once and kept in the data folder.

Nodes that may lead must share it (set HITL_AUDIT_KEY), or else a verifier needs every node's public key.
"""

import hashlib
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from hitl import env
from hitl.audit.notes import PublicKey

VARIABLE, FILE = "HITL_AUDIT_KEY", "audit_key"


def signing_key() -> Ed25519PrivateKey:
    """Made on the first use."""
    secret = env.secret(VARIABLE, settings.DATA_DIR / FILE)
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"hitl audit\n" + secret.encode()).digest())


def own_public_key(origin: str) -> PublicKey | None:
    """What this node's checkpoints of the log are checked with; None where no key was ever made."""
    if os.environ.get(VARIABLE) or (settings.DATA_DIR / FILE).exists():
        return PublicKey.of(signing_key(), origin)
    return None
