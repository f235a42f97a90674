"""The door to codebooks: their owner, whoever was granted to read them, and whoever works in a queue that uses them."""

from django.db.models import Q, QuerySet

from codebook.models import Codebook
from hitl.access import doors
from queues.doors import Person, queues


def codebooks(user: Person) -> QuerySet[Codebook]:
    """The codebooks a person may read."""
    if not user.is_authenticated:
        return Codebook.objects.none()
    granted = doors.granted(Codebook.objects.all(), user, "read_codebook").values("pk")
    in_use = Q(queue_uses__queue__in=queues(user))
    return Codebook.objects.filter(Q(owner=user) | Q(pk__in=granted) | in_use).distinct()
