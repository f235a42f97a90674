"""The one door that drift reports come in by: checked, received once, stored. The sampler's next draw heeds them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection, transaction
from pydantic import ValidationError

from hitl.audit import log
from hitl.models import Tenant
from queues import languages
from queues.intake import cleaning, once, receipts, received, rows
from queues.intake.drift_schema import SLICE, ReportedDrift
from queues.intake.received import Part, Received, named
from queues.intake.rows import NotStorable, Unreadable
from queues.intake.schema import faults, read
from queues.intake.traces import AHEAD
from queues.masks import vault
from queues.models import DriftReport
from queues.scrubbing import scrubbed

KIND: Final = "drift"
HOLDS: Final = timedelta(days=1)
LONGEST: Final = timedelta(days=31)
MOST: Final = 1_000


class Ready(NamedTuple):
    """A report that may be stored. `key` is its name in the receipts: its own, or one out of its content."""

    place: int
    report: ReportedDrift
    language: str
    key: str
    digests: tuple[bytes, ...]


def drift(incoming: Iterable[object], *, tenant: Tenant, now: datetime, source: str) -> Received:
    """Take rows in: what JSON gives, or `Unreadable`. Good rows are kept whatever the others are; sending everything
    again is safe.
    """
    door = _Door(tenant, now, source)
    return received.take_all(received.parts(incoming, door.check, MOST), door.take)


@dataclass(frozen=True, slots=True)
class _Door:
    """What holds for all rows of a call."""

    tenant: Tenant
    now: datetime
    source: str

    def check(self, index: int, row: object, part: Part[Ready]) -> None:
        if isinstance(row, Unreadable):
            part.reject(index, None, row.error)
            return
        try:
            report = read(ReportedDrift, row)
            content = rows.canonical(report, set())
            language = languages.normalise(report.language) if report.language else ""
        except ValidationError as error:
            part.reject(index, named(row, "report_id"), faults(error, ReportedDrift))
            return
        except NotStorable as fault:
            part.reject(index, named(row, "report_id"), str(fault))
            return
        except languages.UnknownLanguage as unknown:
            part.reject(index, named(row, "report_id"), f"language: {unknown}")
            return
        if refusal := self._refusal(report):
            part.reject(index, report.report_id or None, refusal)
            return
        digests = rows.digests(content, self.tenant.pk)
        part.size += len(content)
        key = once.key_of(report.report_id, digests)
        part.ready.append(Ready(index, report, language, key, digests))

    def _refusal(self, report: ReportedDrift) -> str | None:
        if not any(getattr(report, field) for field in SLICE):
            return f"{', '.join(SLICE)}: one of them is needed, or nobody knows which traces are meant."
        at = report.at or self.now
        if at > self.now + AHEAD:
            return "at: lies in the future. Check the clock of the machine that sent it."
        until = report.until or at + HOLDS
        if until <= self.now:
            return "until: is over, so no trace would be looked at for it."
        if until > self.now + LONGEST:
            return f"until: is more than {LONGEST.days} days ahead. Report it again while it lasts."
        return cleaning.personal_id("report_id", report.report_id, self.tenant)

    def take(self, part: Part[Ready]) -> int:
        firsts = once.firsts(part, "report_id")
        with transaction.atomic():
            won = self._store(firsts)
            late = [one for key, one in firsts.items() if key not in won]
            once.settle_late(late, part, field="report_id", kind=KIND, tenant=self.tenant)
            counts = {"accepted": len(won), "duplicates": part.duplicates, "rejected": len(part.rejected)}
            log.append(
                actor=None, action="drift.reported", subject=f"tenant:{self.tenant.pk}", tenant_id=self.tenant.pk,
                detail={**counts, "source": self.source}, actor_name=self.source,
            )  # fmt: skip
        return len(won)

    def _store(self, firsts: dict[str, Ready]) -> set[str]:
        """A step: those whose name nobody had before; their names."""
        if not firsts:
            return set()
        by_number = dict(zip(_numbers(len(firsts)), firsts.values(), strict=True))
        tickets = {number: (one.key, one.digests[0]) for number, one in by_number.items()}
        won = receipts.take(tickets, kind=KIND, tenant=self.tenant, now=self.now)
        made = [self._row(number, one) for number, one in by_number.items() if number in won]
        DriftReport.objects.bulk_create(made, batch_size=500)
        vault.keep(tenant=self.tenant, stored=map(vars, made), now=self.now)
        return {one.key for number, one in by_number.items() if number in won}

    def _row(self, number: int, one: Ready) -> DriftReport:
        """Its names are cleaned as those of traces are, so that they meet."""

        def clean(text: str, longest: int = 120) -> str:
            return cleaning.clean_name(text, self.tenant)[:longest] if self.tenant.scrubs and text else text

        report, at = one.report, one.report.at or self.now
        return DriftReport(
            pk=number,
            tenant=self.tenant,
            external_id=report.report_id,
            detector=clean(report.detector),
            topic=clean(report.topic),
            language=one.language,
            model=clean(report.model),
            prompt_version=clean(report.prompt_version),
            release=clean(report.release),
            trace_refs=[clean(ref, 200) for ref in report.trace_ids],
            detail=scrubbed(report.detail, self.tenant),
            score=report.score,
            wanted=report.wanted,
            at=at,
            until=report.until or at + HOLDS,
            received_at=self.now,
        )


def _numbers(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("select nextval('queues_driftreport_id_seq') from generate_series(1, %s)", [count])
        return [pk for (pk,) in cursor.fetchall()]
