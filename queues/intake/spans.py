"""The one door that spans come in by: checked, scrubbed, merged with what is known of them, and put together as traces.

A trace grows as its spans come, in any order, and from two requests at once: whoever holds the receipt of a trace
adds to it alone. A trace that came whole, through /api/v1/traces, is not changed by spans.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction

from hitl.audit import log
from hitl.database.uuid7 import moment, uuid7
from hitl.models import Tenant
from queues import languages, terms
from queues.intake import received, span_storing
from queues.intake.schema import ID_LONGEST
from queues.intake.span import SpanIn
from queues.intake.span_cleaning import SPAN_ID_LONGEST, Cleaner, written
from queues.intake.span_storing import Kept
from queues.masks import vault
from queues.models import IntakeSettings
from queues.traces import aggregates, waiting, weighing
from queues.traces.assembling import TRACE_BYTES, Assembled, assemble
from queues.traces.steps import Step, merged

PART_SPANS: Final = 1_000
PART_BYTES: Final = 4 * 1024 * 1024
SPAN_BYTES: Final = TRACE_BYTES
# Of all spans of a trace as they are kept; every call of a model holds the conversation again.
SPANS_BYTES: Final = 4 * TRACE_BYTES
SPANS_MOST: Final = 2_000
# Clocks differ; what lies further ahead has not happened yet.
AHEAD: Final = timedelta(minutes=5)
WHOLE: Final = "The trace came whole through /api/v1/traces or another door; spans do not change it."


@dataclass(slots=True)
class SpansTaken:
    """What became of the spans. `rejected` names each that was not taken by its place, counted from 0, and says why."""

    accepted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


class _Ready(NamedTuple):
    at: int
    trace: str
    step: Step
    size: int


def spans(parts: Iterable[SpanIn], *, tenant: Tenant, now: datetime, source: str) -> SpansTaken:
    """Take spans in; the good ones are kept whatever the others are. Sending the same again changes nothing.

    They are taken in parts of some hundred, each its own transaction with its own audit record. `source` names the door
    and the token: `otlp token 12ab`.
    """
    oldest = now - timedelta(days=IntakeSettings.of(tenant).trace_days)
    door = _Door(tenant, now, source, oldest, terms.languages())
    incoming = enumerate(parts)
    while part := list(door.part(incoming)):
        door.take(part)
    door.taken.rejected.sort()
    return door.taken


@dataclass(frozen=True, slots=True)
class _Door:
    """What holds for all spans of a call, and what became of those so far."""

    tenant: Tenant
    now: datetime
    source: str
    oldest: datetime
    spoken: frozenset[str]
    taken: SpansTaken = field(default_factory=SpansTaken)

    def part(self, incoming: Iterator[tuple[int, SpanIn]]) -> Iterator[_Ready]:
        """As many as one transaction takes, clean. What is not fit is rejected, with the reason."""
        cleaner = Cleaner(self.tenant)
        count = size = 0
        for at, span in incoming:
            fault = _fault(span, self.oldest, self.now) or cleaner.refusal(span.trace)
            content = b"" if fault else written(span.content)
            weight = len(content)
            if weight > SPAN_BYTES:
                fault = f"The span holds {weight:,} bytes; {SPAN_BYTES:,} are taken. Send shorter texts."
            if fault:
                self.taken.rejected.append((at, fault))
                continue
            yield _Ready(at, span.trace, cleaner.step(span, content), weight)
            count, size = count + 1, size + weight
            if count == PART_SPANS or size >= PART_BYTES:
                return

    def take(self, part: list[_Ready]) -> None:
        span_storing.make_room(ready.step.started_at for ready in part)
        with transaction.atomic():
            accepted = self._take(part)
            log.append(
                actor=None,
                action="spans.received",
                subject=f"tenant:{self.tenant.pk}",
                tenant_id=self.tenant.pk,
                detail={"accepted": accepted, "rejected": len(part) - accepted, "source": self.source},
                actor_name=self.source,
            )
        self.taken.accepted += accepted

    def _take(self, part: list[_Ready]) -> int:
        """A step: merge and store the spans of a part, and put their traces together again. How many were taken."""
        by_trace: defaultdict[str, list[_Ready]] = defaultdict(list)
        for ready in part:
            by_trace[ready.trace].append(ready)
        wanted = {name: uuid7(min(ready.step.started_at for ready in found)) for name, found in by_trace.items()}
        held = span_storing.hold(wanted, tenant=self.tenant, now=self.now)
        for name, one in held.items():
            if one.whole or moment(one.id) < self.oldest:
                said = WHOLE if one.whole else "The trace's other spans are so old that they are not kept any more."
                self.taken.rejected += [(ready.at, said) for ready in by_trace.pop(name)]
        known = span_storing.sizes([held[name].id for name in by_trace if not held[name].is_new])
        return sum(
            self._grow({name: by_trace[name] for name in names}, held, known)
            for names in _groups(by_trace, held, known)
        )

    def _grow(
        self,
        by_trace: Mapping[str, list[_Ready]],
        held: Mapping[str, Kept],
        known: Mapping[UUID, tuple[int, int]],
    ) -> int:
        """A step: some of the traces of a part. How many of their spans were taken."""
        there = span_storing.steps([held[name].id for name in by_trace if held[name].id in known])
        changed: list[tuple[UUID, Step]] = []
        traces = []
        arrived: dict[str, UUID] = {}
        accepted = 0
        for name, found in by_trace.items():
            trace = held[name].id
            steps = there.get(trace, {})
            was_here = any(_happened(step) for step in steps.values())
            touched = _merge(found, steps, known.get(trace, (0, 0)), self.taken)
            accepted += touched.accepted
            changed += [(trace, steps[span]) for span in sorted(touched.spans)]
            if touched.spans and any(_happened(step) for step in steps.values()):
                traces.append((trace, name, _told(assemble(steps.values()), self.spoken)))
                if not was_here:
                    arrived[name] = trace
        grown = span_storing.grown({trace: made.output for trace, name, made in traces if name not in arrived})
        span_storing.store(changed, traces, tenant=self.tenant, now=self.now, door=received.door(self.source))
        vault.keep(tenant=self.tenant, stored=(step for _, step in changed), now=self.now)
        weighing.reweigh(self.tenant, grown)
        waiting.attach(self.tenant, arrived)
        aggregates.recompute([trace for name, trace in arrived.items() if not held[name].is_new])
        return accepted


def _fault(span: SpanIn, oldest: datetime, now: datetime) -> str:
    """Why a span cannot be taken; empty where it can."""
    if not span.trace or not span.span:
        return "The span has no trace id or no span id."
    if not span.trace.isprintable():
        return "The trace id holds characters that cannot be seen."
    if len(span.trace) > ID_LONGEST or len(span.span) > SPAN_ID_LONGEST:
        return f"The ids are too long: {ID_LONGEST} characters of a trace's are taken, {SPAN_ID_LONGEST} of a span's."
    if span.started_at > now + AHEAD:
        return "The span begins in the future. Check the clock of the machine that sent it."
    if span.started_at < oldest:
        return f"The span began before {oldest:%Y-%m-%d}; older traces are not kept."
    if span.ended_at and span.ended_at < span.started_at:
        return "The span ends before it begins."
    return ""


def _groups(
    by_trace: Mapping[str, list[_Ready]], held: Mapping[str, Kept], known: Mapping[UUID, tuple[int, int]]
) -> Iterator[list[str]]:
    """Traces by the lot, so that no more than some megabytes of spans are in memory at a time."""
    group: list[str] = []
    size = 0
    for name in sorted(by_trace):
        group.append(name)
        size += known.get(held[name].id, (0, 0))[1]
        if size >= PART_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _told(made: Assembled, spoken: frozenset[str]) -> Assembled:
    """With its language: as it was sent, where it is one, else as it reads."""
    try:
        language = languages.normalise(made.language) if made.language else ""
    except languages.UnknownLanguage:
        language = ""
    return replace(made, language=language or languages.detect(made.input or made.output, spoken) or "")


def _happened(step: Step) -> bool:
    """Whether a step is part of what happened. What was only said of it later makes no trace."""
    return step.kind != "evaluator"


class _Touched(NamedTuple):
    accepted: int
    spans: set[str]


def _merge(found: list[_Ready], steps: dict[str, Step], known: tuple[int, int], taken: SpansTaken) -> _Touched:
    """Adds spans to the steps of their trace, as far as there is room: how many were taken, and which were changed."""
    count, size = known
    accepted = 0
    changed: set[str] = set()
    for ready in found:
        before = steps.get(ready.step.span)
        room = SPANS_BYTES + (0 if ready.step.parent else SPAN_BYTES)
        if size + ready.size > room or (count >= SPANS_MOST and before is None):
            said = f"The trace has {count:,} spans and {size:,} bytes; more of it is not taken. What came is kept."
            taken.rejected.append((ready.at, said))
            continue
        accepted += 1
        step = merged(before, ready.step) if before else ready.step
        if step != before:
            count += before is None
            size += ready.size
            steps[step.span] = step
            changed.add(step.span)
    return _Touched(accepted, changed)
