"""What the deliveries screen shows: counts, and one page of a tenant's messages, latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count
from django.db.models.fields.json import KT

from hitl.access.models import Tenant
from hitl.outbox.models import Message

PAGE: Final = 50
LATELY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Counts:
    waiting: int
    failing: int
    given_up: int
    sent_lately: int


@dataclass(frozen=True, slots=True)
class Page:
    """`older` is where the next page starts; None on the last."""

    messages: Sequence[Message]
    older: int | None

    @property
    def moves(self) -> bool:
        """Whether anything on it may change by itself."""
        return any(one.state in (Message.State.WAITING, Message.State.FAILING) for one in self.messages)


def counts(tenant: Tenant, now: datetime) -> Counts:
    """How a tenant's messages stand; those sent, of the last 24 hours."""
    states = Message.State
    unsettled = Message.objects.filter(tenant=tenant, state__in=[states.WAITING, states.FAILING, states.GIVEN_UP])
    known = dict(unsettled.values_list("state").annotate(count=Count("pk")))
    return Counts(
        waiting=known.get(states.WAITING, 0),
        failing=known.get(states.FAILING, 0),
        given_up=known.get(states.GIVEN_UP, 0),
        sent_lately=Message.objects.filter(tenant=tenant, state=states.SENT, sent_at__gt=now - LATELY).count(),
    )


def page(tenant: Tenant, *, state: str = "", topic: str = "", about: str = "", before: int | None = None) -> Page:
    """Messages in this state, on this topic, and about this case (the producer's id); empty means any."""
    rows = Message.objects.filter(tenant=tenant).select_related("endpoint").order_by("-pk")
    if state:
        rows = rows.filter(state=state)
    if topic:
        rows = rows.filter(topic=topic)
    if about:
        rows = rows.alias(case=KT("payload__data__case_id")).filter(case=about)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    return Page(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None)
