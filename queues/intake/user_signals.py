"""Stores the signals of users: with their trace, or waiting for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from pydantic_core import to_json

from hitl.models import Tenant
from queues.intake.families.common import Told, UserSignal
from queues.scrubbing import scrubbed
from queues.traces import aggregates, consent, known, taken_back, weighing, weights
from queues.traces.aggregates import Sum
from queues.traces.weights import DWELL, EDITS

COLUMNS: Final = (
    "id", "tenant_id", "external_id", "type", "trace_ref", "trace_id", "at", "received_at", "value", "reason", "text",
    "difference", "user_key", "weight", "source", "may_evaluate", "may_retrieve", "may_train", "withdrawn_at",
)  # fmt: skip


class Given(NamedTuple):
    """A signal that is new, with what it says."""

    id: UUID
    signal: UserSignal
    told: Told
    user_key: str


def cleaned(id: UUID, signal: UserSignal, tenant: Tenant) -> Given:
    """A signal as it may be stored for this tenant."""
    told = signal.told()
    if not tenant.scrubs:
        return Given(id, signal, told, signal.user_key)
    if told.text:
        told = told._replace(text=scrubbed(told.text, tenant))
    return Given(id, signal, told, consent.cleaned_key(signal.user_key, tenant))


def store(given: Sequence[Given], *, tenant: Tenant, now: datetime, door: str) -> None:
    """A step: these signals, which are new; the sums of their traces are kept right."""
    if not given:
        return
    withdrawn = taken_back.withdrawn(tenant, [one.user_key for one in given])
    found = known.ids(tenant, [one.signal.trace_id for one in given])
    aggregates.lock(list(found.values()))
    against = weighing.against(tenant, _held_against(given, found))
    by = weights.of(tenant)
    sums: dict[UUID, Sum] = defaultdict(Sum)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy queues_signal ({', '.join(COLUMNS)}) from stdin") as copy,
    ):
        for id, signal, told, user_key in given:
            trace = found.get(signal.trace_id)
            at = signal.at or now
            value, changed, weight = weighing.weigh(
                signal.type, told.value, told.reason, told.text, against.get(trace) if trace else None, by
            )
            until = withdrawn.get(user_key)
            gone = until if until and at <= until else None
            allowed = {} if gone else signal.consent
            copy.write_row((
                id, tenant.pk, signal.signal_id, signal.type, signal.trace_id, trace, at, now, value, told.reason,
                told.text, None if changed is None else to_json(changed).decode(), user_key, weight, door,
                allowed.get("evaluation", False), allowed.get("retrieval", False), allowed.get("training", False), gone,
            ))  # fmt: skip
            if trace and not gone:
                aggregates.count(sums[trace], signal.type, value, weight, has_text=bool(told.text))
    aggregates.add(sums.items())
    # Of a signal that came without the user's key, the trace knows whose it is.
    nameless = {found[one.signal.trace_id] for one in given if not one.user_key and one.signal.trace_id in found}
    if nameless and taken_back.held_to(sorted(nameless)):
        aggregates.recompute(sorted(nameless))


def _held_against(given: Sequence[Given], found: Mapping[str, UUID]) -> list[UUID]:
    """The traces whose text or topic some of these signals are held against."""
    return list({
        found[one.signal.trace_id]
        for one in given
        if (one.signal.type in EDITS or one.signal.type == DWELL) and one.signal.trace_id in found
    })  # fmt: skip
