"""The door to codebooks: their owner, whoever was granted to read them, and whoever works in a queue that uses them."""

from django.db.models import Q, QuerySet

from codebook.models import Codebook
from hitl.access import doors
from queues.doors import LEADS, Person, queues
from queues.models import Case


def codebooks(user: Person) -> QuerySet[Codebook]:
    """The codebooks a person may read."""
    if not user.is_authenticated:
        return Codebook.objects.none()
    granted = doors.granted(Codebook.objects.all(), user, "read_codebook").values("pk")
    in_use = Q(queue_uses__queue__in=queues(user))
    return Codebook.objects.filter(Q(owner=user) | Q(pk__in=granted) | in_use).distinct()


def owned(user: Person) -> QuerySet[Codebook]:
    """The codebooks on which a person has the last word. An administrator gives them an owner, and is none."""
    if not (user.is_authenticated and user.is_active):
        return Codebook.objects.none()
    return Codebook.objects.filter(owner=user)


def run(user: Person) -> QuerySet[Codebook]:
    """The codebooks whose name and owner a person may change: their own; an administrator, any."""
    return Codebook.objects.all() if user.is_superuser and user.is_active else owned(user)


def may_open(user: Person) -> bool:
    """Whether a person may make new codebooks: an administrator, and whoever leads a queue."""
    return queues(user, *LEADS).exists() or bool(user.is_superuser and user.is_active)


def cases(user: Person, codebook: Codebook) -> QuerySet[Case]:
    """The cases labelled with a codebook that a person may see: having the last word on a rubric opens no tenant."""
    used = codebook.queue_uses.values("queue")
    return Case.objects.filter(queue__in=queues(user).filter(pk__in=used), tenant__in=doors.tenants(user))
