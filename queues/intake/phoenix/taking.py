"""Takes annotations and notes in as Phoenix has them: by the span, which may come later than what is said of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from pydantic_core import from_json

from hitl.database import arrays
from hitl.models import Tenant
from queues.intake.foreign import words
from queues.intake.foreign.annotations import word
from queues.intake.foreign.meaning import Word
from queues.intake.phoenix.shapes import DOCUMENT, NOTE, TRACE, Entry
from queues.intake.span import SpanIn
from queues.intake.spans import spans
from queues.masks import vault
from queues.models import EarlyWord
from queues.scrubbing import scrubbed
from queues.traces.retention import WORDS_WAIT

TOOL: Final = "phoenix"
WAITING_MOST: Final = 50_000
# The one step beside what happened that holds notes and what was said of documents, in every trace.
ASIDE: Final = "phoenix:words"
_WAITING: Final = (
    "select id from queues_earlyword where tenant_id = %s and span_id = any(%s::text[]) order by id limit %s"
)


class Unknown(ValueError):
    """Spans that have not come; the message names them as Phoenix does."""


class Home(NamedTuple):
    """Where a span is: its trace by id and by the producer's name, and what it retrieved, in its order."""

    trace: UUID
    name: str
    documents: Sequence[Mapping[str, Any]]


def take(entries: Sequence[Entry], *, tenant: Tenant, now: datetime, source: str, waits: bool) -> list[str]:
    """For each entry, in order, why it was not taken; empty where it was. What is said of a span that has not come
    waits for it for some days; where it may not, Unknown is raised and nothing was taken.
    """
    homes = _homes(tenant, entries)
    early = [place for place, entry in enumerate(entries) if entry.kind != TRACE and entry.about not in homes]
    if early and not waits:
        missing = ", ".join(dict.fromkeys(entries[place].about for place in early))
        raise Unknown(f"Spans with IDs {missing[:2_000]} do not exist.")
    faults = [""] * len(entries)
    if early:
        fault = _keep([entries[place] for place in early], tenant=tenant, now=now)
        for place in early:
            faults[place] = fault
    known = [(place, entry, now) for place, entry in enumerate(entries) if place not in set(early)]
    for place, fault in _take(known, homes, tenant=tenant, now=now, source=source):
        faults[place] = fault
    if early:
        # A span may have come between the look for it and the word's being kept.
        catch_up([entries[place].about for place in early], tenant=tenant, now=now, source=source)
    return faults


