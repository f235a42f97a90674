"""The verb that makes a tenant."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from hitl.access.models import Tenant, User
from hitl.access.people import Refused, only_administrators
from hitl.audit import log


@transaction.atomic
def create(*, by: User | None, slug: str, name: str = "", actor_name: str = "") -> Tenant:
    """A new tenant. Refused if its short name is taken or cannot stand in an address."""
    only_administrators(by)
    try:
        validate_slug(slug)
    except ValidationError:
        raise Refused(f"“{slug}” cannot be a tenant's short name: use letters, digits, hyphens.") from None
    if slug != slug.lower() or len(slug) > 60:
        raise Refused(f"“{slug}” cannot be a tenant's short name: lower-case letters, at most 60 signs.")
    if slug == "new":
        raise Refused("A tenant cannot be called “new”: that is the address of the form for new ones.")
    if Tenant.objects.filter(slug=slug).exists():
        raise Refused(f"There is a tenant {slug} already.")
    tenant = Tenant.objects.create(slug=slug, name=name.strip() or slug.replace("-", " ").title())
    log.append(
        actor=by, action="tenant.created", subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk,
        actor_name=actor_name or ("" if by else "command line"),
    )  # fmt: skip
    return tenant
