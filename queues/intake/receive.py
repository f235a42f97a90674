"""The one door that cases come in by: checked, received once, scrubbed, weighed, routed and stored."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction
from pydantic import ValidationError

from hitl.audit import log
from hitl.models import Tenant, User
from queues import languages, terms
from queues.intake import cleaning, rows, storing
from queues.intake.body import BodyRefused
from queues.intake.rows import NotStorable, Prepared, Unreadable
from queues.intake.schema import CASE_BYTES, EscalatedCase, faults, moment
from queues.intake.storing import Known, Ready
from queues.weighing import Terms

ROWS_MOST: Final = 100_000
PART_ROWS: Final = 2_500
PART_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not taken, and why. `index` counts rows from 0; `case_id` is None where it could not be read."""

    index: int
    case_id: str | None
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


@dataclass(slots=True)
class _Part:
    """Some of the rows: as many as one transaction takes."""

    ready: list[Ready] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    duplicates: int = 0
    size: int = 0

    def reject(self, index: int, case_id: str | None, error: str) -> None:
        self.rejected.append(Rejection(index, case_id, error))

    @property
    def is_full(self) -> bool:
        return len(self.ready) + len(self.rejected) >= PART_ROWS or self.size >= PART_BYTES


def cases(
    incoming: Iterable[object],
    *,
    tenant: Tenant,
    now: datetime,
    source: str,
    actor: User | None = None,
    progress: Callable[[int], object] | None = None,
) -> Received:
    """Take rows in: what JSON gives, `Unreadable` or `Prepared`. Good rows are kept whatever the others are.

    Rows are taken in parts of some thousand, each its own transaction with its own audit record, so a part that was
    taken in stays when a later one fails; sending everything again is safe. `source` names the door and the token.
    """
    received = Received()
    standing = terms.of(tenant)
    for part in _parts(incoming, tenant, received):
        fresh = [_cleaned(ready, tenant) for ready in _fresh(part, tenant)]
        accepted = _take(fresh, part, tenant=tenant, standing=standing, now=now, source=source, actor=actor)
        received.accepted += accepted
        received.duplicates += part.duplicates
        received.rejected += part.rejected
        if progress:
            progress(received.rows)
    received.rejected.sort(key=lambda rejection: rejection.index)
    return received


def _parts(incoming: Iterable[object], tenant: Tenant, received: Received) -> Iterator[_Part]:
    part = _Part()
    try:
        for index, row in enumerate(incoming):
            if index == ROWS_MOST:
                raise BodyRefused(413, f"More than {ROWS_MOST:,} rows came in one request. Send the rest in another.")
            _check(index, row, tenant, part)
            if part.is_full:
                yield part
                part = _Part()
    except BodyRefused as refused:
        received.cut_off = refused
    if part.ready or part.rejected:
        yield part


def _check(index: int, row: object, tenant: Tenant, part: _Part) -> None:
    """Put a row into the part: as one that may be taken, or as one that is not, with the reason."""
    if isinstance(row, Prepared):
        part.ready.append(_unpacked(index, row))
        return
    if isinstance(row, Unreadable):
        part.reject(index, None, row.error)
        return
    case_id = _case_id(row)
    try:
        case = EscalatedCase.model_validate(row)
        encoded = rows.canonical(case)
        language = languages.normalise(case.language) if case.language else ""
    except ValidationError as error:
        part.reject(index, case_id, faults(error))
        return
    except NotStorable as fault:
        part.reject(index, case_id, str(fault))
        return
    except languages.UnknownLanguage as unknown:
        part.reject(index, case_id, f"language: {unknown}")
        return
    if refusal := _refusal(case, len(encoded), tenant):
        part.reject(index, case_id, refusal)
        return
    part.size += len(encoded)
    part.ready.append(Ready(index, case, rows.digests(encoded, tenant.pk), language))


def _refusal(case: EscalatedCase, size: int, tenant: Tenant) -> str | None:
    if size > CASE_BYTES:
        return f"The case has {size:,} bytes; {CASE_BYTES:,} are taken. Send shorter evidence or tool results."
    if case.tenant_id is not None and case.tenant_id != tenant.slug:
        return f"tenant_id: is not {tenant.slug}, the tenant that the token belongs to."
    return cleaning.refusal(case, tenant)


def _fresh(part: _Part, tenant: Tenant) -> list[Ready]:
    """The rows that were not taken in before; the others become duplicates or conflicts."""
    known = storing.known(tenant, [ready.case.case_id for ready in part.ready])
    first: dict[str, Ready] = {}
    for ready in part.ready:
        case_id = ready.case.case_id
        if case_id in known:
            _settle(ready, known[case_id], part)
        elif case_id not in first:
            first[case_id] = ready
        elif first[case_id].digests == ready.digests:
            part.duplicates += 1
        else:
            earlier = f"row {first[case_id].at} of the same request has this case_id with other content"
            part.reject(ready.at, case_id, f"conflict: {earlier}; that one counts.")
    return list(first.values())


def _settle(ready: Ready, known: Known, part: _Part) -> None:
    """A row whose id was taken in before: the same again, or something else under its name."""
    if known.digest in ready.digests:
        part.duplicates += 1
        return
    taken = f"case_id was taken in at {known.received_at:%Y-%m-%d %H:%M:%S} UTC with other content"
    part.reject(ready.at, ready.case.case_id, f"conflict: {taken}. Nothing was changed; use a new case_id.")


def _cleaned(ready: Ready, tenant: Tenant) -> Ready:
    if ready.cleaned or not tenant.scrubs:
        return ready
    return ready._replace(case=cleaning.clean(ready.case, tenant), cleaned=True)


@transaction.atomic
def _take(
    fresh: list[Ready],
    part: _Part,
    *,
    tenant: Tenant,
    standing: Terms,
    now: datetime,
    source: str,
    actor: User | None,
) -> int:
    """Store a part and record it; how many were stored. Somebody else may have been quicker with some of them."""
    won = storing.store(fresh, tenant=tenant, terms=standing, now=now) if fresh else []
    if len(won) < len(fresh):
        first = {ready.at for ready in won}
        late = [ready for ready in fresh if ready.at not in first]
        quicker = storing.known(tenant, [ready.case.case_id for ready in late])
        for ready in late:
            _settle(ready, quicker[ready.case.case_id], part)
    counts = {"accepted": len(won), "duplicates": part.duplicates, "rejected": len(part.rejected)}
    log.append(
        actor=actor,
        action="cases.received",
        subject=f"tenant:{tenant.pk}",
        tenant_id=tenant.pk,
        detail={**counts, "source": source},
        actor_name="" if actor else source,
    )
    return len(won)


def _unpacked(index: int, row: Prepared) -> Ready:
    data = dict(row.data)
    if deadline := data.get("sla_deadline"):
        data["sla_deadline"] = moment(deadline)
    return Ready(index, EscalatedCase.model_construct(**data), row.digests, row.language, cleaned=True)


def _case_id(row: object) -> str | None:
    """The id as far as it can be read, to name the row by."""
    found = row.get("case_id") if isinstance(row, dict) else None
    return found[:200] if isinstance(found, str) else None
