"""Looks at rows as they come: which may be taken, which came before, which are refused and why. Stores nothing."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from pydantic import ValidationError

from hitl.models import Tenant
from queues import languages
from queues.intake import cleaning, received, rows
from queues.intake.receipts import Known
from queues.intake.received import Part, named
from queues.intake.rows import NotStorable, Unreadable
from queues.intake.schema import CASE_BYTES, EscalatedCase, faults, read
from queues.intake.storing import Ready

# Where an id was seen first, and with which content.
Seen = dict[str, tuple[int, tuple[bytes, ...]]]


def parts(incoming: Iterable[object], tenant: Tenant, most: int | None = None) -> Iterator[Part[Ready]]:
    """The rows in parts, checked. A stream that breaks off, or has more than `most` rows, ends the last part."""
    return received.parts(incoming, partial(_check, tenant), most)


def _check(tenant: Tenant, index: int, row: object, part: Part[Ready]) -> None:
    """Put a row into the part: as one that may be taken, or as one that is not, with the reason."""
    if isinstance(row, Unreadable):
        part.reject(index, None, row.error)
        return
    try:
        case = read(EscalatedCase, row)
        encoded = rows.canonical(case)
        language = languages.normalise(case.language) if case.language else ""
    except ValidationError as error:
        part.reject(index, named(row, "case_id"), faults(error))
        return
    except NotStorable as fault:
        part.reject(index, named(row, "case_id"), str(fault))
        return
    except languages.UnknownLanguage as unknown:
        part.reject(index, named(row, "case_id"), f"language: {unknown}")
        return
    if refusal := _refusal(case, len(encoded), tenant):
        part.reject(index, named(row, "case_id"), refusal)
        return
    part.size += len(encoded)
    part.ready.append(Ready(index, case, rows.digests(encoded, tenant.pk), language))


def _refusal(case: EscalatedCase, size: int, tenant: Tenant) -> str | None:
    if size > CASE_BYTES:
        return f"The case has {size:,} bytes; {CASE_BYTES:,} are taken. Send shorter evidence or tool results."
    if case.tenant_id is not None and case.tenant_id != tenant.slug:
        return f"tenant_id: is not {tenant.slug}, the tenant that the token belongs to."
    return cleaning.refusal(case, tenant)


def fresh(part: Part[Ready], known: Mapping[str, Known], seen: Seen | None = None) -> list[Ready]:
    """The rows that were not taken in before, as far as is `known`; the others become duplicates or conflicts. `seen`
    collects what former parts had, where those are not stored.
    """
    first: Seen = {} if seen is None else seen
    found: list[Ready] = []
    for ready in part.ready:
        case_id = ready.case.case_id
        if case_id in known:
            settle(ready, known[case_id], part)
            continue
        at, digests = first.setdefault(case_id, (ready.at, ready.digests))
        if at == ready.at:
            found.append(ready)
        elif digests == ready.digests:
            part.duplicates += 1
        else:
            earlier = f"row {at} of the same request has this case_id with other content"
            part.reject(ready.at, case_id, f"conflict: {earlier}; that one counts.")
    return found


def settle(ready: Ready, known: Known, part: Part[Ready]) -> None:
    """A row whose id was taken in before: the same again, or something else under its name."""
    if known.digest in ready.digests:
        part.duplicates += 1
        return
    taken = f"case_id was taken in at {known.received_at:%Y-%m-%d %H:%M:%S} UTC with other content"
    part.reject(ready.at, ready.case.case_id, f"conflict: {taken}. Nothing was changed; use a new case_id.")
