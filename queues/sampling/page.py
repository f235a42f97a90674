"""What the page of the sampler shows: runs, what was reported, what queues can take, and what was dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q, Sum

from hitl.models import Job, Tenant, User
from queues import doors
from queues.models import LaneRollup, Sampled, SamplingPlan, SamplingRun, Trace
from queues.sampling import capacity, dropping, plans
from queues.sampling.capacity import Throughput
from queues.sampling.mix import POLICIES
from queues.wording import ELSEWHERE

RUNS: Final = 14
DROPPED_LISTED: Final = 50
DROPS_OF: Final = timedelta(days=30)
REVISIONS: Final = 20
EXCERPT: Final = 160


@dataclass(frozen=True, slots=True)
class Part:
    """What a policy did in a run: `also` picked before it by another."""

    policy: str
    label: str
    eligible: int
    wanted: int
    picked: int
    also: int
    short: int


@dataclass(frozen=True, slots=True)
class Run:
    run: SamplingRun
    parts: Sequence[Part]
    shortfall: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A trace of a trial, with every policy that picked it and the chance it had."""

    trace: Trace
    policy: str
    also: Sequence[str]
    probability: float


@dataclass(frozen=True, slots=True)
class Trial:
    job: Job
    found: Mapping[str, Any]
    parts: Sequence[Part]
    shortfall: str
    shown: Sequence[Shown]
    since: datetime


@dataclass(frozen=True, slots=True)
class Room:
    """A queue with sampled cases of the tenant: what waits in it, and what it can take in the time there is."""

    name: str
    slug: str
    sampled: int
    waiting: int
    rate: Throughput
    holds: int

    @property
    def over(self) -> int:
        return max(0, self.waiting - self.holds)


def runs(tenant: Tenant) -> list[Run]:
    """The last runs, the newest first."""
    found = SamplingRun.objects.filter(tenant=tenant).select_related("by", "plan").order_by("-at")[:RUNS]
    return [Run(run, _parts(run.counts), shortfall(run.counts)) for run in found]


def shortfall(counts: Mapping[str, Mapping[str, int]]) -> str:
    """What policies lacked, and where it went, as a sentence; empty where nothing was lacking."""
    parts = {part.policy: part for part in _parts(counts)}
    lacking = [part for name, part in parts.items() if name != "random" and part.short > 0]
    random = parts.get("random")
    said = []
    if lacking:
        listed = ", ".join(f"{part.label.lower()} found {part.picked} of {part.wanted}" for part in lacking)
        said.append(f"{listed[:1].upper()}{listed[1:]}; the rest was drawn at random.")
    if random and random.short > 0:
        said.append(f"Random found {random.picked:,} of {random.wanted:,}: no more traffic came in.")
    return " ".join(said)


def trial(job: Job, tenant: Tenant) -> Trial | None:
    """What a trial found; None while it runs, or where it failed."""
    found = job.result.get("trial")
    if found is None:
        return None
    rows = found["shown"]
    traces = Trace.objects.filter(tenant=tenant, pk__in=[UUID(row["trace"]) for row in rows])
    by_id = {str(trace.pk): trace for trace in traces.only("external_id", "input", "topic", "at", "tenant_id")}
    labels = dict(Sampled.Policy.choices)
    shown = [
        Shown(
            by_id[row["trace"]],
            str(labels[row["policy"]]),
            [str(labels[name]).lower() for name in row["policies"] if name != row["policy"]],
            row["probability"],
        )
        for row in rows
        if row["trace"] in by_id
    ]
    since = datetime.fromisoformat(found["since"])
    return Trial(job, found, _parts(found["counts"]), shortfall(found["counts"]), shown, since)


def rooms(tenant: Tenant, user: User, plan: SamplingPlan | None, now: datetime) -> list[Room]:
    """The queues in which sampled cases of the tenant wait; one that the person does not run goes without its name."""
    waiting = Q(tenant=tenant, dropped_at=None, case__state="waiting", case__queue__isnull=False)
    sampled = dict(Sampled.objects.filter(waiting).order_by().values_list("case__queue").annotate(Count("pk")))
    led = doors.queues(user, *doors.LEADS).in_bulk(list(sampled))
    rates = capacity.throughput(list(sampled), now)
    counts = {
        row["lane__queue"]: row["open"] + row["held"] + row["aside"]
        for row in LaneRollup.objects.filter(lane__queue__in=sampled)
        .values("lane__queue")
        .annotate(open=Sum("waiting"), held=Sum("held"), aside=Sum("deferred"))
    }
    days = plan.latency_days if plan else plans.DEFAULTS["latency_days"]
    return [
        Room(
            led[queue].name if queue in led else ELSEWHERE,
            led[queue].slug if queue in led else "",
            count,
            counts.get(queue, 0),
            rates[queue],
            rates[queue].holds(days),
        )
        for queue, count in sorted(sampled.items())
    ]


def drops(tenant: Tenant, user: User, now: datetime) -> dict[str, Any]:
    """What was dropped unseen lately: by policy, and the last of them."""
    listed = Sampled.objects.filter(tenant=tenant, dropped_at__isnull=False).select_related("case")
    cases = list(listed.order_by("-dropped_at", "-pk")[:DROPPED_LISTED])
    opened = set(doors.cases_led(user).filter(pk__in=[one.case_id for one in cases]).values_list("pk", flat=True))
    return {
        "limitations": dropping.limitations(tenant, now - DROPS_OF, now + timedelta(seconds=1)),
        "dropped": [(one, one.case_id in opened) for one in cases],
        "days": DROPS_OF.days,
    }


def revisions(tenant: Tenant) -> list[tuple[SamplingPlan, list[tuple[str, float]]]]:
    """The last plans, the newest first, each with the shares of its mix by their labels."""
    found = SamplingPlan.objects.filter(tenant=tenant).select_related("by").order_by("-revision")[:REVISIONS]
    return [(plan, [(str(policy.label), plan.mix.get(policy, 0.0)) for policy in POLICIES]) for plan in found]


def queue_words(plan: SamplingPlan, user: User) -> str:
    """Where the plan's cases go, in words that the person may read."""
    if plan.queue is None:
        return "where the rules lead"
    runs_it = doors.queues(user, *doors.LEADS).filter(pk=plan.queue.pk).exists()
    return f"to {plan.queue.name}" if runs_it else f"to {ELSEWHERE}"


def _parts(counts: Mapping[str, Mapping[str, int]]) -> list[Part]:
    return [
        Part(policy.value, str(policy.label), **{name: counts[policy].get(name, 0) for name in _COUNTED})
        for policy in POLICIES
        if policy in counts
    ]


_COUNTED: Final = ("eligible", "wanted", "picked", "also", "short")
