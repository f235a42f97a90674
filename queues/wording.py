"""Rules and deadlines in the words that a lead reads; nothing of queues and tenants that are not theirs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hitl.access import doors as access
from hitl.models import Tenant, User
from queues import doors, terms
from queues.languages import name
from queues.models import RoutingRule
from queues.risk import Risk
from queues.routing import Rule, sentences
from queues.triggers import Trigger

ELSEWHERE: Final = "a queue that you do not run"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as it stands in a list: its place in the order (None while paused), and what it takes."""

    rule: RoutingRule
    place: int | None
    conditions: list[str]
    specificity: int
    may_change: bool


def rule_rows(rules: Iterable[RoutingRule], ordered: Sequence[Rule], user: User) -> list[RuleRow]:
    """These rules (with queue and tenants loaded) in the order they are tried, paused ones last."""
    places = {rule.id: place for place, rule in enumerate(ordered, 1)}
    mine = set(access.tenants(user))
    everybody = len(mine) == Tenant.objects.count()
    rows = []
    for rule in rules:
        tenants = set(rule.tenants.all())
        words = conditions(rule, [tenant for tenant in tenants if tenant in mine], len(tenants - mine))
        may = tenants <= mine if tenants else everybody
        rows.append(RuleRow(rule, places.get(rule.pk), words, terms.as_value(rule).specificity, may))
    return sorted(rows, key=lambda row: (row.place is None, row.place, row.rule.name))


def conditions(rule: RoutingRule, tenants: Sequence[Tenant], strangers: int = 0) -> list[str]:
    """What the rule takes, a phrase for each condition; none for a rule that takes everything."""
    found = []
    if tenants or strangers:
        others = [f"{strangers} more"] if strangers else []
        found.append(f"tenant {_any([*sorted(map(str, tenants)), *others])}")
    if rule.domains:
        found.append(f"domain {_any(rule.domains)}")
    if rule.topics:
        found.append(f"topic {_any(rule.topics)}")
    if rule.languages:
        found.append(f"language {_any([name(tag) for tag in rule.languages])}")
    if rule.min_risk is not None or rule.max_risk is not None:
        low, high = Risk(rule.min_risk or Risk.LOW), Risk(rule.max_risk or Risk.CRITICAL)
        lowest, highest = low.label.lower(), high.label.lower()
        found.append(f"risk {lowest}" if low == high else f"risk {lowest} to {highest}")
    if rule.triggers:
        labels = dict(Trigger.choices)
        found.append(f"trigger {_any([str(labels.get(key, key)).lower() for key in rule.triggers])}")
    if rule.due_within_minutes is not None:
        found.append(f"deadline within {rule.due_within_minutes} min")
    return found


def masked(rules: Iterable[Rule], user: User) -> list[Rule]:
    """The rules, without the words of those that the person has no business with: they keep what they do."""
    led = set(doors.queues(user, *doors.LEADS).values_list("pk", flat=True))
    return [rule if rule.queue_id in led else replace(rule, name="", queue_name=ELSEWHERE) for rule in rules]


def rule_names(user: User) -> frozenset[str]:
    """The names of the rules that the person may read of."""
    return frozenset(doors.rules(user).values_list("name", flat=True))


def why(stored: Mapping[str, Any], known: frozenset[str]) -> list[str]:
    """Why a case went where it went, as it was stored then; rules of other people's queues are counted, not named."""
    if not stored:
        return []
    tried = [passed for passed in stored.get("passed_over", ()) if passed[0] in known]
    return sentences({**stored, "passed_over": tried})


def _any(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
