"""Makes cases of traces: what the sampler picked, and what a lead sent to a queue by hand.

A case is a copy, since the trace expires. Nobody waits for it: it has no deadline, and its outcome is told to nobody.
And a person decides it, however sure a judge is: estimates and the judges' own measures stand on people's words.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from hitl.models import Tenant
from queues import languages, placing, terms
from queues.intake import judge_verdicts, receipts
from queues.lanes import LaneKey
from queues.models import Case, DriftReport, Queue, Sampled, SamplingRun, Trace
from queues.priority import priority
from queues.risk import Risk
from queues.triggers import Assessment, Outcome, Trigger
from queues.weighing import Answer, Facts, Weigher

RECEIPT: Final = "case"
LONGEST_ID: Final = 200
# Says nothing of why it was picked: whoever decides it is to see the answer, not what others thought of it.
REASON: Final = "It was taken out of the traffic to be looked at. Nobody waits for an answer."
# What is sooner than others in its lane, of cases of the same risk: in steps of queues.priority.
AHEAD: Final = {Sampled.Policy.BY_HAND: 60, Sampled.Policy.DRIFT: 60, Sampled.Policy.UNCERTAIN: 2}
# What a trace's own text and domain say; how sure the application was is not known of a trace.
KNOWN_OF_TRACES: Final = frozenset((Trigger.HIGH_STAKES.value, Trigger.USER_ESCALATION.value))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A trace to make a case of: by which policy, with every policy that picked it and its probability.

    `probability`: that any policy picks it, over 0 and up to 1; None where a lead sent it. `queue`: past the rules.
    """

    trace: Trace
    policy: Sampled.Policy | str
    policies: Mapping[str, float]
    probability: float | None
    run: SamplingRun | None = None
    drift: DriftReport | None = None
    queue: Queue | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    risk: Risk
    language: str
    detected: bool
    queue_id: int | None
    authority: str
    routing: dict[str, Any]


def already(tenant: Tenant, traces: Sequence[UUID]) -> dict[UUID, int]:
    """Of these traces, the cases (ids) that they became before."""
    return dict(Sampled.objects.filter(tenant=tenant, trace_id__in=traces).values_list("trace_id", "case_id"))


def open_cases(wanted: Iterable[Wanted], *, tenant: Tenant, now: datetime) -> list[Case]:
    """A step: the new cases, in the order of `wanted`; a trace that is a case already is left out.

    Each is routed by the rules or put into the queue that is named; without any, it waits unrouted.
    """
    wanted = list(wanted)
    alone(tenant)
    known = already(tenant, [one.trace.id for one in wanted])
    fresh = list({one.trace.id: one for one in wanted if one.trace.id not in known}.values())
    if not fresh:
        return []
    weigher = Weigher(terms.of(tenant), now)
    placed = [_place(one, weigher) for one in fresh]
    named = _named(fresh, tenant, now)
    cases = Case.objects.bulk_create(
        [_case(one, where, *name, tenant, now) for one, where, name in zip(fresh, placed, named, strict=True)],
        batch_size=500,
    )
    Sampled.objects.bulk_create(
        [_sampled(one, case, now) for one, case in zip(fresh, cases, strict=True)], batch_size=500
    )
    _join_judges(cases, tenant)
    slots = [
        placing.SlotRow(case.pk, _lane(case, case.queue_id, one.policies), _priority(one, where.risk), None)
        for one, where, case in zip(fresh, placed, cases, strict=True)
        if case.queue_id is not None
    ]
    if slots:
        placing.open_slots(slots, now=now)
    return cases


