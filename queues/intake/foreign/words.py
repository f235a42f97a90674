"""Takes in what other tools say of answers: signals go to the signals' door, numbers and notes to the trace's.

A tool's own id names the score, which may be changed there. The same again is the same signal; a changed one is a
further one, since both were said. So an id with other content is never refused here, and never overwrites.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from hitl.models import Tenant
from queues.intake.cleaning import clean_name
from queues.intake.foreign import meaning
from queues.intake.foreign.meaning import AUTO, Kept, Word
from queues.intake.signals import signals
from queues.intake.span import SpanIn
from queues.intake.spans import spans
from queues.models import ScoreName

NAME_LONGEST: Final = 120
# Names are written by people into programs; who puts an id into them gets no row for each.
NAMES_MOST: Final = 500


def take(words: Sequence[Word], *, tenant: Tenant, now: datetime, tool: str, source: str) -> list[str]:
    """For each word, in their order, why it was not taken; empty where it was, whole. `source` names door and token."""
    faults = [""] * len(words)
    meanings = _meanings(words, tenant=tenant, now=now, tool=tool)
    rows: list[tuple[int, dict[str, Any]]] = []
    asides: list[tuple[int, SpanIn]] = []
    for place, word in enumerate(words):
        try:
            kept = meaning.read(word, meanings.get(word.name, AUTO))
        except meaning.Refused as refused:
            faults[place] = str(refused)
            continue
        rows += [(place, {**row, "signal_id": _name(word, row, tool)}) for row in kept.signals]
        if kept.scores or kept.notes:
            asides += [(place, span) for span in _asides(word, kept, now, tool)]
    if rows:
        received = signals([row for _, row in rows], tenant=tenant, now=now, source=source)
        for one in received.rejected:
            place, _ = rows[one.index]
            # Its name is made of its content: what differs is the time at which it was sent.
            if one.is_conflict:
                continue
            faults[place] = faults[place] or one.error
    if asides:
        taken = spans([span for _, span in asides], tenant=tenant, now=now, source=source)
        for index, error in taken.rejected:
            place = asides[index][0]
            faults[place] = faults[place] or error
    return faults


def _meanings(words: Sequence[Word], *, tenant: Tenant, now: datetime, tool: str) -> dict[str, str]:
    """What the names mean, as a lead said; those that are new are written down, so that a lead can say it."""
    given = {word.name for word in words if 0 < len(word.name) <= NAME_LONGEST and word.name.isprintable()}
    clean = {name: clean_name(name, tenant)[:NAME_LONGEST] if tenant.scrubs else name for name in given}
    names = sorted(set(clean.values()))
    known = dict(ScoreName.objects.filter(tenant=tenant, name__in=names).values_list("name", "meaning"))
    new = [name for name in names if name not in known]
    if new and ScoreName.objects.filter(tenant=tenant).count() + len(new) <= NAMES_MOST:
        ScoreName.objects.bulk_create(
            [ScoreName(tenant=tenant, name=name, tool=tool[:20], first_seen_at=now) for name in new],
            ignore_conflicts=True,
        )
    return {name: known.get(kept, AUTO) for name, kept in clean.items()}


def _name(word: Word, row: dict[str, Any], tool: str) -> str:
    """The signal's name: the same whenever the same is said under the same id."""
    said = {key: value for key, value in row.items() if key != "at" or not word.id}
    return f"{tool}:{_hash(word.id, word.span, word.name, json.dumps(said, sort_keys=True))}"


def _asides(word: Word, kept: Kept, now: datetime, tool: str) -> Iterator[SpanIn]:
    """What is kept on the trace, as steps beside what happened: its numbers, of which the latest of a name counts, and
    what was said in words, each in a step of its own.
    """
    at = word.at or now
    if kept.scores:
        scores = {name: {at.isoformat(): number} for name, number in kept.scores.items()}
        yield _step(word, at, _hash(tool, word.span, *sorted(scores)), {"scores": scores})
    if kept.notes:
        yield _step(
            word, at, _hash(tool, word.span, word.id, *kept.notes, *kept.notes.values()), {"metadata": kept.notes}
        )


def _step(word: Word, at: datetime, name: str, content: dict[str, Any]) -> SpanIn:
    return SpanIn(
        trace=word.trace,
        span=f"score:{name}",
        parent=word.span,
        kind="evaluator",
        name=word.name,
        started_at=at,
        content=content,
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
