"""Stores the family of judges: each speaks once of a case (by version, prompt and position)."""

from collections.abc import Mapping
from datetime import datetime

from hitl.models import Tenant
from queues.intake import cleaning, judge_verdicts
from queues.intake.families.judge import JudgeSignal
from queues.intake.judge_verdicts import Clash, Spoken
from queues.judging import Said
from queues.masks import vault


def store(signals: Mapping[int, JudgeSignal], *, tenant: Tenant, now: datetime) -> list[Clash]:
    """A step: these signals by their number in the database, but those of judges who have spoken of that answer."""
    about = judge_verdicts.targets(tenant, [_about(signal, tenant) for signal in signals.values()])
    spoken = [
        Spoken(number, target, _said(signal, tenant), signal.at or now)
        for (number, signal), target in zip(signals.items(), about, strict=True)
    ]
    vault.keep(tenant=tenant, stored=spoken, now=now)
    return judge_verdicts.add(spoken, tenant=tenant, now=now)


def _about(signal: JudgeSignal, tenant: Tenant) -> tuple[str, str]:
    trace = cleaning.clean_name(signal.trace_id, tenant)[:200] if tenant.scrubs else signal.trace_id
    return signal.case_id, trace


def _said(signal: JudgeSignal, tenant: Tenant) -> Said:
    def clean(name: str, longest: int) -> str:
        return cleaning.clean_name(name, tenant)[:longest] if tenant.scrubs and name else name

    return Said(
        judge=clean(signal.judge, 120),
        version=clean(signal.version, 120),
        prompt=clean(signal.prompt, 120),
        position=clean(signal.position, 20),
        verdict=judge_verdicts.VERDICTS[signal.verdict] if signal.verdict else "",
        score=signal.score,
        confidence=signal.confidence,
        categories=tuple(clean(key, 60) for key in signal.categories),
    )
