"""Scrubs for a tenant: with the tenant's own key, so that a pseudonym means nothing elsewhere, in its regions, and as
far as it wants names and addresses masked.
"""

from functools import lru_cache
from typing import TypeVar

from hitl.access import pseudonyms
from hitl.models import Tenant
from queues.masks import passing
from queues.masks.passing import Taken
from queues.scrub import REGIONS, Scrubbed, scrub, scrub_tree

T = TypeVar("T")
ADDRESS = frozenset(("address",))
NAMES = {
    Tenant.Names.NONE: frozenset(("name said", "name known")),
    Tenant.Names.SAID: frozenset(("name known",)),
    Tenant.Names.KNOWN: frozenset(()),
}


def key_of(tenant: Tenant) -> bytes:
    """The key of a tenant's pseudonyms: stable, so that the same person stays the same token."""
    return _opened(bytes(tenant.scrub_key))


def scrubbed(value: T, tenant: Tenant) -> T:
    """The text, or the JSON-like value, as it may be stored for this tenant."""
    if not tenant.scrubs or not value:
        return value
    if isinstance(value, str):
        return found_in(value, tenant).text  # type: ignore[return-value]
    tree = scrub_tree(value, key=key_of(tenant), regions=_regions(tenant), leave=left_by(tenant))
    if tree.taken:
        passing.remember(tenant.pk, {token: Taken(*one) for token, one in tree.taken.items()})
    return tree.value


def found_in(text: str, tenant: Tenant, *, leave: frozenset[str] | None = None) -> Scrubbed:
    """What the scrub says of a text; `leave` are the recognisers not asked, by default as the tenant has it."""
    found = scrub(text, key=key_of(tenant), regions=_regions(tenant), leave=left_by(tenant) if leave is None else leave)
    if found.found:
        passing.remember(tenant.pk, {one.token: Taken(one.kind, text[one.start : one.end]) for one in found.found})
    return found


def left_by(tenant: Tenant) -> frozenset[str]:
    """The recognisers that the tenant does not want asked."""
    names = NAMES[Tenant.Names(tenant.scrubs_names)]
    return names if tenant.scrubs_addresses else names | ADDRESS


def _regions(tenant: Tenant) -> tuple[str, ...]:
    return tuple(tenant.regions) or REGIONS


# By what is stored, not by the tenant: a transaction that is rolled back then leaves nothing wrong behind.
@lru_cache(maxsize=1024)
def _opened(sealed: bytes) -> bytes:
    return pseudonyms.opened(sealed)
