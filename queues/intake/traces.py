"""The one door that traces come in by: checked one by one, received once, scrubbed and stored."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from pydantic import ValidationError

from hitl.audit import log
from hitl.models import Tenant
from queues import languages, terms
from queues.intake import cleaning, once, receipts, received, rows, trace_storing
from queues.intake.received import Part, Received, named
from queues.intake.rows import NotStorable, Unreadable
from queues.intake.schema import faults, read
from queues.intake.trace_schema import TRACE_BYTES, RecordedTrace
from queues.intake.trace_storing import Ready
from queues.models import IntakeSettings
from queues.traces import partitions
from queues.traces.known import KIND

FIELD: Final = "trace_id"
# Clocks differ; what lies further ahead has not happened yet.
AHEAD: Final = timedelta(minutes=5)
FREE_FORM: Final = {"tool_calls", "scores", "metadata"}
NAMES_KNOWN: Final = 10_000
TEXTS: Final = ("input", "output", "conversation", "tool_calls", "metadata")
NAMES: Final = {
    "domain": 80, "topic": 120, "user_key": 80, "session_id": 200, "model": 120, "prompt_version": 120, "release": 120,
}  # fmt: skip


def traces(incoming: Iterable[object], *, tenant: Tenant, now: datetime, source: str) -> Received:
    """Take rows in: what JSON gives, or `Unreadable`. Good rows are kept whatever the others are.

    Rows are taken in parts of some thousand, each its own transaction with its own audit record; sending everything
    again is safe. `source` names the door and the token. `incoming` must not use the database: it is read in a thread
    of its own.
    """
    door = _Door(tenant, now, source, timedelta(days=IntakeSettings.of(tenant).trace_days), terms.languages())
    return received.take_all(received.parts(incoming, door.check), door.take)


@dataclass(frozen=True, slots=True)
class _Door:
    """What holds for all rows of a call."""

    tenant: Tenant
    now: datetime
    source: str
    kept: timedelta
    spoken: frozenset[str]
    names: dict[str, str] = field(default_factory=dict)

    def check(self, index: int, row: object, part: Part[Ready]) -> None:
        if isinstance(row, Unreadable):
            part.reject(index, None, row.error)
            return
        try:
            trace = read(RecordedTrace, row)
            encoded = rows.canonical(trace, FREE_FORM)
            language = languages.normalise(trace.language) if trace.language else ""
        except ValidationError as error:
            part.reject(index, named(row, "trace_id"), faults(error, RecordedTrace))
        except NotStorable as fault:
            part.reject(index, named(row, "trace_id"), str(fault))
        except languages.UnknownLanguage as unknown:
            part.reject(index, named(row, "trace_id"), f"language: {unknown}")
        else:
            if refusal := self._refusal(trace, len(encoded)):
                part.reject(index, trace.trace_id, refusal)
                return
            if not language:
                language = languages.detect(trace.input or trace.output, self.spoken) or ""
            part.size += len(encoded)
            part.ready.append(Ready(index, trace, rows.digests(encoded, self.tenant.pk), language))

    def _refusal(self, trace: RecordedTrace, size: int) -> str | None:
        if size > TRACE_BYTES:
            return f"The trace has {size:,} bytes; {TRACE_BYTES:,} are taken. Send shorter documents or tool calls."
        if refused := moment_refusal(trace.at, self.now, self.kept):
            return refused
        return cleaning.personal_id("trace_id", trace.trace_id, self.tenant)

    def take(self, part: Part[Ready]) -> int:
        firsts = once.firsts(part, FIELD)
        if self.tenant.scrubs:
            # Storing finds out by itself who came before; it is asked first where scrubbing in vain would cost more.
            for name, before in receipts.known(list(firsts), kind=KIND, tenant=self.tenant).items():
                once.settle(firsts.pop(name), before, part, FIELD)
            firsts = {name: self._cleaned(ready) for name, ready in firsts.items()}
        if firsts:
            moments = [ready.trace.at for ready in firsts.values()]
            partitions.ensure(min(moments), max(moments))
        with transaction.atomic():
            won = trace_storing.store(firsts, tenant=self.tenant, now=self.now, door=received.door(self.source))
            late = [ready for name, ready in firsts.items() if name not in won]
            once.settle_late(late, part, field=FIELD, kind=KIND, tenant=self.tenant)
            counts = {"accepted": len(won), "duplicates": part.duplicates, "rejected": len(part.rejected)}
            log.append(
                actor=None,
                action="traces.received",
                subject=f"tenant:{self.tenant.pk}",
                tenant_id=self.tenant.pk,
                detail={**counts, "source": self.source},
                actor_name=self.source,
            )
        return len(won)

    def _cleaned(self, ready: Ready) -> Ready:
        trace = ready.trace
        texts = {name: value for name in TEXTS if (value := getattr(trace, name))}
        changed = cleaning.clean_texts(texts, trace.documents, self.tenant)
        said = changed.pop("evidence")
        for name, longest in NAMES.items():
            if value := getattr(trace, name):
                changed[name] = self._clean_name(value)[:longest]
        if trace.documents:
            changed["documents"] = cleaning.clean_evidence(trace.documents, said, self.tenant)
        if trace.scores:
            changed["scores"] = {self._clean_name(key): score for key, score in trace.scores.items()}
        return ready._replace(trace=trace.model_copy(update=changed))

    def _clean_name(self, name: str) -> str:
        """Models, topics, releases: the same few names in every row."""
        found = self.names.get(name)
        if found is None:
            if len(self.names) >= NAMES_KNOWN:
                self.names.clear()
            found = self.names[name] = cleaning.clean_name(name, self.tenant)
        return found


def moment_refusal(at: datetime, now: datetime, kept: timedelta) -> str | None:
    """Why nothing of this moment is taken; None where it is."""
    if at > now + AHEAD:
        return "at: lies in the future. Check the clock of the machine that sent it."
    if at < now - kept:
        return f"at: lies more than {kept.days:,} days back, which is how long it would be kept here."
    return None
