"""The one door that signals come in by: checked one by one, received once, and stored by the family they are of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction

from hitl.audit import log
from hitl.database.uuid7 import uuid7s
from hitl.models import Tenant
from queues.intake import cleaning, judge_signals, judge_verdicts, once, receipts, received, rows, user_signals
from queues.intake.families.judge import JudgeSignal
from queues.intake.received import Part, Received, named
from queues.intake.rows import Unreadable
from queues.intake.signal_schema import Signal, SignalRefused, UserSignal, read
from queues.intake.traces import moment_refusal
from queues.intake.user_signals import Given, Standing
from queues.models import IntakeSettings
from queues.traces import partitions, weights

KIND: Final = "signal"
FIELD: Final = "signal_id"


class Ready(NamedTuple):
    """A signal that may be stored. `key` is its name in the receipts: its own, or one out of its content. `given` is
    there where nothing more is to be done with it.
    """

    place: int
    signal: Signal
    key: str
    digests: tuple[bytes, ...]
    id: UUID | None = None
    given: Given | None = None


def signals(incoming: Iterable[object], *, tenant: Tenant, now: datetime, source: str) -> Received:
    """Take rows in: what JSON gives, or `Unreadable`. Good rows are kept whatever the others are.

    Rows are taken in parts of some thousand, each its own transaction with its own audit record; sending everything
    again is safe. `source` names the door and the token. `incoming` must not use the database: it is read in a thread
    of its own.
    """
    standing = Standing(tenant, now, received.door(source), weights.of(tenant))
    door = _Door(standing, source, timedelta(days=IntakeSettings.of(tenant).trace_days))
    return received.take_all((door.prepared(part) for part in received.parts(incoming, door.check)), door.take)


@dataclass(frozen=True, slots=True)
class _Door:
    """What holds for all rows of a call."""

    standing: Standing
    source: str
    kept: timedelta

    @property
    def tenant(self) -> Tenant:
        return self.standing.tenant

    @property
    def now(self) -> datetime:
        return self.standing.now

    def check(self, index: int, row: object, part: Part[Ready]) -> None:
        if isinstance(row, Unreadable):
            part.reject(index, None, row.error)
            return
        try:
            signal = read(row)
            self._refuse(signal)
            content = rows.canonical(signal, set())
        except (SignalRefused, rows.NotStorable) as refused:
            part.reject(index, named(row, "signal_id"), str(refused))
            return
        digests = rows.digests(content, self.tenant.pk)
        part.size += len(content)
        part.ready.append(Ready(index, signal, once.key_of(signal.signal_id, digests), digests))

    def _refuse(self, signal: Signal) -> None:
        if signal.at and (refused := moment_refusal(signal.at, self.now, self.kept)):
            raise SignalRefused(refused)
        ids = ("signal_id", "case_id") if isinstance(signal, JudgeSignal) else ("signal_id", "trace_id")
        for name in ids:
            if refused := cleaning.personal_id(name, getattr(signal, name), self.tenant):
                raise SignalRefused(refused)

    def prepared(self, part: Part[Ready]) -> Part[Ready]:
        """Each name once, and all done that needs no database. The same again within the rows is a duplicate or a
        conflict.
        """
        firsts = once.firsts(part, FIELD).values()
        ids = uuid7s([one.signal.at or self.now for one in firsts])
        part.ready = [self._with_id(one, id) for one, id in zip(firsts, ids, strict=True)]
        return part

    def _with_id(self, one: Ready, id: UUID) -> Ready:
        # Scrubbing costs more than all the rest: it waits until nobody is found to have sent the signal before.
        given = None
        if isinstance(one.signal, UserSignal) and not self.tenant.scrubs:
            given = user_signals.given(id, one.signal, self.standing)
        return Ready(one.place, one.signal, one.key, one.digests, id, given)

    def take(self, part: Part[Ready]) -> int:
        users = [one for one in part.ready if isinstance(one.signal, UserSignal)]
        judges = [one for one in part.ready if isinstance(one.signal, JudgeSignal)]
        if users:
            moments = [one.signal.at or self.now for one in users]
            partitions.ensure(min(moments), max(moments))
        with transaction.atomic():
            accepted = self._take_users(users, part) if users else 0
            accepted += self._take_judges(judges, part) if judges else 0
            counts = {"accepted": accepted, "duplicates": part.duplicates, "rejected": len(part.rejected)}
            log.append(
                actor=None,
                action="signals.received",
                subject=f"tenant:{self.tenant.pk}",
                tenant_id=self.tenant.pk,
                detail={**counts, "source": self.source},
                actor_name=self.source,
            )
        return accepted

    def _take_users(self, rows: list[Ready], part: Part[Ready]) -> int:
        tickets = {one.key: (one.digests[0], one.id) for one in rows if one.id}
        won = receipts.take_ids(tickets, kind=KIND, tenant=self.tenant, now=self.now)
        late = [one for one in rows if one.key not in won]
        once.settle_late(late, part, field=FIELD, kind=KIND, tenant=self.tenant)
        fresh = [one for one in rows if one.key in won]
        user_signals.store([one.given or self._given(one) for one in fresh], self.standing)
        return len(won)

    def _given(self, one: Ready) -> Given:
        assert one.id
        assert isinstance(one.signal, UserSignal)
        return user_signals.given(one.id, one.signal, self.standing)

    def _take_judges(self, rows: list[Ready], part: Part[Ready]) -> int:
        by_number = dict(zip(judge_verdicts.numbers(len(rows)), rows, strict=True))
        tickets = {number: (one.key, one.digests[0]) for number, one in by_number.items()}
        won = receipts.take(tickets, kind=KIND, tenant=self.tenant, now=self.now)
        late = [one for number, one in by_number.items() if number not in won]
        once.settle_late(late, part, field=FIELD, kind=KIND, tenant=self.tenant)
        said = {
            number: one.signal
            for number, one in by_number.items()
            if number in won and isinstance(one.signal, JudgeSignal)
        }
        if not said:
            return 0
        clashes = judge_signals.store(said, tenant=self.tenant, now=self.now)
        for clash in clashes:
            if clash.same:
                part.duplicates += 1
            else:
                one = by_number[clash.id]
                words = "conflict: this judge (version, prompt and position) has said something else of this answer."
                part.reject(one.place, one.signal.signal_id or None, f"{words} Nothing was changed.")
        if clashes:
            receipts.forget([by_number[clash.id].key for clash in clashes], kind=KIND, tenant=self.tenant)
        return len(said) - len(clashes)
