"""Lets go of sampled cases that nobody will get to: too old, or more than their queue can take. Counted and listed.

Never an escalation, never what the random draw picked, never what a lead sent, and never what somebody has or had in
hand. What is dropped is named as a limitation of whatever is made from the labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from django.db import connection, transaction

from hitl.audit import log
from hitl.models import Tenant
from queues.models import Sampled, SamplingPlan
from queues.sampling import capacity

CHUNK: Final = 1_000
AGE: Final = "age"
FULL: Final = "full"


class Dropped(NamedTuple):
    case_id: int
    tenant_id: int
    queue_id: int | None


@dataclass(frozen=True, slots=True)
class Limitation:
    """Of `picked` cases of a sampling policy, how many were dropped unseen, and why. For datasets to name."""

    policy: str
    picked: int
    too_old: int
    queue_full: int

    @property
    def dropped(self) -> int:
        return self.too_old + self.queue_full

    @property
    def sentence(self) -> str:
        why = [f"{self.queue_full:,} as the queue was full"] if self.queue_full else []
        why += [f"{self.too_old:,} as too old by then"] if self.too_old else []
        picked = f"{self.picked:,} picked {'case' if self.picked == 1 else 'cases'}"
        label, was = Sampled.Policy(self.policy).label, "was" if self.dropped == 1 else "were"
        return f"{label}: of {picked}, {self.dropped:,} {was} never looked at ({', '.join(why)})."


def thin(now: datetime) -> int:
    """A chore: drops what is too old, then what is too much; how many cases."""
    plans = (
        SamplingPlan.objects.order_by("tenant", "-revision").distinct("tenant").values_list("tenant", "latency_days")
    )
    latency = dict(plans)
    dropped = 0
    for tenant_id, days in latency.items():
        while chunk := drop_old(tenant_id=tenant_id, days=days, now=now):
            dropped += chunk
    for queue_id, over in too_many(latency, now).items():
        while over > 0 and (chunk := drop_overflow(queue_id=queue_id, most=over, now=now)):
            over, dropped = over - chunk, dropped + chunk
    return dropped


def too_many(latency: dict[int, int], now: datetime) -> dict[int, int]:
    """By queue with sampled cases that wait: how many more wait in it than its people decide in time, if any.

    Where several tenants share a queue, the longest of their times counts.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"tenants": list(latency)})
        rows = cursor.fetchall()
    rates = capacity.throughput([queue for queue, _, _ in rows], now)
    found = {
        queue: waiting - rates[queue].holds(max(latency[tenant] for tenant in tenants))
        for queue, tenants, waiting in rows
    }
    return {queue: over for queue, over in found.items() if over > 0}


@transaction.atomic
def drop_old(*, tenant_id: int, days: int, now: datetime) -> int:
    """Drops sampled cases whose trace is older than so many days; at most CHUNK, how many."""
    return _drop(_OLD, {"tenant": tenant_id, "days": days, "now": now, "most": CHUNK}, AGE, now)


@transaction.atomic
def drop_overflow(*, queue_id: int, most: int, now: datetime) -> int:
    """Drops the sampled cases that would be handed out last in a queue: at most `most` and CHUNK, how many."""
    return _drop(_OVERFLOW, {"queue": queue_id, "now": now, "most": min(most, CHUNK)}, FULL, now)


