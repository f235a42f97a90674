"""What time does to slots: deadlines pass, deferrals end, leases run out. The tick calls these, by the database's time.

Each call is one short transaction over at most CHUNK slots, stepping over those that somebody has locked, and says
how many it did: `until_done` repeats it. Two at once do no harm.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from django.conf import settings
from django.db import connection, transaction

from hitl.audit import log
from hitl.models import Endpoint
from hitl.outbox import messages

CHUNK: Final = 1000
# An expired lease is claimable at once; one that nobody wanted for so long is put back, so that nobody seems at work.
FORGOTTEN: Final = timedelta(hours=1)
_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Late:
    """A slot whose deadline has passed, as the news of it is told."""

    slot_id: int
    case_id: int
    external_id: str
    waits: bool
    tenant_id: int
    tenant: str
    queue_id: int
    queue: str
    queue_name: str
    emails: list[str]
    due_at: datetime
    only_measures: bool


def until_done(verb: Callable[..., int], now: datetime) -> int:
    """Repeats a verb of this module while it finds a full chunk, within reason; returns how many slots it did."""
    done = 0
    for _ in range(_AT_ONCE):
        done += (chunk := verb(now=now))
        if chunk < CHUNK:
            break
    return done


@transaction.atomic
def mark_overdue(*, now: datetime) -> int:
    """Records each deadline that has passed, raises the slot to the head of its lane, and tells those who asked."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, {"now": now, "chunk": CHUNK})
        overdue = [Late(*row) for row in cursor.fetchall()]
    # A second decision keeps its place among the others; that it is late is no breach of a promise to anybody.
    late = [one for one in overdue if not one.only_measures]
    log.append_all(
        [
            log.Entry(
                action="case.breached",
                subject=f"case:{one.case_id}",
                tenant_id=one.tenant_id,
                queue_id=one.queue_id,
                detail={"slot": one.slot_id, "due_at": one.due_at.isoformat()},
                actor_name="clock",
            )
            for one in late
        ]
    )
    waiting = [one for one in late if one.waits]
    _tell_endpoints(waiting, now)
    _tell_people(waiting)
    return len(overdue)


@transaction.atomic
def wake_deferred(*, now: datetime) -> int:
    """What was put aside until now waits again."""
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, {"now": now, "chunk": CHUNK})
        return cursor.rowcount


@transaction.atomic
def return_expired(*, now: datetime) -> int:
    """Puts back what is held under a lease that ran out long ago. The token stays, and with it the fence."""
    with connection.cursor() as cursor:
        cursor.execute(_RETURN, {"before": now - FORGOTTEN, "chunk": CHUNK})
        return cursor.rowcount


def _tell_endpoints(late: list[Late], now: datetime) -> None:
    topic = Endpoint.Topic.CASE_BREACHED
    messages.post_all(
        topic=topic,
        events=[
            messages.Event(
                tenant_id=one.tenant_id,
                # Not the key of the verdict: a receiver that balks at this one must still get that one.
                key=f"slot:{one.slot_id}",
                payload={
                    "type": topic,
                    "timestamp": now.isoformat(),
                    "data": {
                        "case_id": one.external_id,
                        "tenant": one.tenant,
                        "queue": one.queue,
                        "due_at": one.due_at.isoformat(),
                        "url": f"{settings.HITL_URL}/api/v1/cases/{quote(one.external_id, safe='')}",
                    },
                },
                not_before=now,
            )
            for one in late
        ],
    )


def _tell_people(late: list[Late]) -> None:
    """One e-mail for all that is late at once in a queue. It names no case and no tenant: an address is no grant."""
    together: dict[tuple[int, int], list[Late]] = defaultdict(list)
    for one in late:
        if one.emails:
            together[one.queue_id, one.tenant_id].append(one)
    for group in together.values():
        first, count = group[0], len(group)
        what = "1 case is" if count == 1 else f"{count} cases are"
        messages.email(
            to=first.emails,
            subject=f"{what} past the deadline in {first.queue_name}",
            body=(
                f"{what} past the deadline in {first.queue_name}, without a decision. "
                "What is late is handed out first.\n\n"
                f"{settings.HITL_URL}/queues/{first.queue}/\n"
            ),
            key=f"queue:{first.queue_id}",
            tenant_id=first.tenant_id,
        )


_OVERDUE: Final = """
with due as (
  select id from queues_slot
  where state in ('open', 'held', 'deferred') and not overdue and due_at < %(now)s
  order by due_at limit %(chunk)s for no key update skip locked
), late as (
  update queues_slot slot set overdue = true from due where slot.id = due.id
  returning slot.id, slot.case_id, slot.lane_id, slot.due_at, slot.purpose
), breach as (
  insert into queues_breach (slot_id, due_at, at)
  select id, due_at, %(now)s from late where purpose <> 'second' on conflict do nothing
)
select late.id, late.case_id, told.external_id, told.state = 'waiting', tenant.id, tenant.slug, queue.id, queue.slug,
       queue.name, queue.notify_emails, late.due_at, late.purpose = 'second'
from late
join queues_case told on told.id = late.case_id
join queues_lane lane on lane.id = late.lane_id
join queues_queue queue on queue.id = lane.queue_id
join hitl_tenant tenant on tenant.id = told.tenant_id
order by late.due_at, late.id
"""

_WAKE: Final = """
update queues_slot set state = 'open', deferred_until = null
where id in (
  select id from queues_slot where state = 'deferred' and deferred_until <= %(now)s
  order by deferred_until limit %(chunk)s for no key update skip locked)
"""

_RETURN: Final = """
update queues_slot set state = 'open', holder_id = null, lease_until = null, claimed_at = null, seen_at = null
where id in (
  select id from queues_slot where state = 'held' and lease_until < %(before)s
  limit %(chunk)s for no key update skip locked)
"""
