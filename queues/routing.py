"""Which queue a case goes to, under whose authority, and why. The order is explicit, and so is every refusal.

Rules are tried from the most specific to the least (the number of conditions that are filled in), then by position,
then by id; the first that fits takes the case. An empty condition takes anything. The rule, never the producer, says
which authority a case needs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from queues.languages import UnknownLanguage, chain, name, normalise
from queues.risk import Risk
from queues.triggers import Trigger

STORED_REFUSALS: Final = 6


@dataclass(frozen=True, slots=True)
class Rule:
    """One routing rule. `due_within_minutes` holds for a case whose producer wants it decided within that time."""

    id: int
    name: str
    queue_id: int
    queue_name: str
    position: int = 100
    domains: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    tenants: frozenset[str] = frozenset()
    min_risk: Risk | None = None
    max_risk: Risk | None = None
    due_within_minutes: int | None = None
    triggers: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    authority: str = ""

    @property
    def specificity(self) -> int:
        """How many conditions are filled in; a lowest and a highest risk are two."""
        lists = (self.domains, self.languages, self.tenants, self.triggers, self.topics)
        values = (self.min_risk, self.max_risk, self.due_within_minutes)
        return sum(map(bool, lists)) + sum(value is not None for value in values)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a case is routed by. `due_in_minutes` is the producer's deadline, below 0 when past; None when none."""

    tenant: str
    domain: str = ""
    language: str = ""
    risk: Risk = Risk.MEDIUM
    topic: str = ""
    triggers: frozenset[str] = frozenset()
    due_in_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A rule that was tried first and did not fit: the first condition that failed, and what it asks for."""

    rule: str
    condition: str
    words: str


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a case goes. Without a rule it goes nowhere, and waits in the unrouted tray."""

    rule: Rule | None
    authority: str
    matched: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]

    def to_json(self, most: int = STORED_REFUSALS) -> dict[str, Any]:
        """What is stored on the case, so that the reason stays true after the rules change; `most` keeps it short.

        The case's people and its producer read it: a rule for other tenants' cases alone is no business of theirs.
        """
        tried = [passed for passed in self.passed_over if passed.condition != "tenant"]
        return {
            "rule": None if self.rule is None else {"id": self.rule.id, "name": self.rule.name},
            "queue": None if self.rule is None else {"id": self.rule.queue_id, "name": self.rule.queue_name},
            "authority": self.authority,
            "matched": list(self.matched),
            "passed_over": [[passed.rule, passed.words] for passed in tried[:most]],
            "passed_over_in_all": len(tried),
        }

    def explain(self) -> list[str]:
        """The same as sentences for a screen, with every rule that was tried."""
        return sentences(self.to_json(most=len(self.passed_over)))


