"""Scrubs for a tenant: with the tenant's own key, so that a pseudonym means nothing elsewhere, and in its regions."""

import hashlib
import hmac
from functools import lru_cache
from typing import TypeVar

from django.conf import settings

from hitl.models import Tenant
from queues.scrub import REGIONS, scrub, scrub_tree

T = TypeVar("T")


@lru_cache(maxsize=1024)
def key_of(tenant_id: int) -> bytes:
    """The key of a tenant's pseudonyms: stable, so that the same person stays the same token."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"scrub:{tenant_id}".encode(), hashlib.sha256)


def scrubbed(value: T, tenant: Tenant) -> T:
    """The text, or the JSON-like value, as it may be stored for this tenant."""
    if not tenant.scrubs or not value:
        return value
    regions = tuple(tenant.regions) or REGIONS
    if isinstance(value, str):
        return scrub(value, key=key_of(tenant.pk), regions=regions).text  # type: ignore[return-value]
    return scrub_tree(value, key=key_of(tenant.pk), regions=regions).value
