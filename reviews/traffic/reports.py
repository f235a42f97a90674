"""What labels say of a tenant's traffic, as it was measured last: kept until there is more, then measured anew.

The measuring itself is in `reviews.traffic.measuring`, which the web never loads.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from codebook.models import Label
from hitl.audit import log
from hitl.jobs import progress
from hitl.models import Job, Tenant, TenantGroupPermission, TenantUserPermission, User
from hitl.outbox import messages
from queues.models import Sampled, Trace
from queues.quarters import quarter_of
from reviews.models import TrafficReport
from reviews.traffic.periods import Period

TASK: Final = "reviews.traffic.measuring.run"
AGAIN_AFTER: Final = timedelta(hours=1)
# The periods move on though nothing comes in.
ANYWAY_AFTER: Final = timedelta(days=1)

Json = dict[str, Any]


@transaction.atomic
def measure_now(*, tenant: Tenant, by: User) -> Job:
    """Have the traffic measured in the worker; while it is being measured, that job is the one."""
    job, is_new = _start(tenant, by)
    if is_new:
        log.append(
            actor=by,
            action="traffic.measured",
            subject=f"tenant:{tenant.pk}",
            tenant_id=tenant.pk,
            detail={"job": job.pk},
        )
    return job


def refresh(now: datetime) -> int:
    """A chore: measures again where something came since, each tenant once an hour at most; how many jobs."""
    begun = 0
    for tenant in Tenant.objects.order_by("pk"):
        if not (Sampled.objects.filter(tenant=tenant).exists() or Trace.objects.filter(tenant=tenant).exists()):
            continue
        report = TrafficReport.objects.filter(tenant=tenant).order_by("-pk").first()
        if report and now - report.computed_at < AGAIN_AFTER:
            continue
        if report and now - report.computed_at < ANYWAY_AFTER and report.result["newest"] == newest(tenant):
            continue
        begun += _start(tenant, None)[1]
    return begun


def newest(tenant: Tenant) -> list[int | str]:
    """What tells whether there is more to measure: the highest ids of labels, of sampled cases, and of traces."""
    label = Label.objects.order_by("-pk").values_list("pk", flat=True).first()
    drawn = Sampled.objects.filter(tenant=tenant).order_by("-at").values_list("case", flat=True).first()
    trace = Trace.objects.filter(tenant=tenant).order_by("-pk").values_list("pk", flat=True).first()
    return [label or 0, drawn or 0, str(trace or "")]


def running(tenant: Tenant) -> Job | None:
    """The job that measures it now."""
    return progress.running(_kind(tenant))


def latest(tenant: Tenant, period: str) -> TrafficReport | None:
    return TrafficReport.objects.filter(tenant=tenant, period=period).order_by("-pk").first()


@transaction.atomic
def keep(*, tenant: Tenant, found: Sequence[tuple[Period, Json]], now: datetime) -> list[TrafficReport]:
    """Keeps the reports, one a day for each period. Once a quarter, when it is over, the leads are told."""
    # Two workers that measured at the same time keep their reports one after the other.
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    kept = []
    for period, result in found:
        before = latest(tenant, period.key)
        report = before if before and before.computed_at.date() == now.date() else TrafficReport(tenant=tenant)
        is_new = period.until <= now and (before is None or before.computed_at < period.until)
        report.period, report.since, report.until = period.key, period.since, period.until
        report.result, report.computed_at = result, now
        report.save()
        kept.append(report)
        if is_new and period.key != quarter_of(now).name and result["drawn"]:
            _tell(tenant, period, now)
    return kept


def leads(tenant: Tenant) -> list[User]:
    """Who runs the tenant, by name or through a group."""
    wanted = {"permission__codename": "lead_tenant", "content_object": tenant}
    by_name = TenantUserPermission.objects.filter(**wanted).values("user")
    by_group = TenantGroupPermission.objects.filter(**wanted).values("group")
    return list(User.objects.filter(Q(pk__in=by_name) | Q(groups__in=by_group), is_active=True).distinct())


def _tell(tenant: Tenant, period: Period, now: datetime) -> None:
    """Step: on record, and an e-mail to those who run the tenant."""
    to = [person.email for person in leads(tenant)]
    if to:
        addresses = [
            f"{words}\n{settings.HITL_URL}{reverse(name, args=[tenant.slug])}?period={period.key}"
            for words, name in (("What each signal should count for:", "signal_weights"),
                                ("How the budget should be spent:", "sampling_yield"))
        ]  # fmt: skip
        messages.email(
            to=to,
            subject=f"{tenant.name}: {period.name.lower()} is over, and measured",
            body="\n\n".join(
                [
                    f"People's labels say how well the signals of {tenant.name} point at failures, and what each part "
                    "of the sample found. Once a quarter that is worth a look: take what is proposed, or leave it.",
                    *addresses,
                ]
            ),
            key=f"traffic:{tenant.pk}",
            tenant_id=tenant.pk,
        )
    log.append(
        actor=None,
        action="traffic.proposed",
        subject=f"tenant:{tenant.pk}",
        tenant_id=tenant.pk,
        detail={"quarter": period.key, "told": len(to)},
        actor_name="hitl",
    )


def _start(tenant: Tenant, by: User | None) -> tuple[Job, bool]:
    title = f"Measuring what labels say of the traffic of {tenant.name}"
    return progress.start_once(kind=_kind(tenant), title=title, user=by, task=TASK, args=[tenant.pk])


def _kind(tenant: Tenant) -> str:
    return f"traffic:{tenant.pk}"
