"""One row on its way in: its exact form, its digest, and the characters that no database and no screen can hold."""

import hmac
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from pydantic import BaseModel

from queues.intake.schema import DEEPEST

NUL: Final = "\x00"
FREE_FORM: Final = {"tool_results", "metadata"}
_ENCODE: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is not JSON at all, with the sentence that says where."""

    error: str


class NotStorable(ValueError):
    """The row holds what cannot be stored; the message names the field."""


def canonical(row: BaseModel, free_form: set[str] = FREE_FORM) -> bytes:
    """The same bytes for the same content, whatever its order and spacing were. Raises NotStorable.

    Fields come in the schema's order, those that were not sent are left out: a field that is new here changes nothing
    for rows of before.
    """
    free = {field: value for field in sorted(free_form) if (value := getattr(row, field))}
    encoded: bytes = type(row).__pydantic_serializer__.to_json(
        row, exclude=free_form, exclude_unset=True, exclude_none=True
    )
    if free:
        try:
            more = _ENCODE(free).encode()
        except (UnicodeEncodeError, ValueError, RecursionError):
            raise NotStorable(
                _fault(free) or f"The {getattr(row, 'NOUN', 'case')} holds a number that is out of range."
            ) from None
        if more.count(b"{") + more.count(b"[") > DEEPEST and (field := _too_deep(free)):
            raise NotStorable(f"{field}: is nested more than {DEEPEST} levels deep.")
        encoded += more
    if b"\\u0000" in encoded and (fault := _fault(row.model_dump(exclude_unset=True))):
        raise NotStorable(fault)
    return encoded


def digests(encoded: bytes, tenant_id: int) -> tuple[bytes, ...]:
    """The row's digest under the key in use, then under those before it, so that a row stays itself when keys change.

    Keyed, so that nobody can tell from a receipt whether a guess at its content was right.
    """
    return tuple(hmac.digest(key, encoded, "sha256") for key in _keys(tenant_id, settings.SECRET_KEY))


@lru_cache(maxsize=1024)
def _keys(tenant_id: int, secret: str) -> tuple[bytes, ...]:
    purpose = f"receipt:{tenant_id}".encode()
    return tuple(
        hmac.digest(one.encode(), purpose, "sha256") for one in (secret, *map(str, settings.SECRET_KEY_FALLBACKS))
    )


def _too_deep(free: dict[str, Any]) -> str | None:
    """The field that is nested too deeply, for a person to read and for whatever walks through it later."""
    for field, value in free.items():
        level = [value]
        for _ in range(DEEPEST):
            nested = [node for node in level if isinstance(node, dict | list)]
            level = [child for node in nested for child in (node.values() if isinstance(node, dict) else node)]
        if any(isinstance(node, dict | list) for node in level):
            return field
    return None


def _fault(data: Any) -> str:
    """Where a NUL or half a character stands; empty where there is neither."""
    todo: list[tuple[str, Any]] = [("", data)]
    while todo:
        where, node = todo.pop()
        if isinstance(node, str):
            if NUL in node:
                return f"{where}: holds a NUL character, which cannot be stored; leave it out."
            if not _whole(node):
                return f"{where}: holds half a character (a lone surrogate); send whole ones."
        elif isinstance(node, dict):
            for key, child in reversed(node.items()):
                if NUL in key or not _whole(key):
                    return f"{where or 'The case'}: a field's name holds a NUL or half a character."
                todo.append((f"{where}.{key[:60]}" if where else key[:60], child))
        elif isinstance(node, list):
            todo += [(f"{where}[{place}]", child) for place, child in reversed(list(enumerate(node)))]
    return ""


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