@dataclass(frozen=True, slots=True)
class Move:
    """A case that other rules would put elsewhere, or under another authority; names are "" for the unrouted tray."""

    ref: object
    from_queue: str
    to_queue: str
    from_authority: str
    to_authority: str


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    domains: frozenset[str]
    topics: frozenset[str]
    languages: frozenset[str]
    lowest: int
    highest: int
    matched: tuple[str, ...]
    refusals: Mapping[str, PassedOver]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Rules in the order they are tried, ready to match ten thousand cases."""

    _rules: tuple[_Compiled, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(compiled.rule for compiled in self._rules)


def rulebook(rules: Iterable[Rule]) -> Rulebook:
    """Put rules into the order they are tried."""
    ordered = sorted(rules, key=lambda rule: (-rule.specificity, rule.position, rule.id))
    return Rulebook(tuple(_compile(rule) for rule in ordered))


def route(facts: Facts, rules: Rulebook | Iterable[Rule]) -> Routed:
    """The first rule that fits, with the rules that were tried before it. Compile the rules once for many cases."""
    book = rules if isinstance(rules, Rulebook) else rulebook(rules)
    tenant, domain, topic, risk, due = (
        facts.tenant,
        fold(facts.domain),
        fold(facts.topic),
        facts.risk,
        facts.due_in_minutes,
    )
    languages, triggers = chain(facts.language), facts.triggers
    passed: list[PassedOver] = []
    for compiled in book._rules:
        rule = compiled.rule
        if rule.tenants and tenant not in rule.tenants:
            failed = "tenant"
        elif compiled.domains and domain not in compiled.domains:
            failed = "domain"
        elif compiled.languages and compiled.languages.isdisjoint(languages):
            failed = "language"
        elif not compiled.lowest <= risk <= compiled.highest:
            failed = "risk"
        elif rule.triggers and rule.triggers.isdisjoint(triggers):
            failed = "trigger"
        elif compiled.topics and topic not in compiled.topics:
            failed = "topic"
        elif rule.due_within_minutes is not None and (due is None or due > rule.due_within_minutes):
            failed = "deadline"
        else:
            matched = (f"tenant {tenant}", *compiled.matched[1:]) if rule.tenants else compiled.matched
            return Routed(rule, rule.authority, matched, tuple(passed))
        passed.append(compiled.refusals[failed])
    return Routed(None, "", (), tuple(passed))


def moves(cases: Iterable[tuple[object, Facts]], old: Iterable[Rule], new: Iterable[Rule]) -> list[Move]:
    """What changing the rules would move: the cases whose queue or authority would be another, in their order."""
    before, after = rulebook(old), rulebook(new)
    moved = []
    for ref, facts in cases:
        was, becomes = route(facts, before), route(facts, after)
        was_queue = None if was.rule is None else was.rule.queue_id
        new_queue = None if becomes.rule is None else becomes.rule.queue_id
        if was_queue != new_queue or was.authority != becomes.authority:
            moved.append(
                Move(
                    ref,
                    was.rule.queue_name if was.rule else "",
                    becomes.rule.queue_name if becomes.rule else "",
                    was.authority,
                    becomes.authority,
                )
            )
    return moved


def sentences(stored: Mapping[str, Any]) -> list[str]:
    """What `Routed.to_json` stored, as sentences; nothing for a case that was never routed."""
    if not stored:
        return []
    if chooser := stored.get("chosen_by"):
        queue = stored["queue"]["name"]
        sent = (
            "The sampling plan sends its cases"
            if chooser == "plan"
            else "A lead took it out of the traffic and sent it"
        )
        return [f"{sent} to {queue}; the rules were not asked."]
    if stored.get("by_hand"):
        told = [f"No rule takes this case; a lead sent it to {stored['queue']['name']} by hand."]
        if stored["authority"]:
            told.append(f"The lead asked for a person with the authority {stored['authority']}.")
    elif stored["rule"] is None:
        told = ["No rule takes this case, so it waits unrouted until a rule does or a lead sends it on."]
    else:
        why = _listed(stored["matched"])
        reason = f"because it is a case with {why}" if why else "which takes every case"
        told = [f"The rule “{stored['rule']['name']}” sent it to {stored['queue']['name']}, {reason}."]
        if stored["authority"]:
            told.append(f"The rule asks for a person with the authority {stored['authority']}.")
    told += [f"“{rule}” was tried first, but takes only {words}." for rule, words in stored["passed_over"]]
    more = stored["passed_over_in_all"] - len(stored["passed_over"])
    if more > 0:
        told.append(f"{more} more {'rule was' if more == 1 else 'rules were'} tried before and did not fit.")
    return told


@lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """A domain or topic as it is compared: capitals and outer spaces don't matter."""
    return word.strip().casefold()


def _compile(rule: Rule) -> _Compiled:
    words: dict[str, str] = {}
    if rule.tenants:
        words["tenant"] = f"tenant {_alternatives(rule.tenants)}"
    if rule.domains:
        words["domain"] = f"domain {_alternatives(rule.domains)}"
    if rule.languages:
        words["language"] = f"language {_alternatives(name(_tidy(tag)) for tag in rule.languages)}"
    lowest, highest = rule.min_risk or Risk.LOW, rule.max_risk or Risk.CRITICAL
    if rule.min_risk is not None or rule.max_risk is not None:
        words["risk"] = _risk_words(rule.min_risk, rule.max_risk)
    if rule.triggers:
        words["trigger"] = f"trigger {_alternatives(_TRIGGERS.get(key, key) for key in rule.triggers)}"
    if rule.topics:
        words["topic"] = f"topic {_alternatives(rule.topics)}"
    if rule.due_within_minutes is not None:
        words["deadline"] = f"a deadline within {rule.due_within_minutes} min"
    return _Compiled(
        rule=rule,
        domains=frozenset(map(fold, rule.domains)),
        topics=frozenset(map(fold, rule.topics)),
        languages=frozenset(map(_tidy, rule.languages)),
        lowest=int(lowest),
        highest=int(highest),
        matched=tuple(words.values()),
        refusals={condition: PassedOver(rule.name, condition, asks) for condition, asks in words.items()},
    )


def _tidy(tag: str) -> str:
    try:
        return normalise(tag)
    except UnknownLanguage:
        return tag


def _risk_words(lowest: Risk | None, highest: Risk | None) -> str:
    if lowest is not None and lowest == highest:
        return f"risk {_RISKS[lowest]}"
    if lowest is not None and highest is not None:
        return f"risk {_RISKS[lowest]} to {_RISKS[highest]}"
    return (
        f"risk {_RISKS[lowest]} or higher"
        if lowest is not None
        else f"risk {_RISKS[highest or Risk.CRITICAL]} or lower"
    )


def _alternatives(words: Iterable[str]) -> str:
    ordered = sorted(words)
    return ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} or {ordered[-1]}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


_RISKS: Final[dict[Risk, str]] = {risk: str(risk.label).lower() for risk in Risk}
_TRIGGERS: Final[dict[str, str]] = {trigger.value: str(trigger.label).lower() for trigger in Trigger}
