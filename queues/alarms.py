"""What a lead must know although nobody asks: work that is stuck, lost its way, or did not arrive."""

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count
from django.urls import reverse
from django_q.conf import Conf

from hitl import heartbeats
from hitl.access import doors as access
from hitl.models import Endpoint, Message, User
from hitl.pulse import FRESH
from queues import doors
from queues.models import Case, Lane

MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sentence, and where to go about it (empty: nowhere in here)."""

    kind: str
    sentence: str
    url: str = ""


def alarms(user: User) -> list[Alarm]:
    """What is wrong now with what this person runs, the gravest first; nothing for one who runs nothing."""
    led = access.tenants(user, *access.LEADS)
    queues = doors.queues(user, *doors.LEADS)
    if not (led.exists() or queues.exists()):
        return []
    return [*_machinery(), *_unrouted(led), *_untakeable(user, queues), *_given_up(led), *_switched_off(led)]


def _machinery() -> list[Alarm]:
    pulse = heartbeats.pulse()
    worker = pulse.worker_silence(longest_task=Conf.TIMEOUT + FRESH)
    found = []
    if pulse.tick is None or pulse.tick > FRESH:
        found.append(Alarm("machinery", "The clock has stopped: deadlines, deferrals and deliveries stand still."))
    if worker is None or worker > FRESH:
        found.append(Alarm("machinery", "The worker has stopped: imports and other long work stand still."))
    return found


def _unrouted(led: Any) -> list[Alarm]:
    lost = Case.objects.filter(tenant__in=led, queue=None, state=Case.State.WAITING)
    count = lost.values("pk")[:1001].count()
    said = "More than 1,000 cases" if count > 1000 else _count(count, "case")
    fits = "fits no queue: no rule takes it" if count == 1 else "fit no queue: no rule takes them"
    return [Alarm("unrouted", f"{said} {fits}.", reverse("unrouted"))] if count else []


def _untakeable(user: User, queues: Any) -> list[Alarm]:
    lanes = (
        Lane.objects.filter(queue__in=queues, tenant__in=access.tenants(user), rollup__untakeable__gt=0)
        .select_related("queue", "tenant", "rollup")
        .order_by("-rollup__untakeable")[:MOST]
    )
    return [
        Alarm(
            "untakeable",
            f"{_count(lane.rollup.untakeable, 'case')} in {lane.queue} can be taken by nobody: no active person works "
            f"in {lane.tenant}{_needs(lane)}, or all who do are kept out.",
            reverse("queue", args=[lane.queue.slug]),
        )
        for lane in lanes
    ]


def _needs(lane: Lane) -> str:
    needs = [f"reads {lane.language}"] * bool(lane.language) + [f"holds {lane.authority}"] * bool(lane.authority)
    return f" and {' and '.join(needs)}" if needs else ""


def _given_up(led: Any) -> list[Alarm]:
    lost = Message.objects.filter(tenant__in=led, state=Message.State.GIVEN_UP)
    counted = lost.values("tenant__slug", "tenant__name").annotate(count=Count("pk")).order_by("-count")[:MOST]
    return [
        Alarm(
            "given_up",
            f"{_count(row['count'], 'message')} of {row['tenant__name']} did not arrive in five days of trying.",
            f"{reverse('deliveries', args=[row['tenant__slug']])}?state=given_up",
        )
        for row in counted
    ]


def _switched_off(led: Any) -> list[Alarm]:
    gone = Endpoint.objects.filter(tenant__in=led, is_active=False).exclude(off_because="").select_related("tenant")
    return [
        Alarm(
            "switched_off",
            f"{one.tenant} gets no more webhooks at {one.url}. {one.off_because}",
            reverse("endpoint", args=[one.tenant.slug, one.pk]),
        )
        for one in gone[:MOST]
    ]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
