"""Stores traces: their receipts first, which decide who wins; then the winners through COPY."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from pydantic_core import to_json

from hitl.database.uuid7 import uuid7
from hitl.models import Tenant
from queues.intake import receipts
from queues.intake.trace_schema import RecordedTrace
from queues.masks import vault
from queues.traces import waiting
from queues.traces.known import KIND

COLUMNS: Final = (
    "id", "tenant_id", "external_id", "source", "at", "received_at", "domain", "topic", "language", "user_key",
    "session", "model", "prompt_version", "release", "latency_ms", "input", "output", "conversation", "documents",
    "tools", "scores", "metadata", "signals", "weight", "is_negative", "is_edited",
)  # fmt: skip


class Ready(NamedTuple):
    """A trace that may be stored once it is cleaned. `place` is its index among the rows that came."""

    place: int
    trace: RecordedTrace
    digests: tuple[bytes, ...]
    language: str

    @property
    def key(self) -> str:
        return self.trace.trace_id


def store(batch: Mapping[str, Ready], *, tenant: Tenant, now: datetime, door: str) -> set[str]:
    """A step: store those whose id nobody took in first, and say which; signals that waited for them are theirs."""
    named = {name: (ready.digests[0], uuid7(ready.trace.at)) for name, ready in batch.items()}
    won = receipts.take_ids(named, kind=KIND, tenant=tenant, now=now)
    if not won:
        return won
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy queues_trace ({', '.join(COLUMNS)}) from stdin") as copy,
    ):
        for name, ready in batch.items():
            if name in won:
                copy.write_row(_row(ready, named[name][1], tenant.pk, now, door))
    vault.keep(tenant=tenant, stored=(ready for name, ready in batch.items() if name in won), now=now)
    waiting.attach(tenant, {name: named[name][1] for name in won})
    return won


def _row(ready: Ready, id: UUID, tenant_id: int, now: datetime, door: str) -> Sequence[object]:
    """In the order of COLUMNS."""
    trace = ready.trace
    return (
        id,
        tenant_id,
        trace.trace_id,
        door,
        trace.at,
        now,
        trace.domain,
        trace.topic,
        ready.language,
        trace.user_key,
        trace.session_id,
        trace.model,
        trace.prompt_version,
        trace.release,
        trace.latency_ms,
        trace.input,
        trace.output,
        _json(trace.conversation, "[]"),
        _json(trace.documents, "[]"),
        _json(trace.tool_calls, "[]"),
        _json(trace.scores, "{}"),
        _json(trace.metadata, "{}"),
        0,
        0.0,
        False,
        False,
    )


def _json(value: object, empty: str) -> str:
    return to_json(value).decode() if value else empty
