"""The events of Langfuse's ingestion batches as spans. Pure.

A trace there is not a span: it becomes the step above those that name no other.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from queues.intake.foreign import gists
from queues.intake.foreign.meaning import Refused
from queues.intake.langfuse.scores import moment
from queues.intake.span import SpanIn

TOP: Final = "langfuse:trace"
TRACE: Final = "trace-create"
SCORE: Final = "score-create"
LOG: Final = "sdk-log"
OBSERVATIONS: Final = frozenset((
    "span-create", "span-update", "generation-create", "generation-update", "event-create", "observation-create",
    "observation-update",
))  # fmt: skip
KINDS: Final = {
    "generation": "llm", "embedding": "embedding", "agent": "agent", "tool": "tool", "chain": "chain",
    "retriever": "retriever", "evaluator": "evaluator", "guardrail": "guardrail", "span": "", "event": "",
}  # fmt: skip


def trace(body: Mapping[str, Any], at: datetime) -> SpanIn:
    """`trace-create`, which also changes a trace. Raises Refused."""
    metadata = notes(body)
    return SpanIn(
        trace=named(body, "id"),
        span=TOP,
        kind="chain",
        name=str(body.get("name") or ""),
        started_at=moment(body.get("timestamp"), "timestamp") or at,
        content={
            **gists.facts(metadata),
            **gists.exchange(body.get("input"), body.get("output")),
            **_said({"user_key": body.get("userId"), "session": body.get("sessionId"), "release": body.get("release")}),
            "metadata": metadata,
        },
    )


def observation(kind: str, body: Mapping[str, Any], at: datetime) -> SpanIn:
    """A span, a generation or an event, made or changed; `at` is the time of the message. Raises Refused."""
    start = moment(body.get("startTime"), "startTime")
    end = moment(body.get("endTime"), "endTime")
    what = str(body.get("type") or kind.partition("-")[0]).lower()
    step = KINDS.get(what, "")
    return SpanIn(
        trace=named(body, "traceId"),
        span=named(body, "id"),
        parent=str(body.get("parentObservationId") or TOP),
        kind=step,
        name=str(body.get("name") or ""),
        # A change comes after the end that it tells of.
        started_at=start or (min(end, at) if end else at),
        ended_at=end,
        content=content(
            step,
            name=body.get("name"),
            asked=body.get("input"),
            answered=body.get("output"),
            error=str(body.get("statusMessage") or "error") if body.get("level") == "ERROR" else "",
        )
        | _said(
            {"model": body.get("model"), "prompt_version": prompt(body.get("promptName"), body.get("promptVersion"))}
        ),
    )


def content(kind: str, *, name: Any, asked: Any, answered: Any, error: str) -> dict[str, Any]:
    """What an observation of this kind adds to its trace."""
    found: dict[str, Any] = {}
    if kind == "tool":
        found["tools"] = [gists.tool(name or "Tool", asked, answered, error)] if asked or answered or error else []
    elif kind == "retriever":
        found["documents"] = list(gists.documents(answered))
    if kind != "tool":
        found |= gists.exchange(asked, answered)
    if error and kind != "tool":
        found["metadata"] = {"error": error}
    return {key: value for key, value in found.items() if value}


def prompt(name: Any, version: Any) -> str:
    return ":".join(str(part) for part in (name, version) if part not in (None, ""))


def named(body: Mapping[str, Any], field: str) -> str:
    """An id that an event cannot do without."""
    if not isinstance(said := body.get(field), str) or not said:
        raise Refused(f"{field}: is missing.")
    return said


def notes(body: Mapping[str, Any]) -> dict[str, Any]:
    """The trace's metadata, its tags and its environment beside it."""
    given = body.get("metadata")
    metadata = dict(given) if isinstance(given, Mapping) else {"metadata": given} if given is not None else {}
    more = {"name": body.get("name"), "tags": body.get("tags"), "version": body.get("version")}
    environment = body.get("environment")
    if environment not in (None, "", "default"):
        more["environment"] = environment
    return {**_said(more), **metadata}


def _said(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in (None, "", [])}
