"""A tenant's vault: scrubbed values, encrypted under a key of the tenant's own, by the tokens that stand for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from hitl import vault
from hitl.audit import log
from hitl.models import Tenant, User
from queues.masks import passing
from queues.models import IntakeSettings, VaultEntry
from queues.scrub.reading import PSEUDONYM

AT_ONCE = 1_000


class Refused(Exception):
    """What was asked may not be; nothing was changed. The text is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Value:
    """`value` is None where it can't be read any more: it was encrypted under another key."""

    token: str
    kind: str
    value: str | None


def keep(*, tenant: Tenant, stored: Iterable[object], now: datetime) -> int:
    """A step: of what is being stored, the masked values go into the vault, where the tenant keeps one; how many were
    new or known. `stored` is anything whose `repr` holds the texts.
    """
    if not passing.has(tenant.pk):
        return 0
    if not IntakeSettings.objects.filter(tenant=tenant, keeps_vault=True).exists():
        passing.forget(tenant.pk)
        return 0
    found = passing.among(tenant.pk, {token for one in stored for token in PSEUDONYM.findall(repr(one))})
    if not found:
        return 0
    purpose = _purpose(tenant.pk)
    # In order, so that two who keep the same tokens don't wait for each other in a ring.
    VaultEntry.objects.bulk_create(
        [
            VaultEntry(
                tenant=tenant,
                token=token,
                kind=one.kind,
                sealed=vault.lock(one.value.encode("utf-8", "surrogatepass"), purpose=purpose),
                first_seen_at=now,
            )
            for token, one in sorted(found.items())
        ],
        batch_size=AT_ONCE,
        ignore_conflicts=True,
    )
    return len(found)


def opened(*, tenant_id: int, tokens: Sequence[str]) -> list[Value]:
    """The values behind those of the tokens that are in the vault, in the order given. Whoever asks records it."""
    entries = {one.token: one for one in VaultEntry.objects.filter(tenant_id=tenant_id, token__in=tokens)}
    return [_value(entries[token]) for token in tokens if token in entries]


def _value(entry: VaultEntry) -> Value:
    try:
        content = vault.unlock(bytes(entry.sealed), purpose=_purpose(entry.tenant_id))
    except vault.Unreadable:
        return Value(entry.token, entry.kind, None)
    return Value(entry.token, entry.kind, content.decode("utf-8", "surrogatepass"))


def size(tenant: Tenant) -> int:
    return VaultEntry.objects.filter(tenant=tenant).count()


@transaction.atomic
def empty(*, tenant: Tenant, by: User) -> int:
    """Forgets all values for good: their masks stay masks. Refused while the tenant keeps a vault."""
    settings = IntakeSettings.objects.select_for_update().filter(tenant=tenant).first()
    if settings and settings.keeps_vault:
        raise Refused("Values are still being kept. Switch that off first, under Intake.")
    gone, _ = VaultEntry.objects.filter(tenant=tenant).delete()
    passing.forget(tenant.pk)
    log.append(
        actor=by, action="vault.emptied", subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk, detail={"values": gone}
    )
    return gone


def _purpose(tenant_id: int) -> str:
    return f"hitl.queues.masks:{tenant_id}"
