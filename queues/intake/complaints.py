"""The one door that complaints come in by, where the tenant takes them: checked, received once, scrubbed and stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection, transaction
from pydantic import ValidationError

from hitl.audit import log
from hitl.models import Tenant, User
from queues.intake import cleaning, once, receipts, received, rows
from queues.intake.complaint_schema import PublicComplaint
from queues.intake.received import Part, Received, named
from queues.intake.rows import NotStorable, Unreadable
from queues.intake.schema import faults, read
from queues.intake.traces import AHEAD
from queues.masks import vault
from queues.models import Complaint, IntakeSettings
from queues.scrubbing import scrubbed

KIND: Final = "complaint"


class NotTaken(Exception):
    """The tenant takes no complaints; the message says what to do."""


class Ready(NamedTuple):
    """A complaint that may be stored. `key` is its name in the receipts: its own, or one out of its content."""

    place: int
    complaint: PublicComplaint
    key: str
    digests: tuple[bytes, ...]


def complaints(
    incoming: Iterable[object], *, tenant: Tenant, now: datetime, source: str, actor: User | None = None
) -> Received:
    """Take rows in: what JSON gives, or `Unreadable`. Good rows are kept whatever the others are; sending everything
    again is safe. Raises NotTaken where the tenant takes none.
    """
    if not IntakeSettings.of(tenant).takes_complaints:
        raise NotTaken(
            f"{tenant.name} takes no complaints, so nothing was kept. They are for incidents: who runs the tenant "
            "switches them on under Traces, Intake."
        )
    door = _Door(tenant, now, source, actor)
    return received.take_all(received.parts(incoming, door.check), door.take)


@dataclass(frozen=True, slots=True)
class _Door:
    """What holds for all rows of a call."""

    tenant: Tenant
    now: datetime
    source: str
    actor: User | None

    def check(self, index: int, row: object, part: Part[Ready]) -> None:
        if isinstance(row, Unreadable):
            part.reject(index, None, row.error)
            return
        try:
            complaint = read(PublicComplaint, row)
            content = rows.canonical(complaint, set())
        except ValidationError as error:
            part.reject(index, named(row, "complaint_id"), faults(error, PublicComplaint))
            return
        except NotStorable as fault:
            part.reject(index, named(row, "complaint_id"), str(fault))
            return
        if refusal := self._refusal(complaint):
            part.reject(index, complaint.complaint_id or None, refusal)
            return
        digests = rows.digests(content, self.tenant.pk)
        part.size += len(content)
        part.ready.append(Ready(index, complaint, once.key_of(complaint.complaint_id, digests), digests))

    def _refusal(self, complaint: PublicComplaint) -> str | None:
        for field in ("at", "about"):
            moment: datetime | None = getattr(complaint, field)
            if moment and moment > self.now + AHEAD:
                return f"{field}: lies in the future. Check the clock of the machine that sent it."
        return cleaning.personal_id("complaint_id", complaint.complaint_id, self.tenant)

    def take(self, part: Part[Ready]) -> int:
        firsts = once.firsts(part, "complaint_id")
        with transaction.atomic():
            won = self._store(firsts)
            late = [one for key, one in firsts.items() if key not in won]
            once.settle_late(late, part, field="complaint_id", kind=KIND, tenant=self.tenant)
            counts = {"accepted": len(won), "duplicates": part.duplicates, "rejected": len(part.rejected)}
            log.append(
                actor=self.actor,
                action="complaints.received",
                subject=f"tenant:{self.tenant.pk}",
                tenant_id=self.tenant.pk,
                detail={**counts, "source": self.source},
                actor_name="" if self.actor else self.source,
            )
        return len(won)

    def _store(self, firsts: dict[str, Ready]) -> set[str]:
        """A step: those whose name nobody had before; their names."""
        if not firsts:
            return set()
        by_number = dict(zip(_numbers(len(firsts)), firsts.values(), strict=True))
        tickets = {number: (one.key, one.digests[0]) for number, one in by_number.items()}
        won = receipts.take(tickets, kind=KIND, tenant=self.tenant, now=self.now)
        made = [self._row(number, one.complaint) for number, one in by_number.items() if number in won]
        Complaint.objects.bulk_create(made, batch_size=500)
        vault.keep(tenant=self.tenant, stored=map(vars, made), now=self.now)
        return {one.key for number, one in by_number.items() if number in won}

    def _row(self, number: int, complaint: PublicComplaint) -> Complaint:
        def clean(text: str, longest: int) -> str:
            return cleaning.clean_name(text, self.tenant)[:longest] if self.tenant.scrubs and text else text

        return Complaint(
            pk=number,
            tenant=self.tenant,
            external_id=complaint.complaint_id,
            channel=clean(complaint.channel, 40),
            text=scrubbed(complaint.text, self.tenant),
            user_key=clean(complaint.user_key, 80),
            about=complaint.about,
            at=complaint.at or self.now,
            received_at=self.now,
            tags=[clean(tag, 60) for tag in complaint.tags],
        )


def _numbers(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("select nextval('queues_complaint_id_seq') from generate_series(1, %s)", [count])
        return [pk for (pk,) in cursor.fetchall()]
