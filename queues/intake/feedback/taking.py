"""Feedback in: each event becomes a trace, where its texts came along, and the signals that it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from hitl.database.uuid7 import moment
from hitl.models import Tenant
from queues.intake import received
from queues.intake.feedback import waiting
from queues.intake.feedback.schema import Event, EventRefused, Fault, read
from queues.intake.signals import signals
from queues.intake.traces import traces
from queues.models import Trace
from queues.traces import known

# The doors by name, as traces and signals keep it: of a program, and of a page that anybody may have forged.
PROGRAM: Final = "feedback"
PAGE: Final = waiting.PAGE
# What a trace calls what an event calls otherwise.
RENAMED: Final = {"at": "timestamp", "input": "user_input", "output": "llm_output", "trace_id": "request_id"}


@dataclass(slots=True)
class Fate:
    """What became of one event. `trace` is None where its texts did not come along."""

    index: int
    ref: str | None
    trace: Literal["stored", "known", "refused"] | None = None
    signals: int = 0
    errors: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class Taken:
    """What became of the events. Duplicates are counted, and are as good as taken."""

    traces: received.Received
    signals: received.Received
    fates: list[Fate]


class _Told(NamedTuple):
    fate: Fate
    event: Event


class _Stored(NamedTuple):
    """When a trace that is here was, and by which door it came."""

    at: datetime
    source: str


class _Door(NamedTuple):
    """What holds for all events of a call."""

    tenant: Tenant
    now: datetime
    source: str
    public: bool


def feedback(incoming: Sequence[object], *, tenant: Tenant, now: datetime, source: str, public: bool) -> Taken:
    """Take events in, each whatever the others are; sending everything again is safe. `source` names the token.

    `public`: they come from pages, whose token everybody can read.
    """
    told: list[_Told] = []
    fates: list[Fate] = []
    for index, row in enumerate(incoming):
        try:
            event = read(row, public=public, now=now)
        except EventRefused as refused:
            fates.append(Fate(index, _ref(row), errors=list(refused.faults)))
        else:
            fates.append(Fate(index, event.ref, errors=list(event.faults)))
            told.append(_Told(fates[-1], event))
    taken = Taken(received.Received(), received.Received(), fates)
    door = _Door(tenant, now, f"{PAGE if public else PROGRAM} {source}", public)
    _take_traces([one for one in told if one.event.trace], taken, door)
    _take_signals(told, taken, door)
    return taken


def _take_traces(told: Sequence[_Told], taken: Taken, door: _Door) -> None:
    """The time of a trace is that of the first event about it. Later ones come at other times: each is held against the
    trace that is there with that one's time, also when somebody else was quicker by a moment.
    """
    there = _stored(door.tenant, told)
    refused = _send(told, there, taken, door)
    late = _stored(door.tenant, [one for one, _ in refused if one.event.ref not in there])
    again = _send([one for one, _ in refused if one.event.ref in late], late, taken, door)
    for one, error in [*((one, error) for one, error in refused if one.event.ref not in late), *again]:
        one.fate.trace = "refused"
        one.fate.errors.append(_fault("trace", error))


def _send(told: Sequence[_Told], there: Mapping[str, _Stored], taken: Taken, door: _Door) -> list[tuple[_Told, str]]:
    """Store these traces; returns those that were refused, with the reason."""
    for one in told:
        one.fate.trace = "known" if one.event.ref in there else "stored"
    # Where the texts came by another door they stay as they are: a tracing tool tells more than an event does.
    own = [one for one in told if there.get(one.event.ref, _Stored(door.now, PROGRAM)).source == PROGRAM]
    if not own:
        return []
    first: dict[str, datetime] = {ref: stored.at for ref, stored in there.items()}
    rows = [
        {**one.event.trace, "at": first.setdefault(one.event.ref, one.event.at or door.now).isoformat()} for one in own
    ]
    counted = traces(rows, tenant=door.tenant, now=door.now, source=door.source)
    taken.traces.accepted += counted.accepted
    taken.traces.duplicates += counted.duplicates
    return [(own[one.index], one.error) for one in counted.rejected]


def _stored(tenant: Tenant, told: Sequence[_Told]) -> dict[str, _Stored]:
    refs = known.ids(tenant, [one.event.ref for one in told]) if told else {}
    there = {
        id: _Stored(at.astimezone(UTC), source)
        for id, at, source in Trace.objects.filter(pk__in=refs.values()).values_list("pk", "at", "source")
    }
    # Of a trace that is kept no longer there is nothing to compare with.
    return {ref: there.get(id, _Stored(moment(id), "")) for ref, id in refs.items()}


def _take_signals(told: Sequence[_Told], taken: Taken, door: _Door) -> None:
    """One call for all, so that a batch costs one transaction. From pages, only so many may wait for their traces."""
    held_back = waiting.held_back(door.tenant, [one.event.ref for one in told]) if door.public else frozenset()
    sending = []
    for one in told:
        if one.event.ref in held_back:
            one.fate.errors.append(Fault("trace_id", waiting.FULL))
        else:
            sending += [(one.fate, where, row) for where, row in one.event.signals]
    if not sending:
        return
    counted = signals([row for _, _, row in sending], tenant=door.tenant, now=door.now, source=door.source)
    taken.signals.accepted, taken.signals.duplicates = counted.accepted, counted.duplicates
    refused = {one.index: one.error for one in counted.rejected}
    for place, (fate, where, _) in enumerate(sending):
        if place in refused:
            fate.errors.append(_fault(where, refused[place]))
        else:
            fate.signals += 1


def _fault(field: str, error: str) -> Fault:
    """A sentence about a row, under the name that its field has in the event."""
    name, colon, rest = error.partition(": ")
    if field == "trace" and name in RENAMED:
        return Fault(RENAMED[name], f"{RENAMED[name]}: {rest}")
    if field.startswith("signals[") and colon and name.isidentifier() and name != "conflict":
        return Fault(f"{field}.{name}", f"{field}.{error}")
    return Fault(field, f"{field}: {error}")


def _ref(row: object) -> str | None:
    return received.named(row, "request_id") or received.named(row, "trace_id")
