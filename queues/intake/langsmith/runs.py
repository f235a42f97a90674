"""LangSmith's runs as spans. Pure. A run comes when it begins and again when it ends; what is said of it is merged."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from queues.intake.foreign import gists
from queues.intake.foreign.meaning import Refused
from queues.intake.span import SpanIn

KINDS: Final = {
    "llm": "llm", "tool": "tool", "retriever": "retriever", "embedding": "embedding", "chain": "chain",
    "prompt": "chain", "parser": "chain",
}  # fmt: skip
# 20261120T151413123456Z and the run's id: the way down from the root.
_STEP: Final = re.compile(r"(\d{8}T\d{6})(\d{6})Z([0-9a-f-]{36})\Z")


def span(run: Mapping[str, Any], now: datetime) -> SpanIn:
    """A run as it came, when it began, when it ended, or whole. Raises Refused, with the field."""
    name = identity(run.get("id"), "id")
    way = _way(run.get("dotted_order"))
    parent = identity(run["parent_run_id"], "parent_run_id") if run.get("parent_run_id") else ""
    if not parent and len(way) > 1:
        parent = way[-2][1]
    start = moment(run.get("start_time"), "start_time") or (way[-1][0] if way else None)
    end = moment(run.get("end_time"), "end_time")
    return SpanIn(
        trace=trace(run) or parent or name,
        span=name,
        parent=parent,
        kind=KINDS.get(str(run.get("run_type") or "").lower(), ""),
        name=str(run.get("name") or ""),
        started_at=start or end or now,
        ended_at=end,
        content=_content(run, is_root=not parent),
    )


def trace(run: Mapping[str, Any]) -> str:
    """The id of the trace that a run says it belongs to; empty where it says nothing. Raises Refused."""
    if run.get("trace_id"):
        return identity(run["trace_id"], "trace_id")
    way = _way(run.get("dotted_order"))
    return way[0][1] if way else ""


def identity(value: Any, field: str) -> str:
    """An id, written in one way. Raises Refused."""
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise Refused(f"{field}: must be a UUID.") from None


def moment(value: Any, field: str) -> datetime | None:
    """A time as text or in milliseconds; without a zone it is UTC. Raises Refused."""
    if value in (None, ""):
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            read = datetime.fromtimestamp(value / 1000, UTC)
        else:
            read = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        raise Refused(f"{field}: is not a time; write it like 2026-05-09T18:00:00Z.") from None
    if not 2000 <= read.year <= 2199:
        raise Refused(f"{field}: must lie in the years 2000 to 2199.")
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _way(dotted: Any) -> list[tuple[datetime, str]]:
    """The runs from the root to this one: when each began, and its id."""
    found: list[tuple[datetime, str]] = []
    for step in dotted.split(".") if isinstance(dotted, str) and len(dotted) < 20_000 else ():
        if not (read := _STEP.search(step)):
            return []
        try:
            began = datetime.strptime(f"{read[1]}{read[2]}", "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        except ValueError:
            return []
        found.append((began, read[3]))
    return found


def _content(run: Mapping[str, Any], *, is_root: bool) -> dict[str, Any]:
    kind = KINDS.get(str(run.get("run_type") or "").lower(), "")
    asked, answered = run.get("inputs"), run.get("outputs")
    error = run["error"] if isinstance(run.get("error"), str) else ""
    extra = run["extra"] if isinstance(run.get("extra"), Mapping) else {}
    about = extra["metadata"] if isinstance(extra.get("metadata"), Mapping) else {}
    content: dict[str, Any] = {}
    if kind == "tool":
        if answered is not None or error:
            content["tools"] = [gists.tool(run.get("name") or "Tool", asked, _out(answered), error)]
    elif kind == "retriever":
        content |= {**gists.exchange(asked, None), "documents": list(gists.documents(answered))}
    else:
        content |= gists.exchange(asked, answered)
    content |= gists.facts(about)
    called = extra["invocation_params"] if isinstance(extra.get("invocation_params"), Mapping) else {}
    if kind == "llm" and (model := called.get("model") or called.get("model_name")):
        content["model"] = model
    notes: dict[str, Any] = {}
    if is_root:
        notes = {**about, "project": run.get("session_name"), "tags": run.get("tags")}
    if error and kind != "tool":
        notes["error"] = error[:2000]
    if run.get("attachments"):
        notes["attachments not kept"] = sorted(run["attachments"])[:20]
    content["metadata"] = {name: value for name, value in notes.items() if value not in (None, "", [])}
    return {name: value for name, value in content.items() if value}


def _out(answered: Any) -> Any:
    """A function's one result is wrapped as `output`."""
    if isinstance(answered, Mapping) and set(answered) == {"output"}:
        return answered["output"]
    return answered
