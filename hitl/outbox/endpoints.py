"""A tenant's addresses for its events, and the secrets that sign what goes there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from hitl.access.models import Tenant, User
from hitl.audit import log
from hitl.outbox import addresses, messages, secrets
from hitl.outbox.models import Endpoint, Message, SigningSecret

# Receivers have this long to change over to a new secret: until then both sign.
OVERLAP: Final = timedelta(hours=24)
TEST_TOPIC: Final = "test"

Owner = tuple[int | None, int | None]


class Taken(ValueError):
    """The tenant has this address already."""


def create(*, tenant: Tenant, url: str, topics: Sequence[str], by: User | None) -> tuple[Endpoint, str]:
    """A new address, and its secret in clear, which is not shown again. Raises addresses.Refused, Taken."""
    address = addresses.check(url.strip())
    with transaction.atomic():
        endpoint, is_new = Endpoint.objects.get_or_create(
            tenant=tenant, url=address.url, kind=Endpoint.Kind.WEBHOOK, defaults={"topics": list(topics)}
        )
        if not is_new:
            raise Taken("This address is there already.")
        secret = _replace_secret(tenant.pk, endpoint)
        _record(endpoint, "endpoint.created", by, {"server": address.netloc, "topics": list(topics)})
    return endpoint, secret


def change(*, endpoint: Endpoint, url: str, topics: Sequence[str], by: User | None) -> None:
    """Another address or other topics; what waits goes to the new address. Raises addresses.Refused, Taken."""
    address = addresses.check(url.strip())
    with transaction.atomic():
        if address.url != endpoint.url:
            _move(endpoint, address.url)
        endpoint.topics = list(topics)
        endpoint.save(update_fields=["url", "topics"])
        _record(endpoint, "endpoint.changed", by, {"server": address.netloc, "topics": list(topics)})


@transaction.atomic
def switch(*, endpoint: Endpoint, on: bool, by: User | None) -> None:
    """Off: nothing new is written for it, and what waits stays. On: what waits goes out."""
    Endpoint.objects.filter(pk=endpoint.pk).update(is_active=on, off_because="")
    _record(endpoint, "endpoint.switched_on" if on else "endpoint.switched_off", by)


def switch_off_gone(*, endpoint_id: int) -> None:
    """Step: the receiver said 410 Gone, which asks to be left alone."""
    reason = "The receiver answered 410 Gone: it wants no more messages."
    if Endpoint.objects.filter(pk=endpoint_id, is_active=True).update(is_active=False, off_because=reason):
        endpoint = Endpoint.objects.get(pk=endpoint_id)
        _record(endpoint, "endpoint.switched_off", None, {"because": "410 Gone"})


@transaction.atomic
def rotate(*, tenant: Tenant, endpoint: Endpoint | None, by: User | None) -> str:
    """A new secret, in clear, which is not shown again; its predecessor signs beside it for a day.

    Without an endpoint: the one for callbacks, to the addresses that producers give with their cases.
    """
    secret = _replace_secret(tenant.pk, endpoint)
    subject = f"endpoint:{endpoint.pk}" if endpoint else f"tenant:{tenant.pk}"
    log.append(actor=by, action="secret.replaced", subject=subject, tenant_id=tenant.pk)
    return secret


@transaction.atomic
def test(*, endpoint: Endpoint, by: User) -> Message:
    """Sends a test event to this address alone."""
    now = timezone.now().isoformat()
    payload = {"type": TEST_TOPIC, "timestamp": now, "data": {"message": f"{by.name} tests this address."}}
    _record(endpoint, "endpoint.tested", by)
    return messages.post_to(endpoint=endpoint, topic=TEST_TOPIC, key=f"endpoint:{endpoint.pk}", payload=payload)


def signing_keys(owners: set[Owner], now: datetime) -> dict[Owner, tuple[str, ...]]:
    """The secrets that sign for each (tenant, endpoint or None), the current first; none where they can't be read.

    A tenant's callbacks get a secret when they need the first, so that nothing ever goes out unsigned.
    """
    keys = secrets_of(owners, now)
    missing = owners - keys.keys()
    SigningSecret.objects.bulk_create(
        (
            SigningSecret(tenant_id=tenant, endpoint_id=of, sealed=secrets.seal(secrets.new()))
            for tenant, of in missing
            if tenant
        ),
        ignore_conflicts=True,
    )
    return keys | secrets_of(missing, now)


def secrets_of(owners: set[Owner], now: datetime) -> dict[Owner, tuple[str, ...]]:
    """The secrets there are, the current first; none where they can't be read."""
    if not owners:
        return {}
    valid = SigningSecret.objects.filter(
        Q(until=None) | Q(until__gt=now), tenant__in=[tenant for tenant, _ in owners if tenant]
    )
    keys: dict[Owner, tuple[str, ...]] = {}
    for row in valid.order_by("-created_at", "-pk"):
        owner = (row.tenant_id, row.endpoint_id)
        try:
            keys[owner] = (*keys.get(owner, ()), secrets.unseal(bytes(row.sealed)))
        except secrets.Unreadable:
            keys.setdefault(owner, ())
    return {owner: keys[owner] for owner in owners if owner in keys}


def _replace_secret(tenant_id: int, endpoint: Endpoint | None) -> str:
    secret = secrets.new()
    current = SigningSecret.objects.filter(tenant=tenant_id, endpoint=endpoint)
    # Two at a time are enough: one that is already on its way out goes now.
    current.filter(until__isnull=False).delete()
    current.update(until=Now() + OVERLAP)
    SigningSecret.objects.create(tenant_id=tenant_id, endpoint=endpoint, sealed=secrets.seal(secret))
    return secret


def _move(endpoint: Endpoint, url: str) -> None:
    if Endpoint.objects.filter(tenant=endpoint.tenant_id, url=url, kind=endpoint.kind).exists():
        raise Taken("This address is there already.")
    endpoint.url = url
    unsettled = Message.objects.filter(endpoint=endpoint)
    unsettled.filter(state=Message.State.WAITING).update(url=url)
    unsettled.filter(state=Message.State.FAILING).update(url=url, next_attempt_at=Now())


def _record(endpoint: Endpoint, action: str, by: User | None, detail: dict[str, object] | None = None) -> None:
    log.append(
        actor=by,
        action=action,
        subject=f"endpoint:{endpoint.pk}",
        tenant_id=endpoint.tenant_id,
        detail=detail,
        actor_name="" if by else "delivery",
    )
