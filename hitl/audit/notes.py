"""Checkpoints as signed notes, the format that transparency logs share (C2SP tlog-checkpoint, signed-note, Ed25519).

A note is the log's name, its size and its root in base64, a line each; an empty line; and a line per signature. A
public key is written as `name+id+base64`, so that any verifier of such notes can use it.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
SIGNED_BY = "— "


class BadNote(ValueError):
    """The text is no checkpoint, or nobody known has signed it. The message says which."""


@dataclass(frozen=True)
class Note:
    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class PublicKey:
    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.key).decode()}"

    @classmethod
    def of(cls, signer: Ed25519PrivateKey, origin: str) -> "PublicKey":
        return cls(origin, signer.public_key().public_bytes_raw())

    @classmethod
    def read(cls, text: str) -> "PublicKey":
        """The key that a line holds; BadNote if it holds none."""
        try:
            name, id_, encoded = text.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
            found = cls(name, raw[1:])
            if raw[:1] == ED25519 and len(raw) == 33 and found.id.hex() == id_:
                return found
        except (ValueError, binascii.Error):
            pass
        raise BadNote(f"This is not a public key as `manage.py audit key` prints it: {text.strip()[:80]!r}.")


def sign(note: Note, signer: Ed25519PrivateKey) -> str:
    body = f"{note.origin}\n{note.size}\n{base64.b64encode(note.root).decode()}\n"
    signature = PublicKey.of(signer, note.origin).id + signer.sign(body.encode())
    return f"{body}\n{SIGNED_BY}{note.origin} {base64.b64encode(signature).decode()}\n"


def read(text: str) -> Note:
    """What a note says, whoever signed it; BadNote if it says nothing."""
    try:
        origin, size, root, *_ = text.partition("\n\n")[0].split("\n")
        note = Note(origin, int(size), base64.b64decode(root, validate=True))
        if origin and str(note.size) == size and note.size >= 0 and len(note.root) == 32:
            return note
    except (ValueError, binascii.Error):
        pass
    raise BadNote("This is not a checkpoint.")


def check(text: str, keys: Sequence[PublicKey]) -> Note:
    """What a note says, signed by one of the keys; BadNote if by none."""
    note = read(text)
    body, _, signatures = text.partition("\n\n")
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(SIGNED_BY).rpartition(" ")
        try:
            signature = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            continue
        for key in keys:
            if key.name == name == note.origin and key.id == signature[:4]:
                try:
                    Ed25519PublicKey.from_public_bytes(key.key).verify(signature[4:], f"{body}\n".encode())
                except InvalidSignature:
                    raise BadNote(f"The checkpoint of {note.size:,} events has a wrong signature.") from None
                return note
    raise BadNote(f"The checkpoint of {note.size:,} events is signed by none of the keys given.")
