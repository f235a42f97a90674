"""Stores the signals of users: with their trace, or waiting for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from pydantic_core import to_json

from hitl.database.copy_lines import NULL, flag, number, text
from hitl.models import Tenant
from queues.intake.families.common import Told, UserSignal
from queues.masks import vault
from queues.scrubbing import scrubbed
from queues.traces import aggregates, consent, known, taken_back, weighing
from queues.traces.aggregates import Sum
from queues.traces.weighing import Against, Weighed
from queues.traces.weights import DWELL, EDITS, Weights

# The trace stands last, so that a line is made before it is known.
COLUMNS: Final = (
    "id", "tenant_id", "external_id", "type", "trace_ref", "at", "received_at", "value", "reason", "text",
    "difference", "user_key", "weight", "source", "may_evaluate", "may_retrieve", "may_train", "withdrawn_at",
    "trace_id",
)  # fmt: skip
HELD_AGAINST: Final = EDITS | {DWELL}


class Given(NamedTuple):
    """A signal that is new, clean, and weighed as far as that needs no trace. `line` is what is stored of it, but for
    its trace.
    """

    id: UUID
    signal: UserSignal
    told: Told
    user_key: str
    weighed: Weighed
    line: str


class Standing(NamedTuple):
    """What holds for all signals of a call. `door` is the name that is stored with them."""

    tenant: Tenant
    now: datetime
    door: str
    weights: Weights


def given(id: UUID, signal: UserSignal, standing: Standing) -> Given:
    """A signal as it may be stored for this tenant."""
    told, user_key = signal.told(), signal.user_key
    if standing.tenant.scrubs:
        if told.text:
            told = told._replace(text=scrubbed(told.text, standing.tenant))
        user_key = consent.cleaned_key(user_key, standing.tenant) if user_key else ""
    weighed = weighing.weigh(signal.type, told.value, told.reason, told.text, None, standing.weights)
    return Given(id, signal, told, user_key, weighed, _line(id, signal, told, user_key, weighed, None, standing))


def store(fresh: Sequence[Given], standing: Standing) -> None:
    """A step: these signals, which are new; the sums of their traces are kept right."""
    if not fresh:
        return
    tenant = standing.tenant
    withdrawn = taken_back.withdrawn(tenant, [one.user_key for one in fresh])
    found = known.ids(tenant, [one.signal.trace_id for one in fresh])
    aggregates.lock(found.values())
    against = weighing.against(tenant, _held_against(fresh, found))
    sums: dict[UUID, Sum] = defaultdict(Sum)
    lines = []
    for one in fresh:
        trace = found.get(one.signal.trace_id)
        weighed, written = one.weighed, one.line
        gone = _until(one, withdrawn, standing.now) if withdrawn else None
        if gone or trace in against:
            weighed = _weighed(one, against.get(trace) if trace else None, standing.weights)
            written = _line(one.id, one.signal, one.told, one.user_key, weighed, gone, standing)
        lines.append(f"{written}\t{trace.hex if trace else NULL}\n")
        if trace and not gone:
            has_text = bool(one.told.text)
            aggregates.count(sums[trace], one.signal.type, weighed.value, weighed.weight, has_text=has_text)
    with connection.cursor() as cursor, cursor.copy(f"copy queues_signal ({', '.join(COLUMNS)}) from stdin") as copy:
        copy.write("".join(lines))
    vault.keep(tenant=tenant, stored=lines, now=standing.now)
    aggregates.add(sums.items())
    # Of a signal that came without the user's key, the trace knows whose it is.
    nameless = {found[one.signal.trace_id] for one in fresh if not one.user_key and one.signal.trace_id in found}
    if nameless and taken_back.held_to(sorted(nameless)):
        aggregates.recompute(sorted(nameless))


def _held_against(fresh: Sequence[Given], found: Mapping[str, UUID]) -> list[UUID]:
    """The traces whose text or topic some of these signals are held against."""
    held = [one.signal.trace_id for one in fresh if one.signal.type in HELD_AGAINST]
    return list({found[ref] for ref in held if ref in found})


def _weighed(one: Given, against: Against | None, by: Weights) -> Weighed:
    return weighing.weigh(one.signal.type, one.told.value, one.told.reason, one.told.text, against, by)


def _until(one: Given, withdrawn: Mapping[str, datetime], now: datetime) -> datetime | None:
    """When its user took back what the signal allows; None where that was before it, or never."""
    until = withdrawn.get(one.user_key)
    return until if until and (one.signal.at or now) <= until else None


def _line(
    id: UUID,
    signal: UserSignal,
    told: Told,
    user_key: str,
    weighed: Weighed,
    gone: datetime | None,
    standing: Standing,
) -> str:
    """In the order of COLUMNS, but for the trace."""
    now = standing.now.isoformat()
    changed = NULL if weighed.changed is None else text(to_json(weighed.changed).decode())
    allowed = {} if gone else signal.consent
    return (
        f"{id.hex}\t{standing.tenant.pk}\t{text(signal.signal_id)}\t{signal.type}\t{text(signal.trace_id)}\t"
        f"{signal.at.isoformat() if signal.at else now}\t{now}\t{number(weighed.value)}\t{told.reason}\t"
        f"{text(told.text)}\t{changed}\t{text(user_key)}\t{weighed.weight!r}\t{text(standing.door)}\t"
        f"{flag(allowed.get('evaluation', False))}\t{flag(allowed.get('retrieval', False))}\t"
        f"{flag(allowed.get('training', False))}\t{gone.isoformat() if gone else NULL}"
    )
