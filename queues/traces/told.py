"""What stands beside the traces of a page: their signals in words, and the cases that they became."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from hitl.models import Tenant, User
from queues import doors
from queues.models import Case, Signal
from queues.traces.words import said

SHOWN: Final = 4
LISTED: Final = 200
COUNTED: Final = 1_000
CHOICES_FROM: Final = 5_000
CHOICES: Final = ("topic", "release", "prompt_version", "model", "language")


@dataclass(frozen=True, slots=True)
class Chip:
    """A kind of signal on a trace: its words, how often, and whether it says that something is wrong."""

    words: str
    times: int
    is_negative: bool


def chips(ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Chip]]:
    """For each trace the kinds of its signals, the worst first."""
    if not ids:
        return {}
    given: dict[UUID, dict[str, tuple[int, float]]] = defaultdict(dict)
    found = Signal.objects.filter(trace_id__in=ids).values_list("trace_id", "type", "value", "reason", "weight")
    for trace_id, kind, value, reason, weight in found.order_by("weight", "id"):
        assert trace_id
        words = said(kind, value, reason)
        times, worst = given[trace_id].get(words, (0, weight))
        given[trace_id][words] = (times + 1, worst)
    return {
        trace_id: [Chip(words, times, worst < 0) for words, (times, worst) in kinds.items()]
        for trace_id, kinds in given.items()
    }


@dataclass(frozen=True, slots=True)
class Became:
    """A case of a trace; without an address where the person may not open it."""

    pk: int
    external_id: str
    may_open: bool


def cases(tenant: Tenant, refs: Sequence[str], user: User) -> Mapping[str, Became]:
    """The first case of each trace, by the trace's name; a trace may also have come as an escalation."""
    found = dict[str, tuple[int, str]]()
    known = Case.objects.filter(tenant=tenant, trace_id__in=[ref for ref in refs if ref]).order_by("-pk")
    for pk, external_id, ref in known.values_list("pk", "external_id", "trace_id"):
        found[ref] = (pk, external_id)
    if not found:
        return {}
    led = doors.cases_led(user).filter(pk__in=[pk for pk, _ in found.values()])
    may_open = set(led.values_list("pk", flat=True))
    return {ref: Became(pk, external_id, pk in may_open) for ref, (pk, external_id) in found.items()}


def waiting(tenant: Tenant) -> QuerySet[Signal]:
    """Signals whose trace has not come, the oldest first."""
    return Signal.objects.filter(tenant=tenant, trace_id=None).order_by("id")


def waiting_count(tenant: Tenant) -> int:
    """Up to COUNTED + 1: beyond that it says no more than "many"."""
    return waiting(tenant).order_by().values("pk")[: COUNTED + 1].count()


def choices(tenant: Tenant) -> dict[str, list[str]]:
    """What the newest traces have in the fields that one can filter by."""
    columns = ", ".join(f"array_agg(distinct {name}) filter (where {name} <> '')" for name in CHOICES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {columns} from (select {', '.join(CHOICES)} from queues_trace where tenant_id = %s"  # noqa: S608
            " order by id desc limit %s) as newest",
            [tenant.pk, CHOICES_FROM],
        )
        found = cursor.fetchone()
    return {name: (values or [])[:LISTED] for name, values in zip(CHOICES, found, strict=True)}


@dataclass(frozen=True, slots=True)
class Waits:
    """A signal that waits for its trace, and what it says."""

    trace_ref: str
    words: str
    source: str
    at: datetime
    received_at: datetime


def waits(signal: Signal) -> Waits:
    words = said(signal.type, signal.value, signal.reason)
    return Waits(signal.trace_ref, words, signal.source, signal.at, signal.received_at)
