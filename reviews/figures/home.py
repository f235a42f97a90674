"""What awaits a person at home: their queues, what they did today, and for leads what goes on in theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Q

from codebook.models import Label, Version
from hitl.clock import midnight
from hitl.models import ApiToken, Tenant, User
from queues import doors
from queues.models import LaneRollup, LaneTaker, Queue, RoutingRule, Slot
from queues.overview import NOTHING, QueueRow, by_queue


@dataclass(frozen=True, slots=True)
class Today:
    """My decisions since midnight where I am, by verdict; those that I took back are not counted."""

    accept: int = 0
    edit: int = 0
    reject: int = 0

    @property
    def decided(self) -> int:
        return self.accept + self.edit + self.reject


@dataclass(frozen=True, slots=True)
class Step:
    """One of the things without which nothing can be decided here; `url` is the name of the page for it."""

    words: str
    then: str
    url: str
    done: bool


def mine(user: User) -> list[QueueRow]:
    """The queues that the person gets cases from, what is most urgent first; those without a case too."""
    lanes = LaneTaker.objects.filter(user=user).values("lane")
    counts = by_queue(LaneRollup.objects.filter(lane__in=lanes))
    # An administrator may look into every queue, but gets cases only where they were let in by name.
    reviewed = Queue.objects.none() if user.is_superuser else doors.queues(user, "review_queue")
    queues = Queue.objects.filter(Q(pk__in=counts) | Q(pk__in=reviewed.values("pk")), is_active=True)
    rows = [QueueRow(queue, counts.get(queue.pk, NOTHING)) for queue in queues]
    return sorted(
        rows, key=lambda row: (-row.counts.overdue, -row.counts.due_soon, -row.counts.waiting, row.queue.name)
    )


def held(user: User) -> int:
    """How many cases the person has open right now: seen, and not only waiting on deck."""
    return Slot.objects.filter(holder=user, state=Slot.State.HELD, seen_at__isnull=False).count()


def today(user: User, now: datetime) -> Today:
    since = midnight(user.time_zone, now)
    labels = Label.objects.filter(
        slot__decided_by=user, slot__decided_at__gte=since, user=user, undone_at=None, is_amendment=False
    )
    return Today(**dict(labels.values_list("verdict").annotate(Count("pk")).order_by()))


def first_steps() -> Sequence[Step]:
    """What an administrator does on an empty installation, in order; nothing when all of it is done."""
    there = {
        "tenant": Exists(Tenant.objects.all()),
        "token": Exists(ApiToken.objects.filter(revoked_at=None)),
        "queue": Exists(Queue.objects.all()),
        "rule": Exists(RoutingRule.objects.filter(is_active=True)),
        "codebook": Exists(Version.objects.filter(state=Version.State.PUBLISHED, codebook__queue_uses__isnull=False)),
        "people": Exists(User.objects.filter(is_superuser=False, is_active=True)),
    }
    # One statement for all, on a table that always has a row: the administrator who asks.
    done = User.objects.order_by("pk").annotate(**there).values(*there)[:1].get()
    steps = (
        Step("Make a tenant", "Whose answers are reviewed: a product, or a customer.", "tenant_new", done["tenant"]),
        Step("Give it a token", "Its systems send cases with it, and ask for verdicts.", "tenants", done["token"]),
        Step("Open a queue", "Where its cases wait, and by when they are decided.", "queue_new", done["queue"]),
        Step("Make a rule", "Which cases go to which queue.", "rule_new", done["rule"]),
        Step("Choose the codebook of each queue", "What reviewers call what is wrong.", "queues", done["codebook"]),
        Step("Bring in people", "Who decides, in which queue, for which tenant.", "people", done["people"]),
    )
    return () if all(done.values()) else steps
