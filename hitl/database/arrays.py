"""Arrays of some thousand values as PostgreSQL reads them: several times quicker than value by value by the driver.

For parameters with a cast, as in `unnest(%s::uuid[])`.
"""

from collections.abc import Iterable
from uuid import UUID


def uuids(values: Iterable[UUID]) -> str:
    return "{" + ",".join([value.hex for value in values]) + "}"


def texts(values: Iterable[str]) -> str:
    """Of any characters but NUL, which PostgreSQL has no room for."""
    return "{" + ",".join(['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]) + "}"


def blobs(values: Iterable[bytes]) -> str:
    return "{" + ",".join(['"\\\\x' + value.hex() + '"' for value in values]) + "}"


def numbers(values: Iterable[float]) -> str:
    return "{" + ",".join([repr(value) for value in values]) + "}"


def flags(values: Iterable[bool]) -> str:
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"