def catch_up(span_ids: Iterable[str], *, tenant: Tenant, now: datetime, source: str) -> int:
    """Take in what waited for these spans, which have come; how many words."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [tenant.pk, arrays.texts(span_ids), WAITING_MOST])
        numbers = [number for (number,) in cursor.fetchall()]
    if not numbers:
        return 0
    waiting = list(EarlyWord.objects.filter(pk__in=numbers))
    entries = [(number, Entry(one.kind, one.span_id, one.word), one.at) for number, one in enumerate(waiting)]
    homes = _homes(tenant, [entry for _, entry, _ in entries])
    ready = [one for one in entries if one[1].about in homes]
    _take(ready, homes, tenant=tenant, now=now, source=source)
    # Afterwards: taken twice it is the same word, lost it would be none.
    EarlyWord.objects.filter(pk__in=[waiting[number].pk for number, _, _ in ready]).delete()
    return len(ready)


def _keep(entries: Sequence[Entry], *, tenant: Tenant, now: datetime) -> str:
    """Lets words wait; why not, where there are too many already."""
    EarlyWord.objects.filter(tenant=tenant, at__lt=now - WORDS_WAIT).delete()
    if EarlyWord.objects.filter(tenant=tenant).count() + len(entries) > WAITING_MOST:
        return f"Its span has not come, and {WAITING_MOST:,} annotations wait for spans already. Send it again later."
    clean = scrubbed([dict(entry.given) for entry in entries], tenant)
    with transaction.atomic():
        EarlyWord.objects.bulk_create(
            EarlyWord(tenant=tenant, span_id=entry.about[:64], kind=entry.kind, word=given, at=now)
            for entry, given in zip(entries, clean, strict=True)
        )
        vault.keep(tenant=tenant, stored=clean, now=now)
    return ""


def _homes(tenant: Tenant, entries: Sequence[Entry]) -> dict[str, Home]:
    names = sorted({entry.about for entry in entries if entry.kind != TRACE})
    if not names:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select span.span_id, trace.id, trace.external_id, span.content -> 'documents'"
            " from queues_span span join queues_trace trace on trace.id = span.trace_id"
            " where span.tenant_id = %s and span.span_id = any(%s::text[]) order by trace.id",
            [tenant.pk, arrays.texts(names)],
        )
        return {span: Home(id, name, from_json(found) if found else ()) for span, id, name, found in cursor.fetchall()}


def _take(
    entries: Sequence[tuple[int, Entry, datetime]],
    homes: Mapping[str, Home],
    *,
    tenant: Tenant,
    now: datetime,
    source: str,
) -> list[tuple[int, str]]:
    """Stores words on spans that are known, and on traces; the places of those that were not taken, and why."""
    faults: list[tuple[int, str]] = []
    said: list[tuple[int, Word]] = []
    asides: list[tuple[int, SpanIn]] = []
    for place, entry, at in entries:
        if entry.kind == NOTE:
            noted = {"notes": {at.isoformat(): entry.given["note"]}}
            asides.append((place, _aside(homes[entry.about], entry, at, noted)))
        elif entry.kind == DOCUMENT:
            home = homes[entry.about]
            position = entry.given["position"]
            if position >= len(home.documents):
                count = f"{len(home.documents)} documents" if home.documents else "no documents"
                faults.append((place, f"The span has {count}; there is none at position {position}."))
                continue
            asides.append((place, _of_document(home, entry, at)))
        else:
            about = entry.about
            made = _word(entry, at, trace=about if entry.kind == TRACE else homes[about].name)
            said.append((place, made))
    asides += _means(entries, homes)
    taken = spans([span for _, span in asides], tenant=tenant, now=now, source=source)
    faults += [(asides[index][0], error) for index, error in taken.rejected]
    heard = words.take([one for _, one in said], tenant=tenant, now=now, tool=TOOL, source=source) if said else []
    faults += [(place, fault) for (place, _), fault in zip(said, heard, strict=True) if fault]
    return faults


def _word(entry: Entry, at: datetime, trace: str) -> Word:
    given = {key: value for key, value in entry.given.items() if key not in ("name", "position")}
    made = word(entry.given["name"], about=entry.about, at=at, **given)
    return replace(made, trace=trace, span="" if entry.kind == TRACE else entry.about)


def _of_document(home: Home, entry: Entry, at: datetime) -> SpanIn:
    """What was said of a retrieved document stands in the trace's metadata, by the document's id."""
    given = entry.given
    said = {key: given[key] for key in ("label", "score", "explanation", "kind") if key in given}
    document = str(home.documents[given["position"]]["document_id"])
    return _aside(home, entry, at, {"document_annotations": {document: {given["name"]: said}}})


def _means(entries: Iterable[tuple[int, Entry, datetime]], homes: Mapping[str, Home]) -> list[tuple[int, SpanIn]]:
    """The mean of what was said at once of one span's documents under one name is a score of its trace."""
    given: dict[tuple[str, str], list[tuple[int, Entry, datetime]]] = {}
    for one in entries:
        entry = one[1]
        if entry.kind != DOCUMENT or "score" not in entry.given:
            continue
        if entry.given["position"] < len(homes[entry.about].documents):
            given.setdefault((entry.about, entry.given["name"]), []).append(one)
    means = []
    for (span, name), said in given.items():
        place, entry, at = said[0]
        mean = sum(entry.given["score"] for _, entry, _ in said) / len(said)
        aside = _aside(homes[span], entry, at, {})
        aside.content["scores"] = {name: {at.isoformat(): mean}}
        means.append((place, aside))
    return means


def _aside(home: Home, entry: Entry, at: datetime, metadata: dict[str, Any]) -> SpanIn:
    return SpanIn(
        trace=home.name,
        span=ASIDE,
        parent=entry.about,
        kind="evaluator",
        name="Phoenix",
        started_at=at,
        content={"metadata": metadata},
    )
