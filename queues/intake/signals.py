"""The one door that signals come in by: checked one by one, received once, and stored by the family they are of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from django.db import transaction

from hitl.audit import log
from hitl.models import Tenant
from queues.intake import checking, cleaning, judge_verdicts, receipts, rows
from queues.intake.body import BodyRefused
from queues.intake.judge_verdicts import Spoken
from queues.intake.rows import Unreadable
from queues.intake.signal_schema import JudgeSignal, Signal, SignalRefused, read
from queues.judging import Said

KIND: Final = "signal"
PART_ROWS: Final = 2_500
# Clocks differ; what lies further ahead was not given yet.
AHEAD: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not taken, and why. `index` counts rows from 0."""

    index: int
    signal_id: str | None
    error: str


@dataclass(slots=True)
class Received:
    """What became of the rows. `cut_off` says why the rest was not read; what is counted here is kept all the same."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    cut_off: BodyRefused | None = None

    @property
    def rows(self) -> int:
        return self.accepted + self.duplicates + len(self.rejected)


class _Ready(NamedTuple):
    """A signal that may be stored. `key` is its name in the receipts: its own, or one out of its content."""

    at: int
    signal: Signal
    key: str
    digests: tuple[bytes, ...]


def signals(incoming: Iterable[object], *, tenant: Tenant, now: datetime, source: str) -> Received:
    """Take rows in: what JSON gives, or `Unreadable`. Good rows are kept whatever the others are.

    Rows are taken in parts of some thousand, each its own transaction with its own audit record; sending everything
    again is safe. `source` names the door and the token.
    """
    received = Received()
    numbered = _numbered(incoming, received)
    while part := list(islice(numbered, PART_ROWS)):
        counted = Received()
        ready = [one for index, row in part if (one := _checked(index, row, tenant, now, counted))]
        with transaction.atomic():
            _take(ready, counted, tenant, now)
            counts = {"accepted": counted.accepted, "duplicates": counted.duplicates, "rejected": len(counted.rejected)}
            log.append(
                actor=None,
                action="signals.received",
                subject=f"tenant:{tenant.pk}",
                tenant_id=tenant.pk,
                detail={**counts, "source": source},
                actor_name=source,
            )
        received.accepted += counted.accepted
        received.duplicates += counted.duplicates
        received.rejected += sorted(counted.rejected, key=lambda one: one.index)
    return received


def _numbered(incoming: Iterable[object], received: Received) -> Iterator[tuple[int, object]]:
    """The rows with their places. A stream that breaks off, or has too many, ends, and says so in `received`."""
    try:
        for index, row in enumerate(incoming):
            if index == checking.ROWS_MOST:
                raise BodyRefused(413, f"More than {index:,} rows came in one request. Send the rest in another.")
            yield index, row
    except BodyRefused as refused:
        received.cut_off = refused


def _checked(index: int, row: object, tenant: Tenant, now: datetime, counted: Received) -> _Ready | None:
    if isinstance(row, Unreadable):
        counted.rejected.append(Rejection(index, None, row.error))
        return None
    try:
        signal = read(row)
        _refuse(signal, tenant, now)
    except SignalRefused as refused:
        name = row.get("signal_id") if isinstance(row, dict) else None
        counted.rejected.append(Rejection(index, name[:200] if isinstance(name, str) else None, str(refused)))
        return None
    content = type(signal).__pydantic_serializer__.to_json(signal, exclude_unset=True, exclude_none=True)
    digests = rows.digests(content, tenant.pk)
    return _Ready(index, signal, signal.signal_id or f"content:{digests[0].hex()}", digests)


def _refuse(signal: Signal, tenant: Tenant, now: datetime) -> None:
    if signal.at and signal.at > now + AHEAD:
        raise SignalRefused("at: lies in the future. Check the clock of the machine that sent it.")
    for name in ("signal_id", "case_id"):
        if refused := cleaning.personal_id(name, getattr(signal, name), tenant):
            raise SignalRefused(refused)


def _take(ready: list[_Ready], counted: Received, tenant: Tenant, now: datetime) -> None:
    """A step: store what was not taken in before; the rest becomes duplicates or conflicts."""
    once: dict[str, _Ready] = {}
    for one in ready:
        first = once.setdefault(one.key, one)
        if first is not one:
            _settle(one, first.digests[:1], f"row {first.at} of the same request", counted)
    if not once:
        return
    numbers = judge_verdicts.numbers(len(once))
    named = {number: (one.key, one.digests[0]) for number, one in zip(numbers, once.values(), strict=True)}
    won = receipts.take(named, kind=KIND, tenant=tenant, now=now)
    fresh = {number: one for number, one in zip(numbers, once.values(), strict=True) if number in won}
    late = [one for number, one in zip(numbers, once.values(), strict=True) if number not in won]
    if late:
        known = receipts.known([one.key for one in late], kind=KIND, tenant=tenant)
        for one in late:
            before = known[one.key]
            when = f"the one taken in at {before.received_at:%Y-%m-%d %H:%M:%S} UTC"
            _settle(one, (before.digest,), when, counted)
    if fresh:
        _store_judges(fresh, counted, tenant, now)


def _settle(one: _Ready, known: tuple[bytes, ...], where: str, counted: Received) -> None:
    """A signal whose name was taken: the same again, or something else under it."""
    if set(known) & set(one.digests):
        counted.duplicates += 1
        return
    said = f"conflict: {where} has this signal_id with other content. Nothing was changed; use a new signal_id."
    counted.rejected.append(Rejection(one.at, one.signal.signal_id, said))


def _store_judges(fresh: dict[int, _Ready], counted: Received, tenant: Tenant, now: datetime) -> None:
    """The family of judges: a judge speaks once of a case (by version, prompt and position)."""
    signals = {number: one.signal for number, one in fresh.items() if isinstance(one.signal, JudgeSignal)}
    about = judge_verdicts.targets(tenant, [_about(signal, tenant) for signal in signals.values()])
    spoken = [
        Spoken(number, target, _said(signal, tenant), signal.at or now)
        for (number, signal), target in zip(signals.items(), about, strict=True)
    ]
    clashes = judge_verdicts.add(spoken, tenant=tenant, now=now)
    for clash in clashes:
        one = fresh[clash.id]
        if clash.same:
            counted.duplicates += 1
        else:
            said = "conflict: this judge (version, prompt and position) has said something else of this answer."
            counted.rejected.append(Rejection(one.at, one.signal.signal_id or None, f"{said} Nothing was changed."))
    counted.accepted += len(spoken) - len(clashes)
    if clashes:
        receipts.forget([fresh[clash.id].key for clash in clashes], kind=KIND, tenant=tenant)


def _about(signal: Signal, tenant: Tenant) -> tuple[str, str]:
    trace = cleaning.clean_name(signal.trace_id, tenant)[:200] if tenant.scrubs else signal.trace_id
    return signal.case_id, trace


def _said(signal: JudgeSignal, tenant: Tenant) -> Said:
    def clean(name: str, longest: int) -> str:
        return cleaning.clean_name(name, tenant)[:longest] if tenant.scrubs and name else name

    return Said(
        judge=clean(signal.judge, 120),
        version=clean(signal.version, 120),
        prompt=clean(signal.prompt, 120),
        position=clean(signal.position, 20),
        verdict=judge_verdicts.VERDICTS[signal.verdict] if signal.verdict else "",
        score=signal.score,
        confidence=signal.confidence,
        categories=tuple(clean(key, 60) for key in signal.categories),
    )