def limitations(tenant: Tenant, since: datetime, until: datetime) -> list[Limitation]:
    """What was thinned out of the samples of that time, by sampling policy; policies that lost nothing are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_LIMITATIONS, {"tenant": tenant.pk, "since": since, "until": until})
        return [Limitation(*row) for row in cursor.fetchall()]


def _drop(statement: str, asked: dict[str, int | datetime], because: str, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**asked, "because": because})
        gone = [Dropped(*row) for row in cursor.fetchall()]
    _record(gone, because)
    return len(gone)


def _record(gone: Sequence[Dropped], because: str) -> None:
    """One record for each tenant and queue, so that each lead finds it."""

    def where(one: Dropped) -> tuple[int, int]:
        return one.tenant_id, one.queue_id or 0

    log.append_all(
        [
            log.Entry(
                action="sampling.dropped",
                subject=f"tenant:{tenant_id}",
                tenant_id=tenant_id,
                queue_id=queue_id or None,
                detail={"because": because, "count": len(cases), "cases": cases},
                actor_name="hitl",
            )
            for (tenant_id, queue_id), together in groupby(sorted(gone, key=where), key=where)
            for cases in [[one.case_id for one in together]]
        ]
    )


# Only what nobody has ever held: the first seat, open, for anybody, and under no lease yet. Random picks stay though
# other policies picked them too: the sample would lose its worst.
_MAY_GO: Final = """
sampled.dropped_at is null and sampled.policy <> 'by_hand' and not sampled.policies ? 'random'
and told.state = 'waiting' and told.origin = 'sampling'
"""
_UNTOUCHED: Final = """
slot.state = 'open' and slot.lease_token = 0 and slot.reserved_for_id is null and slot.round = 1 and slot.seat = 1
and not exists (select from queues_slot other where other.case_id = slot.case_id and other.id <> slot.id)
"""
_GONE: Final = """
, closed as (
  delete from queues_slot where id in (select slot_id from chosen where slot_id is not null)
), noted as (
  update queues_sampled set dropped_at = %(now)s, dropped_because = %(because)s
  where case_id in (select case_id from chosen)
)
update queues_case told set state = 'dropped' from chosen where told.id = chosen.case_id
returning told.id, told.tenant_id, told.queue_id
"""
_OLD: Final = f"""
with waiting as materialized (
  select slot.id as slot_id, sampled.case_id
  from queues_sampled sampled join queues_case told on told.id = sampled.case_id
  join queues_slot slot on slot.case_id = told.id
  where sampled.tenant_id = %(tenant)s and sampled.trace_at < %(now)s - make_interval(days => %(days)s)
    and {_MAY_GO} and {_UNTOUCHED}
  limit %(most)s for no key update of slot skip locked
), unrouted as materialized (
  select null::bigint, sampled.case_id
  from queues_sampled sampled join queues_case told on told.id = sampled.case_id
  where sampled.tenant_id = %(tenant)s and sampled.trace_at < %(now)s - make_interval(days => %(days)s)
    and {_MAY_GO} and told.queue_id is null
  limit %(most)s for no key update of told skip locked
), chosen as (
  select * from waiting union all select * from unrouted
)
{_GONE}
"""  # noqa: S608 -- conditions from above
_OVERFLOW: Final = f"""
with chosen as materialized (
  select slot.id as slot_id, sampled.case_id
  from queues_sampled sampled join queues_case told on told.id = sampled.case_id
  join queues_slot slot on slot.case_id = told.id
  where told.queue_id = %(queue)s and {_MAY_GO} and {_UNTOUCHED}
  order by slot.priority desc, sampled.trace_at limit %(most)s for no key update of slot skip locked
)
{_GONE}
"""  # noqa: S608 -- conditions from above
_WAITING: Final = """
with led as (
  select told.queue_id, array_agg(distinct sampled.tenant_id) as tenants
  from queues_sampled sampled join queues_case told on told.id = sampled.case_id
  where sampled.dropped_at is null and told.state = 'waiting' and told.queue_id is not null
    and sampled.tenant_id = any(%(tenants)s::bigint[])
  group by told.queue_id
)
select led.queue_id, led.tenants, (
  select count(*) from queues_slot slot join queues_lane lane on lane.id = slot.lane_id
  where lane.queue_id = led.queue_id and slot.state in ('open', 'held', 'deferred'))
from led
"""
_LIMITATIONS: Final = """
select policy, count(*), count(*) filter (where dropped_because = 'age'),
  count(*) filter (where dropped_because = 'full')
from queues_sampled where tenant_id = %(tenant)s and at >= %(since)s and at < %(until)s
group by policy having count(*) filter (where dropped_at is not null) > 0 order by policy
"""
