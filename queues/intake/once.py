"""Rows that have names: each is taken once, by its own name or by one out of its content."""

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from hitl.models import Tenant
from queues.intake import receipts
from queues.intake.receipts import Known
from queues.intake.received import Part

BY_CONTENT: Final = "content:"


class Keyed(Protocol):
    """A row that may be stored: its name in the receipts, and the digests of its content, the key in use first."""

    @property
    def place(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def digests(self) -> tuple[bytes, ...]: ...


K = TypeVar("K", bound=Keyed)


def key_of(name: str, digests: tuple[bytes, ...]) -> str:
    """Without a name, the same content is the same row."""
    return name or f"{BY_CONTENT}{digests[0].hex()}"


def firsts(part: Part[K], field: str) -> dict[str, K]:
    """The rows of a part by name; one that comes again is a duplicate or a conflict. `field` is the name's own."""
    found: dict[str, K] = {}
    for one in part.ready:
        first = found.setdefault(one.key, one)
        if first is not one:
            _settle(one, first.digests[:1], f"row {first.place} of the same request", field, part)
    return found


def settle_late(late: Iterable[K], part: Part[K], *, field: str, kind: str, tenant: Tenant) -> None:
    """Step: rows whose name was taken in before: the same again, or something else under it."""
    rows = list(late)
    known = receipts.known([one.key for one in rows], kind=kind, tenant=tenant) if rows else {}
    for one in rows:
        if before := known.get(one.key):
            settle(one, before, part, field)
        else:
            part.reject(one.place, _name(one), receipts.JUST_FORGOTTEN)


def settle(one: K, before: Known, part: Part[K], field: str) -> None:
    """A row that has this receipt: a duplicate or a conflict."""
    _settle(one, (before.digest,), f"the one taken in at {before.received_at:%Y-%m-%d %H:%M:%S} UTC", field, part)


def _settle(one: K, known: tuple[bytes, ...], where: str, field: str, part: Part[K]) -> None:
    if set(known) & set(one.digests):
        part.duplicates += 1
        return
    said = f"conflict: {where} has this {field} with other content. Nothing was changed; use a new {field}."
    part.reject(one.place, _name(one), said, is_conflict=True)


def _name(one: Keyed) -> str | None:
    return None if one.key.startswith(BY_CONTENT) else one.key
