"""The verbs that make a tenant, and give it a new key for its pseudonyms."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from hitl.access import pseudonyms
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


@transaction.atomic
def renew_pseudonyms(*, by: User | None, tenant: Tenant, actor_name: str = "") -> None:
    """A new key where the old one is lost: the same persons get other pseudonyms from now on. Refused if it is not."""
    only_administrators(by)
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if pseudonyms.readable(bytes(tenant.scrub_key)):
        raise Refused(f"The key of {tenant.slug} can be read: its pseudonyms stay as they are.")
    tenant.scrub_key = pseudonyms.new()
    tenant.save(update_fields=["scrub_key"])
    log.append(
        actor=by, action="tenant.pseudonyms_renewed", subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk,
        actor_name=actor_name or ("" if by else "command line"),
    )  # fmt: skip
