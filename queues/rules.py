"""Routing rules as leads change them, and what a change would do. Saving one moves no case that is in a queue."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import transaction

from hitl.access import doors as access
from hitl.audit import log
from hitl.models import Tenant, User
from queues import routing, terms, wording
from queues.models import Case, Queue, RoutingRule
from queues.risk import Risk
from queues.routing import Rule

MOST_TRIED: Final = 10_000
# A rule that is not saved yet comes after all others that are as specific and have its position.
NOT_SAVED: Final = 2**62


@dataclass(frozen=True, slots=True)
class Moved:
    """That many waiting cases would go elsewhere, or under another authority, if they came in now."""

    count: int
    from_queue: str
    to_queue: str
    from_authority: str
    to_authority: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a change would move, the most first, of `tried` waiting cases; `cut` says that there are more."""

    moved: list[Moved]
    tried: int
    cut: bool


@transaction.atomic
def save(
    *,
    by: User | None,
    rule: RoutingRule | None,
    fields: Mapping[str, Any],
    tenants: Iterable[Tenant],
    actor_name: str = "",
) -> RoutingRule:
    """Makes a rule, or changes one. Cases that come in from now on, and those routed again, go by it."""
    tenants = list(tenants)
    if rule is None:
        rule, action, changed = RoutingRule.objects.create(**fields), "rule.created", sorted(fields)
    else:
        rule = RoutingRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
        action, changed = "rule.changed", [name for name, value in fields.items() if getattr(rule, name) != value]
        if {one.pk for one in rule.tenants.all()} != {one.pk for one in tenants}:
            changed.append("tenants")
        for name, value in fields.items():
            setattr(rule, name, value)
        rule.save()
    rule.tenants.set(tenants)
    if changed:
        log.append(
            actor=by, action=action, subject=f"rule:{rule.pk}", tenant_id=None, queue_id=rule.queue_id,
            detail={"fields": changed, "is_active": rule.is_active}, actor_name=actor_name,
        )  # fmt: skip
    return rule


def as_tried(rule_id: int | None, queue: Queue, fields: Mapping[str, Any], tenants: Iterable[Tenant]) -> Rule | None:
    """The rule as it would be with these fields; None where it would send nothing on."""
    if not (fields["is_active"] and queue.is_active):
        return None
    lowest, highest = fields["min_risk"], fields["max_risk"]
    return Rule(
        id=rule_id or NOT_SAVED,
        name=fields["name"],
        queue_id=queue.pk,
        queue_name=queue.name,
        position=fields["position"],
        domains=frozenset(fields["domains"]),
        languages=frozenset(fields["languages"]),
        tenants=frozenset(tenant.slug for tenant in tenants),
        min_risk=None if lowest is None else Risk(lowest),
        max_risk=None if highest is None else Risk(highest),
        due_within_minutes=fields["due_within_minutes"],
        triggers=frozenset(fields["triggers"]),
        topics=frozenset(fields["topics"]),
        authority=fields["authority"],
    )


def would_move(*, user: User, rule_id: int | None, becomes: Rule | None) -> Trial:
    """What the waiting cases of the person's tenants would do by the changed rules, were they to come in now."""
    waiting = (
        Case.objects.filter(tenant__in=access.tenants(user), state=Case.State.WAITING)
        .order_by("-pk")
        .values_list(
            "pk", "tenant__slug", "domain", "language", "risk", "topic", "triggers", "producer_deadline", "received_at"
        )[: MOST_TRIED + 1]
    )
    cases = [
        (pk, routing.Facts(tenant, domain, language, Risk(risk), topic, frozenset(fired), _asked(deadline, received)))
        for pk, tenant, domain, language, risk, topic, fired, deadline, received in waiting
    ]
    cut, cases = len(cases) > MOST_TRIED, cases[:MOST_TRIED]
    old = wording.masked(terms.rules_in_force(), user)
    new = [rule for rule in old if rule.id != rule_id] + ([becomes] if becomes else [])
    counted = Counter(replace(move, ref=None) for move in routing.moves(cases, old, new))
    moved = [
        Moved(count, move.from_queue, move.to_queue, move.from_authority, move.to_authority)
        for move, count in counted.most_common()
    ]
    return Trial(moved, len(cases), cut)


def _asked(deadline: Any, received: Any) -> float | None:
    return None if deadline is None else (deadline - received).total_seconds() / 60
