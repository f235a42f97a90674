"""The verb that changes how far a tenant's texts are masked."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from hitl.audit import log
from hitl.models import Tenant, User


@transaction.atomic
def change(*, tenant: Tenant, by: User, fields: Mapping[str, Any]) -> list[str]:
    """Changes what differs; returns the names of the fields. What came in before stays as it was masked then."""
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    changed = [name for name, value in fields.items() if getattr(tenant, name) != value]
    if changed:
        for name in changed:
            setattr(tenant, name, fields[name])
        tenant.save(update_fields=changed)
        log.append(
            actor=by, action="scrub.changed", subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk,
            detail={name: getattr(tenant, name) for name in changed},
        )  # fmt: skip
    return changed
