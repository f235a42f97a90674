"""Stores the signals of users: with their trace, or waiting for it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from pydantic_core import to_json

from hitl.models import Tenant
from queues.intake import cleaning
from queues.intake.families.common import UserSignal
from queues.scrubbing import scrubbed
from queues.traces import aggregates, dwell, known, weights
from queues.traces.aggregates import Sum
from queues.traces.editing import difference

COLUMNS: Final = (
    "id", "tenant_id", "external_id", "type", "trace_ref", "trace_id", "at", "received_at", "value", "reason", "text",
    "difference", "user_key", "weight", "source", "may_evaluate", "may_retrieve", "may_train",
)  # fmt: skip


class Given(NamedTuple):
    id: UUID
    signal: UserSignal


def store(given: Sequence[Given], *, tenant: Tenant, now: datetime, door: str) -> None:
    """A step: these signals, which are new; the sums of their traces are kept right."""
    if not given:
        return
    found = known.ids(tenant, [one.signal.trace_id for one in given])
    aggregates.lock(list(found.values()))
    about = _about(given, found)
    standing = weights.of(tenant)
    medians = dwell.medians(tenant, [topic for _, topic in about.values()]) if about else {}
    sums: dict[UUID, Sum] = defaultdict(Sum)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy queues_signal ({', '.join(COLUMNS)}) from stdin") as copy,
    ):
        for id, signal in given:
            told = signal.told()
            text = scrubbed(told.text, tenant)
            user_key = cleaning.clean_name(signal.user_key, tenant)[:80] if signal.user_key else ""
            trace = found.get(signal.trace_id)
            value, changed, median = told.value, None, None
            if trace in about:
                output, topic = about[trace]
                median = medians.get(topic)
                if signal.type in weights.EDITS and text:
                    edit = difference(output, text)
                    value, changed = edit.share, edit.steps
            weight = standing.of(signal.type, value, median, told.reason)
            if trace is not None:
                aggregates.count(sums[trace], signal.type, value, weight)
            copy.write_row(
                _row(id, signal, told.reason, text, user_key, trace, value, changed, weight, tenant, now, door)
            )
    aggregates.add(sums.items())


def _about(given: Sequence[Given], found: dict[str, UUID]) -> dict[UUID, tuple[str, str]]:
    """Output and topic of those traces that an edit or a dwell is held against."""
    wanted = {
        found[signal.trace_id]
        for _, signal in given
        if signal.trace_id in found and signal.type in weights.EDITS | {weights.DWELL}
    }
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("select id, output, topic from queues_trace where id = any(%s)", [list(wanted)])
        return {id: (output, topic) for id, output, topic in cursor.fetchall()}


def _row(
    id: UUID,
    signal: UserSignal,
    reason: str,
    text: str,
    user_key: str,
    trace: UUID | None,
    value: float | None,
    changed: list[list[Any]] | None,
    weight: float,
    tenant: Tenant,
    now: datetime,
    door: str,
) -> Sequence[object]:
    """In the order of COLUMNS."""
    consent = signal.consent
    return (
        id,
        tenant.pk,
        signal.signal_id,
        signal.type,
        signal.trace_id,
        trace,
        signal.at or now,
        now,
        value,
        reason,
        text,
        None if changed is None else to_json(changed).decode(),
        user_key,
        weight,
        door,
        consent.get("evaluation", False),
        consent.get("retrieval", False),
        consent.get("training", False),
    )
