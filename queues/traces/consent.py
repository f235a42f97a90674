"""What a user allows of their feedback: for each signal, and taken back by the user's key."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from django.db import connection, transaction
from django.db.models import TextChoices

from hitl.audit import log
from hitl.models import Tenant, User
from queues.intake import cleaning
from queues.models import ConsentWithdrawal

KEY_LONGEST: Final = 80


class Use(TextChoices):
    """What a signal may be used for, with the user's consent alone."""

    EVALUATION = "evaluation", "Evaluation"
    RETRIEVAL = "retrieval", "Retrieval"
    TRAINING = "training", "Training"


class Consented(Protocol):
    """The part of a signal that says what its user allows."""

    may_evaluate: bool
    may_retrieve: bool
    may_train: bool
    withdrawn_at: datetime | None


FLAGS: Final[Mapping[str, str]] = {
    Use.EVALUATION: "may_evaluate", Use.RETRIEVAL: "may_retrieve", Use.TRAINING: "may_train",
}  # fmt: skip


def allowed(signal: Consented, use: Use) -> bool:
    """Whether a dataset for this use may hold the signal: every dataset asks here. Nothing is allowed by silence."""
    return signal.withdrawn_at is None and bool(getattr(signal, FLAGS[use]))


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One that was carried out: `signals` lost their consent, of `given` that the user ever gave and that are kept."""

    record: ConsentWithdrawal
    signals: int
    given: int


def cleaned_key(user_key: str, tenant: Tenant) -> str:
    """A user's key as it lies in this tenant's traces and signals: what is personal in it is a pseudonym there."""
    key = user_key.strip()
    return (cleaning.clean_name(key, tenant) if tenant.scrubs and key else key)[:KEY_LONGEST]


def withdrawn(tenant: Tenant, user_keys: Iterable[str]) -> dict[str, datetime]:
    """Step: until when each of these users has taken back their consent, for those who have.

    A signal given up to then may be used for nothing. Holds off withdrawals until the transaction ends, so that none
    slips between this look and the signals it is about: ask before any row of a signal is locked.
    """
    keys = sorted({key for key in user_keys if key})
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock_shared(hashtext('consent'), %s)", [tenant.pk])
        cursor.execute(
            "select user_key, max(at) from queues_consentwithdrawal"
            " where tenant_id = %s and user_key = any(%s) group by user_key",
            [tenant.pk, keys],
        )
        return dict(cursor.fetchall())


# Of a signal that came without the user's key, the trace knows whose it is.
_TAKE_BACK: Final = """
update queues_signal as signal
set may_evaluate = false, may_retrieve = false, may_train = false, withdrawn_at = withdrawal.at
from queues_trace as trace, queues_consentwithdrawal as withdrawal
where trace.id = any(%s) and signal.trace_id = trace.id and signal.user_key = '' and signal.withdrawn_at is null
  and withdrawal.tenant_id = trace.tenant_id and withdrawal.user_key = trace.user_key and signal.at <= withdrawal.at
"""


def held_to(trace_ids: Sequence[UUID]) -> int:
    """Step: signals without a user's key, whose traces have just come, are held to what their trace's user took back.

    Returns how many that changed.
    """
    if not trace_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK, [list(trace_ids)])
        return cursor.rowcount


_WITHDRAW: Final = """
with changed as (
  update queues_signal
  set may_evaluate = false, may_retrieve = false, may_train = false, withdrawn_at = %(at)s
  from (select id, may_evaluate or may_retrieve or may_train as had from queues_signal
        where tenant_id = %(tenant)s and at <= %(at)s and withdrawn_at is null
          and (user_key = %(key)s and user_key <> ''
               or user_key = '' and trace_id = any(array(
                 select id from queues_trace where tenant_id = %(tenant)s and user_key = %(key)s and user_key <> '')))
        for update) as mine
  where queues_signal.id = mine.id
  returning mine.had
)
select count(*) filter (where had), count(*) from changed
"""


@transaction.atomic
def withdraw(*, tenant: Tenant, user_key: str, by: User | None, source: str, now: datetime) -> Withdrawal:
    """A user takes back what they allowed: their signals up to now may be used for nothing, those that are on their
    way, too. `user_key` is as the producer names them. A user of whom nothing is known is noted all the same.
    """
    key = cleaned_key(user_key, tenant)
    if not key:
        raise ValueError("A withdrawal needs the user's key.")
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('consent'), %s)", [tenant.pk])
        cursor.execute(_WITHDRAW, {"tenant": tenant.pk, "key": key, "at": now})
        lost, given = cursor.fetchone()
    record = ConsentWithdrawal.objects.create(
        tenant=tenant, user_key=key, at=now, by=by, source=source[:120], signals=lost
    )
    log.append(
        actor=by,
        action="consent.withdrawn",
        subject=f"tenant:{tenant.pk}",
        tenant_id=tenant.pk,
        detail={"withdrawal": record.pk, "signals": lost, "source": source},
        actor_name="" if by else source,
    )
    return Withdrawal(record, lost, given)
