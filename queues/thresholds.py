"""A tenant's thresholds: the next revision of them, and what it would have done to past cases."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from hitl.audit import log
from hitl.models import Tenant, User
from hitl.statistics import Interval, wilson
from queues import terms
from queues.models import AssessmentRevision, Case
from queues.risk import Risk
from queues.triggers import DEFAULTS, AssessmentSettings, Outcome, Trigger
from queues.weighing import Answer, Weigher

TRIED: Final = 2_000
LOOKED_BACK: Final = timedelta(days=90)
DECIDED_MOST: Final = 10_000


class Overtaken(Exception):
    """Somebody saved a revision after the one that this change began with."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How many past cases a thing holds for now, and would with the new settings."""

    words: str
    now: int
    then: int

    @property
    def by(self) -> int:
        return self.then - self.now


@dataclass(frozen=True, slots=True)
class Trial:
    """`tried` past cases weighed by both settings, as if their application had only asked."""

    tried: int
    outcomes: list[Shift]
    triggers: list[Shift]

    @property
    def tables(self) -> list[tuple[str, list[Shift]]]:
        return [("What becomes of it", self.outcomes), ("Trigger", self.triggers)]


@dataclass(frozen=True, slots=True)
class Changed:
    """Of `decided` cases that a trigger sent to people, in how many the outcome was another than the draft."""

    words: str
    sentence: str
    decided: int
    changed: int
    share: Interval | None


def current(tenant: Tenant) -> tuple[int, AssessmentSettings]:
    """The revision in force and its settings; 0 where the defaults hold."""
    newest = AssessmentRevision.objects.filter(tenant=tenant).order_by("-number").first()
    return (newest.number, AssessmentSettings.from_json(newest.settings)) if newest else (0, DEFAULTS)


@transaction.atomic
def save(
    *, tenant: Tenant, settings: AssessmentSettings, note: str, by: User | None, after: int, actor_name: str = ""
) -> AssessmentRevision:
    """The next revision; cases that come in from now on are measured by it. Raises Overtaken.

    `by` is None for a configuration file; `actor_name` says so on the record.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    number, _ = current(tenant)
    if number != after:
        raise Overtaken
    revision = AssessmentRevision.objects.create(
        tenant=tenant, number=number + 1, settings=settings.to_json(), note=note, created_by=by
    )
    log.append(
        actor=by, action="assessment.changed", subject=f"tenant:{tenant.pk}", tenant_id=tenant.pk,
        detail={"revision": revision.number}, actor_name=actor_name,
    )  # fmt: skip
    return revision


def try_on_past(*, tenant: Tenant, settings: AssessmentSettings, now: datetime) -> Trial:
    """Weighs the last TRIED escalations again, by the settings in force and by these."""
    standing = terms.of(tenant)
    weighers = (Weigher(standing, now), Weigher(replace(standing, settings=settings), now))
    outcomes: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    fired: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    past = (
        Case.objects.filter(tenant=tenant, origin=Case.Origin.ESCALATION)
        .only("question", "domain", "topic", "risk", "evidence", "tool_results", "assessment")
        .order_by("-pk")[:TRIED]
    )
    tried = 0
    for case in past.iterator(chunk_size=500):
        answer, tried = as_answer(case), tried + 1
        for place, weigher in enumerate(weighers):
            _, found = weigher.judge(answer, sent=False)
            outcomes[place][found.outcome] += 1
            fired[place].update(one.key for one in found.triggers)
    return Trial(
        tried,
        [Shift(str(one.label), outcomes[0][one], outcomes[1][one]) for one in Outcome],
        [Shift(str(one.label), fired[0][one], fired[1][one]) for one in Trigger],
    )


def as_answer(case: Case) -> Answer:
    """A case as its application described the answer."""
    sent: Mapping[str, Any] = case.assessment.get("sent", {})
    judges = sent.get("judges", ())
    return Answer(
        question=case.question,
        domain=case.domain,
        topic=case.topic,
        risk=_risk(sent["risk_level"]) if "risk_level" in sent else Risk(case.risk),
        signals=sent.get("signals", {}),
        evidence=case.evidence,
        tool_results=case.tool_results,
        judges=tuple((judge["name"], score) for judge in judges if (score := judge.get("score")) is not None),
        user_requested_human=sent.get("user_requested_human", False),
        user_rating=sent.get("user_rating"),
        policy_flags=tuple(sent.get("policy_flags", ())),
        tool=sent.get("tool", ""),
        tool_risk=_risk(sent.get("tool_risk")),
    )


def what_people_changed(tenant: Tenant, now: datetime) -> tuple[int, list[Changed]]:
    """The last decided escalations (how many they are), and by trigger how often people changed the outcome."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {"tenant": tenant.pk, "since": now - LOOKED_BACK, "most": DECIDED_MOST})
        counts = {trigger: (decided, changed) for trigger, decided, changed in cursor.fetchall()}
    rows = []
    for trigger in Trigger:
        decided, changed = counts.get(trigger.value, (0, 0))
        rows.append(Changed(str(trigger.label), trigger.sentence, decided, changed, wilson(changed, decided)))
    decided, changed = counts.get("", (0, 0))
    asked = "The application asked for a person, and nothing else did."
    rows.append(Changed("None of these", asked, decided, changed, wilson(changed, decided)))
    return counts.get("all", (0, 0))[0], rows


def _risk(word: str | None) -> Risk | None:
    return None if word is None else Risk[word.upper()]


_CHANGED: Final = """
with told as (
  select decided.triggers, outcome.verdict <> 'accept' as changed
  from queues_outcome outcome join queues_case decided on decided.id = outcome.case_id
  where decided.tenant_id = %(tenant)s and decided.origin = 'escalation' and outcome.decided_at >= %(since)s
    and outcome.judge = ''
  order by outcome.decided_at desc limit %(most)s
)
select 'all', count(*), count(*) filter (where changed) from told
union all
select '', count(*), count(*) filter (where changed) from told where triggers = '{}'
union all
select one.trigger, count(*), count(*) filter (where changed)
from told cross join lateral unnest(told.triggers) as one (trigger) group by one.trigger
"""
