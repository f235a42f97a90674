"""The doors to queues and cases: a person needs a grant on the queue and one on the tenant, both."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from hitl.access import doors
from hitl.models import Tenant, User
from queues.models import Calendar, Case, Complaint, Queue, RoutingRule, Slot, Trace

REVIEWS = ("review_queue", "lead_queue")
LEADS = ("lead_queue",)
REVEALS = "reveal_tenant"

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


def traces(user: Person) -> QuerySet[Trace]:
    """The traffic of the tenants that a person runs."""
    return Trace.objects.filter(tenant__in=doors.tenants(user, *doors.LEADS))


def cases_revealed(user: Person) -> QuerySet[Case]:
    """Cases whose masks a person may see through: as a lead of the case, and with the tenant's permission for it."""
    return cases_led(user).filter(tenant__in=doors.tenants(user, REVEALS))


def traces_revealed(user: Person) -> QuerySet[Trace]:
    return traces(user).filter(tenant__in=doors.tenants(user, REVEALS))


def complaints(user: Person) -> QuerySet[Complaint]:
    return Complaint.objects.filter(tenant__in=doors.tenants(user, *doors.LEADS))


def may_open(user: Person) -> bool:
    """Whether a person may open new queues and calendars: an administrator, and whoever runs a tenant."""
    return user.is_superuser or doors.tenants(user, *doors.LEADS).exists()


def calendars(user: Person) -> QuerySet[Calendar]:
    """Calendars of queues that a person runs, and those that no queue uses, for whoever may use them."""
    if user.is_superuser and user.is_active:
        return Calendar.objects.all()
    led = queues(user, *LEADS)
    if not (led.exists() or may_open(user)):
        return Calendar.objects.none()
    return Calendar.objects.filter(Q(queue__in=led) | Q(queue__isnull=True)).distinct()


def calendars_run(user: Person) -> QuerySet[Calendar]:
    """Calendars that a person may change: no deadline of a queue that somebody else runs hangs on them."""
    if user.is_superuser and user.is_active:
        return Calendar.objects.all()
    strangers = Queue.objects.exclude(pk__in=queues(user, *LEADS).values("pk")).filter(calendar__isnull=False)
    return calendars(user).exclude(pk__in=strangers.values("calendar"))


def rules(user: Person) -> QuerySet[RoutingRule]:
    """The rules of queues that a person runs."""
    return RoutingRule.objects.filter(queue__in=queues(user, *LEADS))


def rules_run(user: Person) -> QuerySet[RoutingRule]:
    """Rules that a person may change: they move no case of a tenant that the person does not work in."""
    own = doors.tenants(user)
    strangers = Tenant.objects.exclude(pk__in=own.values("pk"))
    named = RoutingRule.tenants.through.objects.all()
    run = rules(user).exclude(pk__in=named.filter(tenant__in=strangers).values("routingrule"))
    if strangers.exists():
        # A rule without tenants takes everybody's cases, the strangers' too.
        run = run.filter(pk__in=named.values("routingrule"))
    return run
