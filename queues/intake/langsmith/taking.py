"""Takes runs and feedback of LangSmith's in, in the order in which they came; what is not kept is named, with why."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from hitl.access.models import ApiToken
from hitl.models import Tenant
from queues.intake import receipts
from queues.intake.foreign import words
from queues.intake.foreign.meaning import Refused, Word
from queues.intake.langsmith import feedback, runs
from queues.intake.langsmith.multipart import Sent
from queues.intake.span import SpanIn
from queues.intake.spans import spans
from queues.models import Receipt

TOOL: Final = "langsmith"
# A run of a trace that it did not name, because it came by itself: whose it is is noted, for what comes after it.
KIND: Final = "run"


@dataclass(slots=True)
class Taken:
    """How much was taken, and each that was not, by its name."""

    accepted: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)

    def sentence(self) -> str:
        """What was not taken; empty where all was."""
        if not self.faults:
            return ""
        shown = "; ".join(f"{name or 'one without an id'}: {why}" for name, why in self.faults[:5])
        more = f"; and {len(self.faults) - 5:,} more" if len(self.faults) > 5 else ""
        return f"{self.accepted:,} taken, {len(self.faults):,} not taken: {shown}{more}"


def take(sent: Iterable[Sent], *, token: ApiToken, now: datetime) -> Taken:
    """Runs, and the feedback that came among them. What is read of a body that breaks off is kept."""
    taken = Taken()
    said: list[Mapping[str, Any]] = []
    names: list[str] = []
    source = f"{TOOL} token {token}"
    result = spans(_spans(sent, names, said, taken, now), tenant=token.tenant, now=now, source=source)
    taken.accepted += result.accepted
    taken.faults += [(names[index], error) for index, error in result.rejected]
    if said:
        take_feedback(said, taken, token=token, now=now)
    return taken


def take_feedback(given: list[Mapping[str, Any]], taken: Taken, *, token: ApiToken, now: datetime) -> None:
    """Feedback, each on the trace that it names, or that its run is known to belong to."""
    known = traces_of([str(one.get("run_id")) for one in given if not one.get("trace_id")], tenant=token.tenant)
    read: list[Word] = []
    for one in given:
        try:
            read.append(feedback.word(one, trace=known.get(str(one.get("run_id")), "")))
        except Refused as refused:
            taken.faults.append((str(one.get("id") or ""), str(refused)))
    take_words(read, taken, token=token, now=now)


def take_words(read: list[Word], taken: Taken, *, token: ApiToken, now: datetime) -> None:
    source = f"{TOOL} token {token}"
    faults = words.take(read, tenant=token.tenant, now=now, tool=TOOL, source=source)
    taken.faults += [(word.id, fault) for word, fault in zip(read, faults, strict=True) if fault]
    taken.accepted += sum(not fault for fault in faults)


def alone(run: Mapping[str, Any], *, token: ApiToken, now: datetime) -> Taken:
    """One run that came by itself, and may name no trace: then it is its parent's, or its own. Raises Refused."""
    if not runs.trace(run):
        name = runs.identity(run.get("id"), "id")
        above = [str(run["parent_run_id"])] if run.get("parent_run_id") else []
        known = traces_of([name, *above], tenant=token.tenant)
        trace = known.get(name) or (known.get(above[0], above[0]) if above else name)
        run = {**run, "trace_id": trace}
        if above:
            _note(name, trace, tenant=token.tenant, now=now)
    return take([Sent("post", str(run.get("id")), dict(run))], token=token, now=now)


def traces_of(names: list[str], *, tenant: Tenant) -> dict[str, str]:
    """The traces of these runs, as far as that was noted: a run above all others is a trace by its own name."""
    noted = Receipt.objects.filter(tenant=tenant, kind=KIND, external_id__in=[name for name in names if name])
    return {name: str(trace) for name, trace in noted.values_list("external_id", "object_uuid")}


def _note(name: str, trace: str, *, tenant: Tenant, now: datetime) -> None:
    with transaction.atomic():
        receipts.take_ids({name: (b"", UUID(trace))}, kind=KIND, tenant=tenant, now=now)


def _spans(
    sent: Iterable[Sent], names: list[str], said: list[Mapping[str, Any]], taken: Taken, now: datetime
) -> Iterator[SpanIn]:
    for one in sent:
        if one.fault:
            taken.faults.append((one.id, one.fault))
        elif one.what == "feedback":
            said.append({"id": one.id, **one.fields})
        else:
            try:
                span = runs.span({"id": one.id, **one.fields}, now)
            except Refused as refused:
                taken.faults.append((one.id, str(refused)))
                continue
            names.append(one.id)
            yield span
