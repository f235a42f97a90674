"""The doors to queues and cases: a person needs a grant on the queue and one on the tenant, both."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from hitl.access import doors
from hitl.models import User
from queues.models import Case, Queue, Slot

REVIEWS = ("review_queue", "lead_queue")
LEADS = ("lead_queue",)

Person = User | AnonymousUser


def queues(user: Person, *permissions: str) -> QuerySet[Queue]:
    """The queues a person works in; with LEADS, those they run."""
    return doors.granted(Queue.objects.all(), user, *(permissions or REVIEWS))


def cases_led(user: Person) -> QuerySet[Case]:
    """Cases that a person may look at as a lead: of a queue they run, or unrouted ones of a tenant they run."""
    in_queue = Q(queue__in=queues(user, *LEADS), tenant__in=doors.tenants(user))
    unrouted = Q(queue__isnull=True, tenant__in=doors.tenants(user, *doors.LEADS))
    return Case.objects.filter(in_queue | unrouted)


def slots_led(user: Person) -> QuerySet[Slot]:
    return Slot.objects.filter(lane__queue__in=queues(user, *LEADS), lane__tenant__in=doors.tenants(user))
