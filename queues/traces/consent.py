"""What a user allows of their feedback: for each signal, and taken back by the user's key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from django.db import connection, transaction
from django.db.models import TextChoices

from hitl.audit import log
from hitl.models import Tenant, User
from queues.intake import cleaning
from queues.models import ConsentWithdrawal
from queues.traces import aggregates

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


_THEIRS: Final = """
select distinct trace_id from queues_signal
where tenant_id = %(tenant)s and user_key = %(key)s and user_key <> '' and trace_id is not null
"""
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
  returning mine.had, queues_signal.trace_id
)
select count(*) filter (where had), count(*),
  coalesce(array_agg(distinct trace_id) filter (where trace_id is not null), array[]::uuid[])
from changed
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
        # Traces before their signals, as everybody locks them.
        cursor.execute(_THEIRS, {"tenant": tenant.pk, "key": key})
        aggregates.lock([id for (id,) in cursor.fetchall()])
        cursor.execute(_WITHDRAW, {"tenant": tenant.pk, "key": key, "at": now})
        lost, given, traces = cursor.fetchone()
    aggregates.recompute(traces)
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
