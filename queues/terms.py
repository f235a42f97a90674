"""Reads what a tenant's cases are measured by at this moment, once for however many of them."""

from typing import Final

from django.db.models import Prefetch, QuerySet

from hitl.models import Tenant, User
from queues.calendars import BusinessCalendar
from queues.judging import JudgeFirst
from queues.models import AssessmentRevision, Calendar, Queue, RouteQuality, RoutingRule
from queues.risk import Risk
from queues.routing import Rule, rulebook
from queues.sla import Sla, Unit
from queues.triggers import DEFAULTS, AssessmentSettings
from queues.weighing import QueueTerms, Terms

# Of fewer decisions than this a share says little.
FEWEST_DECIDED: Final = 20


def of(tenant: Tenant) -> Terms:
    """The terms as they stand now."""
    revision = AssessmentRevision.objects.filter(tenant=tenant).order_by("-number").first()
    stored = list(_in_force().select_related("queue__calendar"))
    rules = [as_value(rule) for rule in stored]
    queues = {rule.queue_id: rule.queue for rule in stored}
    routes = RouteQuality.objects.filter(tenant=tenant, decided__gte=FEWEST_DECIDED)
    return Terms(
        tenant=tenant.slug,
        revision=revision.number if revision else None,
        settings=AssessmentSettings.from_json(revision.settings) if revision else DEFAULTS,
        quality={(route.domain, route.topic): route.accepted / route.decided for route in routes},
        rules=rulebook(rules),
        queues={pk: queue_terms(queue) for pk, queue in queues.items()},
        languages=_spoken() | {tag for rule in rules for tag in rule.languages},
    )


def languages() -> frozenset[str]:
    """The languages alone: those that rules or people here take."""
    in_rules = RoutingRule.objects.filter(is_active=True, queue__is_active=True).values_list("languages", flat=True)
    return _spoken() | {tag for tags in in_rules for tag in tags}


def _spoken() -> frozenset[str]:
    said = User.objects.filter(is_active=True).values_list("languages", flat=True)
    return frozenset(tag for tags in said for tag in tags)


def rules_in_force() -> list[Rule]:
    """The active rules of active queues, as values."""
    return [as_value(rule) for rule in _in_force()]


def _in_force() -> QuerySet[RoutingRule]:
    active = RoutingRule.objects.filter(is_active=True, queue__is_active=True)
    return active.select_related("queue").prefetch_related(Prefetch("tenants", Tenant.objects.only("slug")))


def as_value(rule: RoutingRule) -> Rule:
    return Rule(
        id=rule.pk,
        name=rule.name,
        queue_id=rule.queue_id,
        queue_name=rule.queue.name,
        position=rule.position,
        domains=frozenset(rule.domains),
        languages=frozenset(rule.languages),
        tenants=frozenset(tenant.slug for tenant in rule.tenants.all()),
        min_risk=None if rule.min_risk is None else Risk(rule.min_risk),
        max_risk=None if rule.max_risk is None else Risk(rule.max_risk),
        due_within_minutes=rule.due_within_minutes,
        triggers=frozenset(rule.triggers),
        topics=frozenset(rule.topics),
        authority=rule.authority,
    )


def queue_terms(queue: Queue) -> QueueTerms:
    return QueueTerms(
        Sla(Unit(queue.sla), queue.sla_amount),
        None if queue.calendar is None else calendar(queue.calendar),
        JudgeFirst(queue.judge_first, queue.judge_sure) if queue.judge_first else None,
    )


def calendar(stored: Calendar) -> BusinessCalendar:
    return BusinessCalendar.from_json(
        {
            "name": stored.name,
            "time_zone": stored.time_zone,
            "hours": stored.hours,
            "country": stored.country,
            "subdivision": stored.subdivision,
            "extra_holidays": [day.isoformat() for day in stored.extra_holidays],
        }
    )
