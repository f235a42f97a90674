"""What a tenant's scores mean, as its lead says: by the name under which other tools send them."""

from collections.abc import Mapping

from django.db import transaction

from hitl.audit import log
from hitl.models import Tenant, User
from queues.models import ScoreName


@transaction.atomic
def explain(*, tenant: Tenant, meanings: Mapping[int, str], by: User) -> int:
    """How many names mean something else from now on. What came before stays as it was read."""
    changed: dict[str, str] = {}
    for name in ScoreName.objects.select_for_update().filter(tenant=tenant, pk__in=meanings).order_by("pk"):
        if name.meaning != meanings[name.pk]:
            name.meaning = changed[name.name] = meanings[name.pk]
            name.save(update_fields=["meaning"])
    if changed:
        log.append(
            actor=by,
            action="scores.explained",
            subject=f"tenant:{tenant.pk}",
            tenant_id=tenant.pk,
            detail={"meanings": changed},
        )
    return len(changed)
