"""Appending to the audit record, in the transaction of what it records: neither is kept without the other."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from hitl.access.models import User

REPLACEMENT = "�"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that someone did or saw. `detail` holds no case text and nothing personal: it can never be erased.

    `action` is like "case.decided", `subject` like "case:12". `actor_name` is for what is no person: a token, a chore.
    """

    action: str
    subject: str
    actor: User | None = None
    tenant_id: int | None = None
    queue_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    actor_name: str = ""


def append(
    *,
    actor: User | None,
    action: str,
    subject: str,
    tenant_id: int | None,
    queue_id: int | None = None,
    detail: dict[str, Any] | None = None,
    actor_name: str = "",
) -> None:
    """Record one thing. Needs an open transaction; if it fails, so must what it records."""
    append_all([Entry(action, subject, actor, tenant_id, queue_id, detail or {}, actor_name)])


def append_all(entries: Sequence[Entry]) -> None:
    """Record these in their order, in one statement. Needs an open transaction."""
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "The audit record is written in the transaction of what it records: open one with transaction.atomic()."
        )
    if not entries:
        return
    text = json.dumps([_row(entry) for entry in entries])
    # PostgreSQL stores neither NUL nor half a surrogate pair; a name that holds one must not stop what is recorded.
    if "\\u0000" in text or "\\ud" in text:
        text = json.dumps(_storable(json.loads(text)))
    with connection.cursor() as cursor:
        cursor.execute("select audit_append(%s)", [text])


def _row(entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {"action": entry.action, "subject": entry.subject, "detail": entry.detail}
    if entry.actor is not None:
        row["actor_id"] = entry.actor.pk
    if entry.actor_name:
        row["actor_name"] = entry.actor_name
    if entry.tenant_id is not None:
        row["tenant_id"] = entry.tenant_id
    if entry.queue_id is not None:
        row["queue_id"] = entry.queue_id
    return row


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value
