"""The unrouted tray: cases that no rule took, and what a lead does about them."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.db.models import QuerySet

from hitl.access import doors as access
from hitl.audit import log
from hitl.models import User
from queues import placing, terms
from queues.models import Case, Lane, Queue
from queues.priority import priority
from queues.risk import Risk
from queues.weighing import promise

# Of more than these at once, the rest is left for the next time: nothing here takes long.
AT_ONCE = 2_000


def unrouted(user: User) -> QuerySet[Case]:
    """The waiting cases without a queue of the tenants that a person runs, oldest first."""
    led = access.tenants(user, *access.LEADS)
    return Case.objects.filter(tenant__in=led, queue=None, state=Case.State.WAITING).order_by("pk")


@transaction.atomic
def send(*, cases: Iterable[Case], queue: Queue, authority: str, by: User, now: datetime) -> int:
    """Sends unrouted cases to a queue by hand; returns how many. Those that got a queue in the meantime stay there.

    The queue's own deadline counts from now; the producer's stays. What came out of the traffic has none.
    """
    wanted = Case.objects.filter(pk__in=[case.pk for case in cases], queue=None, state=Case.State.WAITING)
    locked = list(wanted.select_for_update().order_by("tenant_id", "pk"))
    terms_of_queue = terms.queue_terms(queue)
    streams = placing.streams_of(locked)
    slots = []
    for case in locked:
        case.queue, case.authority = queue, authority
        case.routing = {
            **case.routing,
            "rule": None,
            "by_hand": True,
            "queue": {"id": queue.pk, "name": queue.name},
            "authority": authority,
            "matched": [],
            "passed_over": case.routing.get("passed_over", []),
            "passed_over_in_all": case.routing.get("passed_over_in_all", 0),
        }
        stream = streams.get(case.pk)
        if stream is None:
            case.due_at, case.due_because = promise(terms_of_queue, case.producer_deadline, now)
        lane = placing.lane_of(
            queue_id=queue.pk, tenant_id=case.tenant_id, language=case.language, authority=authority,
            stream=stream or Lane.Stream.ESCALATION.value,
        )  # fmt: skip
        left = None if case.due_at is None else (case.due_at - now).total_seconds() / 60
        rating = case.assessment.get("sent", {}).get("user_rating")
        urgency = priority(risk=Risk(case.risk), minutes_left=left, signal_weight=0.0 if rating is None else rating - 3)
        slots.append(placing.SlotRow(case.pk, lane, urgency, case.due_at))
    Case.objects.bulk_update(locked, ["queue", "authority", "routing", "due_at", "due_because"], batch_size=500)
    placing.open_slots(slots, now=now)
    log.append_all(
        [
            log.Entry(
                "cases.sent_by_hand", f"queue:{queue.pk}", by, tenant_id, queue.pk,
                {"cases": [case.pk for case in together], "authority": authority},
            )
            for tenant_id, together in groupby(locked, key=lambda case: case.tenant_id)
        ]
    )  # fmt: skip
    return len(locked)
