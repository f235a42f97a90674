"""Reads what Phoenix's own API is sent beside OTLP: annotations of spans, traces and documents; notes; plain spans."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from queues.intake.foreign.said import Event, Sent
from queues.intake.otlp.encoding import Faulty

KINDS: Final = frozenset(("HUMAN", "LLM", "CODE"))
ENTRIES_MOST: Final = 10_000
SPAN, TRACE, DOCUMENT, NOTE = "span", "trace", "document", "note"
ABOUT: Final = {SPAN: "span_id", TRACE: "trace_id", DOCUMENT: "span_id", NOTE: "span_id"}


class Wrong(ValueError):
    """The body is not what Phoenix's API takes; the message is a sentence with the place."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One annotation or note. `about` is the span's or the trace's id; `given` holds the rest, by Phoenix's names."""

    kind: str
    about: str
    given: Mapping[str, Any]


def entries(kind: str, body: Any) -> list[Entry]:
    """The annotations of a body, or its one note. Raises Wrong: then nothing of it is taken, as Phoenix does it."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if kind == NOTE:
        data = [data]
    if not isinstance(data, list):
        raise Wrong("data: must be a list of annotations.")
    if len(data) > ENTRIES_MOST:
        raise Wrong(f"data: has {len(data):,} entries; {ENTRIES_MOST:,} are taken at once. Send the rest in another.")
    return [_entry(kind, one, "data" if kind == NOTE else f"data[{place}]") for place, one in enumerate(data)]


def _entry(kind: str, given: Any, where: str) -> Entry:
    if not isinstance(given, Mapping):
        raise Wrong(f"{where}: must be an object.")
    about = given.get(ABOUT[kind])
    if not isinstance(about, str) or not 0 < len(about.strip()) <= 200 or not about.strip().isprintable():
        raise Wrong(f"{where}.{ABOUT[kind]}: must be the id, as text.")
    if kind == NOTE:
        if not isinstance(note := given.get("note"), str) or not note.strip():
            raise Wrong(f"{where}.note: must be text.")
        return Entry(kind, _id(about), {"note": note.strip()})
    called, result = given.get("name"), given.get("result") or {}
    if not isinstance(called, str) or not called.strip():
        raise Wrong(f"{where}.name: must be text.")
    if given.get("annotator_kind") not in KINDS:
        raise Wrong(f"{where}.annotator_kind: must be one of HUMAN, LLM, CODE.")
    if not isinstance(result, Mapping):
        raise Wrong(f"{where}.result: must be an object.")
    score = result.get("score")
    if score is not None and (not isinstance(score, int | float) or isinstance(score, bool)):
        raise Wrong(f"{where}.result.score: must be a number.")
    if all(result.get(key) in (None, "") for key in ("label", "score", "explanation")):
        raise Wrong(f"{where}.result: needs a label, a score or an explanation.")
    position = given.get("document_position")
    if kind == DOCUMENT and (not isinstance(position, int) or isinstance(position, bool) or position < 0):
        raise Wrong(f"{where}.document_position: must be a number, counted from 0.")
    kept = {
        "name": called.strip(), "kind": given["annotator_kind"], "label": result.get("label"), "score": score,
        "explanation": result.get("explanation"), "metadata": given.get("metadata"),
        "identifier": given.get("identifier"), "position": position,
    }  # fmt: skip
    return Entry(kind, _id(about), {key: value for key, value in kept.items() if value is not None})


def name(entry: Entry) -> str:
    """What the entry is called in the answer: the same for the same."""
    content = json.dumps([entry.kind, entry.about, entry.given], sort_keys=True, default=str)
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32]


def _id(given: str) -> str:
    """OpenTelemetry's ids are the same in upper case."""
    return given.strip().lower()


def spans(body: Any) -> Iterator[Sent | Faulty]:
    """The spans of a body of `log_spans`. Raises Wrong."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, list):
        raise Wrong("data: must be a list of spans.")
    return (_sent(one) if isinstance(one, Mapping) else Faulty("The span is no object.") for one in data)


def _sent(given: Mapping[str, Any]) -> Sent | Faulty:
    context = given.get("context")
    context = context if isinstance(context, Mapping) else {}
    started, ended = _moment(given.get("start_time")), _moment(given.get("end_time"))
    if started is None:
        return Faulty("start_time is missing, or is no time.")
    named = (context.get("trace_id"), context.get("span_id"), given.get("parent_id"))
    ids = [str(one or "").strip().lower() for one in named]
    if not all(one.isprintable() for one in ids):
        return Faulty("An id of the span holds characters that cannot be seen.")
    attributes = dict(flat(given.get("attributes") or {}))
    attributes.setdefault("openinference.span.kind", str(given.get("span_kind") or ""))
    failed = str(given.get("status_message") or "error") if given.get("status_code") == "ERROR" else ""
    events = given.get("events")
    return Sent(
        trace=ids[0],
        span=ids[1],
        parent=ids[2],
        name=str(given.get("name") or ""),
        started_at=started,
        ended_at=ended,
        attributes=attributes,
        events=tuple(
            Event(str(one.get("name") or ""), _moment(one.get("timestamp")) or started, one.get("attributes") or {})
            for one in (events if isinstance(events, list) else ())
            if isinstance(one, Mapping)
        ),
        failed=failed[:500],
    )


def flat(attributes: Any, prefix: str = "", room: int = 12) -> Iterable[tuple[str, Any]]:
    """Attributes by their full names, whether they came nested or not. Lists of plain values stay lists."""
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(attributes, Mapping):
        pairs = attributes.items()
    elif isinstance(attributes, list):
        pairs = enumerate(attributes)
    for key, value in pairs:
        name = f"{prefix}{key}"
        nested = isinstance(value, Mapping) or (
            isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
        )
        if nested and name not in ("metadata", "input.value", "output.value") and room:
            yield from flat(value, f"{name}.", room - 1)
        else:
            yield name, value


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read
