"""The door to a slot: one that this person may take, holds, or has decided."""

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from hitl.access import doors
from hitl.models import User
from queues.doors import queues
from queues.models import LaneTaker, Slot
from reviews.deciding import decided_by


def person(request: HttpRequest) -> User:
    """Who is signed in; LoginRequiredMiddleware has seen to it that somebody is."""
    assert isinstance(request.user, User)
    return request.user


def slot_of(user: User, pk: int) -> Slot:
    """The slot, or 404."""
    lanes = LaneTaker.objects.filter(user=user).values("lane")
    mine = Q(lane__in=lanes) | Q(pk__in=decided(user).order_by().values("pk"))
    return doors.get(Slot.objects.filter(mine).select_related("lane__queue", "lane__tenant"), pk=pk)


def within_reach(slots: QuerySet[Slot], user: User) -> QuerySet[Slot]:
    """Of these, the slots of queues and tenants that the person still works in."""
    return slots.filter(lane__queue__in=queues(user), lane__tenant__in=doors.tenants(user))


def decided(user: User) -> QuerySet[Slot]:
    """What the person decided, latest first; a grant that is withdrawn takes the past with it."""
    return within_reach(decided_by(user), user)


def scope_of(request: HttpRequest, user: User) -> tuple[str, int | None]:
    """The queue that the reviewer is working through, as (slug, id); all of them: ("", None)."""
    slug = request.GET.get("scope", "")
    return (slug, doors.get(queues(user), slug=slug).pk) if slug else ("", None)
