"""Scrubs for a tenant: with the tenant's own key, so that a pseudonym means nothing elsewhere, and in its regions."""

from functools import lru_cache
from typing import TypeVar

from hitl.access import pseudonyms
from hitl.models import Tenant
from queues.scrub import REGIONS, scrub, scrub_tree

T = TypeVar("T")


def key_of(tenant: Tenant) -> bytes:
    """The key of a tenant's pseudonyms: stable, so that the same person stays the same token."""
    return _opened(bytes(tenant.scrub_key))


def scrubbed(value: T, tenant: Tenant) -> T:
    """The text, or the JSON-like value, as it may be stored for this tenant."""
    if not tenant.scrubs or not value:
        return value
    regions = tuple(tenant.regions) or REGIONS
    if isinstance(value, str):
        return scrub(value, key=key_of(tenant), regions=regions).text  # type: ignore[return-value]
    return scrub_tree(value, key=key_of(tenant), regions=regions).value


# By what is stored, not by the tenant: a transaction that is rolled back then leaves nothing wrong behind.
@lru_cache(maxsize=1024)
def _opened(sealed: bytes) -> bytes:
    return pseudonyms.opened(sealed)
