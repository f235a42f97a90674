"""The verb that changes what a tenant takes in, and for how long it is kept."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from hitl.audit import log
from hitl.models import Tenant, User
from queues.models import IntakeSettings


@transaction.atomic
def change(*, tenant: Tenant, by: User | None, fields: Mapping[str, Any], actor_name: str = "") -> list[str]:
    """Changes what differs; returns the names of the fields. What was taken in already stays as it was taken."""
    IntakeSettings.objects.get_or_create(tenant=tenant)
    settings = IntakeSettings.objects.select_for_update().get(tenant=tenant)
    changed = [name for name, value in fields.items() if getattr(settings, name) != value]
    if changed:
        for name in changed:
            setattr(settings, name, fields[name])
        settings.save(update_fields=changed)
        log.append(
            actor=by,
            action="intake.changed",
            subject=f"tenant:{tenant.pk}",
            tenant_id=tenant.pk,
            detail={name: getattr(settings, name) for name in changed},
            actor_name=actor_name,
        )
    return changed