def alone(tenant: Tenant) -> None:
    """A step: whoever samples the same tenant waits until this transaction ends, and then sees what it picked."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"sampling:{tenant.pk}"])


def _place(one: Wanted, weigher: Weigher) -> _Placed:
    trace, language, detected = one.trace, one.trace.language, False
    if not language:
        language = languages.detect(trace.input or trace.output, weigher.terms.languages) or ""
        detected = bool(language)
    answer = Answer(question=trace.input, draft=trace.output, domain=trace.domain, topic=trace.topic, language=language)
    _, found = weigher.judge(answer, sent=False)
    if one.queue:
        # The rules are not asked, nor is an authority that they would have named.
        chosen = "lead" if one.policy == Sampled.Policy.BY_HAND else "plan"
        routing = {"rule": None, "chosen_by": chosen, "queue": {"id": one.queue.pk, "name": one.queue.name}}
        return _Placed(found.risk, language, detected, one.queue.pk, "", routing)
    fired = frozenset(fired.key.value for fired in found.triggers) & KNOWN_OF_TRACES
    where = weigher.place(Facts(trace.domain, trace.topic, language, found.risk, fired, None, None))
    routed = where.routed
    return _Placed(found.risk, language, detected, where.queue_id, routed.authority, routed.to_json())


def _named(fresh: Sequence[Wanted], tenant: Tenant, now: datetime) -> list[tuple[int, str]]:
    """The number and the name of each new case, with a receipt: a producer that sends a case of that name hears of it,
    and where one has sent one before, the case goes by its trace's number.
    """
    with connection.cursor() as cursor:
        cursor.execute("select nextval('queues_case_id_seq') from generate_series(1, %s)", [len(fresh)])
        ids = [pk for (pk,) in cursor.fetchall()]
    digests = [hashlib.sha256(one.trace.id.bytes).digest() for one in fresh]
    named = {pk: (_name(one.trace), digest) for pk, one, digest in zip(ids, fresh, digests, strict=True)}
    ours = receipts.take(named, kind=RECEIPT, tenant=tenant, now=now)
    clash = {pk: (f"trace:{one.trace.id}", named[pk][1]) for pk, one in zip(ids, fresh, strict=True) if pk not in ours}
    if clash:
        receipts.take(clash, kind=RECEIPT, tenant=tenant, now=now)
    return [(pk, {**named, **clash}[pk][0]) for pk in ids]


def _name(trace: Trace) -> str:
    name = f"trace:{trace.external_id}"
    return name if len(name) <= LONGEST_ID else f"trace:{trace.id}"


def _case(one: Wanted, where: _Placed, pk: int, name: str, tenant: Tenant, now: datetime) -> Case:
    trace = one.trace
    assessed = Assessment(Outcome.HUMAN, (), REASON, where.risk)
    return Case(
        pk=pk,
        tenant=tenant,
        external_id=name,
        origin=Case.Origin.SAMPLING,
        domain=trace.domain,
        language=where.language,
        language_detected=where.detected,
        risk=where.risk,
        topic=trace.topic,
        question=trace.input,
        draft=trace.output,
        conversation=trace.conversation,
        evidence=trace.documents,
        tool_results=trace.tools,
        assessment=assessed.to_json(),
        trace_id=trace.external_id,
        user_key=trace.user_key,
        model=trace.model,
        prompt_version=trace.prompt_version,
        release=trace.release,
        queue_id=where.queue_id,
        authority=where.authority,
        routing=where.routing,
        received_at=now,
    )


def _sampled(one: Wanted, case: Case, now: datetime) -> Sampled:
    trace = one.trace
    return Sampled(
        case=case,
        tenant_id=case.tenant_id,
        run=one.run,
        drift=one.drift,
        trace_id=trace.id,
        trace_at=trace.at,
        policy=str(one.policy),
        policies=dict(one.policies),
        probability=one.probability,
        topic=trace.topic,
        release=trace.release,
        prompt_version=trace.prompt_version,
        user_key=trace.user_key,
        at=now,
    )


def _lane(case: Case, queue_id: int, policies: Mapping[str, float]) -> LaneKey:
    return placing.lane_of(
        queue_id=queue_id,
        tenant_id=case.tenant_id,
        language=case.language,
        authority=case.authority,
        stream=placing.stream_of(policies),
    )


def _priority(one: Wanted, risk: Risk) -> int:
    """As other cases of its lane; then what was reported or sent by hand, edits, complaints, the unsure, the rest."""
    trace = one.trace
    mood = min(trace.weight, -1.0) if trace.is_negative else trace.weight
    sooner = AHEAD.get(Sampled.Policy(one.policy), 0)
    return max(0, priority(risk=risk, signal_weight=mood, user_edited=trace.is_edited) - sooner)


def _join_judges(cases: Sequence[Case], tenant: Tenant) -> None:
    """A step: what judges said of these traces belongs to their cases, to be measured against what people decide."""
    traces = {case.trace_id: case.pk for case in cases if case.trace_id}
    if waiting := judge_verdicts.waiting_for(tenant, {}, traces):
        judge_verdicts.join([(word.id, case) for case, words in waiting.items() for word in words])
