"""How a tenant spends its reviewers' day on traces: the plan in force, its next revision, and when it draws."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from hitl.audit import log
from hitl.models import Tenant, User
from queues.models import Queue, SamplingPlan, SamplingRun
from queues.sampling import mix

# What a lead sets, with what it starts from. A case may be as old as `latency_days` before it is dropped, counted from
# its trace, so that is more than how far back the sampler looks.
DEFAULTS: Final[Mapping[str, Any]] = {
    "is_active": True,
    "budget": 80,
    "mix": dict(mix.DEFAULT),
    "per_user": 3,
    "judge": "",
    "threshold": 0.5,
    "width": 0.15,
    "hour": 5,
    "look_back_days": 7,
    "latency_days": 9,
    "queue": None,
}
BUDGET_MOST: Final = 10_000
LATENCY_MOST: Final = 9


class Overtaken(Exception):
    """Somebody saved a revision after the one that this change began with."""


class Refused(ValueError):
    """The plan cannot be followed; `field` is what is wrong, and the text the sentence that says so."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Window:
    """What a draw looks at: `since` to `until` is what came in since the last one, by when it was received; users and
    judges speak late, so what they say is looked for from `look_back` on.
    """

    look_back: datetime
    since: datetime
    until: datetime


def current(tenant: Tenant) -> SamplingPlan | None:
    """The plan in force, or being paused; None where there never was one: then nothing is sampled."""
    return SamplingPlan.objects.filter(tenant=tenant).select_related("queue", "by").order_by("-revision").first()


def all_current() -> list[SamplingPlan]:
    """Every tenant's plan in force."""
    newest = SamplingPlan.objects.order_by("tenant", "-revision").distinct("tenant")
    return list(newest.select_related("tenant", "queue"))


def fields_of(plan: SamplingPlan | None) -> dict[str, Any]:
    """What a lead sets of a plan, by name; the defaults where there is none."""
    return dict(DEFAULTS) if plan is None else {name: getattr(plan, name) for name in DEFAULTS}


def unsaved(tenant: Tenant, plan: SamplingPlan | None, change: Mapping[str, Any], now: datetime) -> SamplingPlan:
    """The plan with these fields changed, as it would be saved. Raises Refused."""
    fields = fields_of(plan) | dict(change)
    check(fields)
    seed = plan.seed if plan else 0
    return SamplingPlan(tenant=tenant, revision=plan.revision + 1 if plan else 1, seed=seed, at=now, **fields)


@transaction.atomic
def save(
    *,
    tenant: Tenant,
    change: Mapping[str, Any],
    because: str,
    by: User | None,
    after: int,
    now: datetime,
    measured: Mapping[str, Any] | None = None,
    actor_name: str = "",
) -> SamplingPlan:
    """The next revision: what is in force (the defaults at first), with these fields of DEFAULTS changed.

    `after`: the revision that the change began with, 0 for none. `measured`: the yields that a mix was proposed by.
    `by` is None for a configuration file; `actor_name` says so on the record. Raises Refused, Overtaken.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    before = current(tenant)
    if (before.revision if before else 0) != after:
        raise Overtaken
    plan = unsaved(tenant, before, change, now)
    if before is None:
        plan.seed = secrets.randbits(62)
    plan.because, plan.measured, plan.by = because[:500], dict(measured or {}), by
    plan.save(force_insert=True)
    changed = [name for name in DEFAULTS if before is None or getattr(plan, name) != getattr(before, name)]
    log.append(
        actor=by, action="sampling.changed", subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk,
        detail={"revision": plan.revision, "fields": changed, "mix": plan.mix, "budget": plan.budget},
        actor_name=actor_name,
    )  # fmt: skip
    return plan


def window(plan: SamplingPlan, until: datetime) -> Window:
    """What a draw at that moment looks at. Nothing of before the last draw is drawn a second time."""
    look_back = until - timedelta(days=plan.look_back_days)
    last = last_run(plan.tenant, until)
    return Window(look_back, max(last.until, look_back) if last else look_back, until)


def last_run(tenant: Tenant, before: datetime) -> SamplingRun | None:
    """The last draw that ended up to then."""
    return SamplingRun.objects.filter(tenant=tenant, until__lte=before).order_by("-until").first()


def due(plan: SamplingPlan, first: datetime, now: datetime) -> datetime | None:
    """The moment of the day's draw that has passed last, if it was not drawn yet; after a downtime that one alone.

    `first`: when the tenant's first plan was made: nobody asked for a draw of before.
    """
    moment = now.replace(hour=plan.hour, minute=0, second=0, microsecond=0)
    if moment > now:
        moment -= timedelta(days=1)
    if not plan.is_active or moment < first:
        return None
    drawn = SamplingRun.objects.filter(tenant_id=plan.tenant_id, day=moment.date()).exists()
    return None if drawn else moment


def check(fields: Mapping[str, Any]) -> None:
    """Raises Refused for the first of the fields of a whole plan that cannot be followed."""
    if wrong := mix.fault(fields["mix"]):
        raise Refused("mix", wrong)
    bounds = {
        "budget": (1, BUDGET_MOST), "per_user": (1, 1000), "hour": (0, 23), "look_back_days": (1, LATENCY_MOST - 1),
        "latency_days": (2, LATENCY_MOST),
    }  # fmt: skip
    for name, (least, most) in bounds.items():
        if not least <= fields[name] <= most:
            raise Refused(name, f"From {least} to {most:,}.")
    if not 0 < fields["width"] < float("inf"):
        raise Refused("width", "More than 0.")
    if fields["latency_days"] <= fields["look_back_days"]:
        raise Refused(
            "latency_days",
            f"At least a day more than the {fields['look_back_days']} days that are looked back on, "
            "or what was just picked would be dropped as too old.",
        )
    queue: Queue | None = fields["queue"]
    if queue is not None and not queue.is_active:
        raise Refused("queue", f"{queue.name} is closed. Choose another queue, or leave it to the rules.")
