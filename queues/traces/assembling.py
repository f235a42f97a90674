"""Puts a trace together of the steps that are known of it. Pure: the same steps in any order make the same trace."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic_core import to_json

from queues.intake.schema import EVIDENCE_MOST, METADATA_MOST, TEXT_LONGEST, TOOLS_MOST, TURNS_MOST
from queues.traces.steps import Step

TRACE_BYTES: Final = 1_000_000
LATENCY_MOST: Final = 2**31 - 1
# What these steps take and give is not what the user asked and got.
ASIDE: Final = frozenset(("tool", "retriever", "reranker", "embedding", "guardrail", "evaluator"))
FACTS: Final = ("model", "prompt_version", "release", "topic", "domain", "language", "user_key", "session")
CUT: Final = "shortened"


@dataclass(frozen=True, slots=True)
class Assembled:
    """The fields of a trace, as its table has them."""

    at: datetime
    latency_ms: int | None
    input: str = ""
    output: str = ""
    conversation: list[dict[str, str]] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    prompt_version: str = ""
    release: str = ""
    topic: str = ""
    domain: str = ""
    language: str = ""
    user_key: str = ""
    session: str = ""


def assemble(steps: Collection[Step]) -> Assembled:
    """A trace out of its steps; there must be one at least.

    Input and output are those of the outermost step that has them: mostly the root, else the model's call. Of several
    beside each other the first was asked and the last has answered.
    """
    depths = _depths(steps)
    ordered = sorted(steps, key=lambda step: (depths[step.span], step.started_at, step.span))
    talking = [step for step in ordered if step.kind not in ASIDE]
    # What was said of it later did not happen in it.
    happened = [step for step in ordered if step.kind != "evaluator"] or ordered
    asked = next((step for step in talking if step.content.get("input")), None)
    answered = _last(talking, "output", depths)
    spoken = _last([step for step in talking if step.kind == "llm"], "output", depths) or answered
    metadata = dict(_entries(ordered, "metadata"))
    cut: set[str] = set()
    fields: dict[str, Any] = {
        "input": _text(asked.content["input"], "input", cut) if asked else "",
        "output": _text(answered.content["output"], "output", cut) if answered else "",
        "conversation": _conversation(talking, spoken, depths, cut),
        "documents": _documents(ordered, cut),
        "tools": _tools(ordered, cut),
        "scores": dict(_scores(ordered)),
        "metadata": metadata,
    }
    for name in FACTS:
        # The model that answered, not the one that rewrote the question before.
        first = [spoken, *ordered] if spoken and name in ("model", "prompt_version") else ordered
        fields[name] = next((said for step in first if (said := step.content.get(name))), "")
    _fit(fields, cut)
    if len(metadata) > METADATA_MOST - 1:
        cut.add("metadata")
        fields["metadata"] = dict(sorted(metadata.items())[: METADATA_MOST - 1])
    if cut:
        fields["metadata"] |= {CUT: sorted(cut)}
    return Assembled(at=min(step.started_at for step in happened), latency_ms=_latency(happened), **fields)


def _depths(steps: Iterable[Step]) -> dict[str, int]:
    """How many known steps stand above each. One whose parent has not come stands at the top; a circle is cut where its
    first name stands.
    """
    parents = {step.span: step.parent for step in steps}
    depths: dict[str, int] = {}
    for span in sorted(parents):
        above: list[str] = []
        seen: set[str] = set()
        here = span
        while here in parents and here not in depths and here not in seen:
            above.append(here)
            seen.add(here)
            here = parents[here]
        base = depths.get(here, -1) if here not in seen else -1
        for number, step in enumerate(reversed(above), 1):
            depths[step] = base + number
    return depths


def _last(steps: Sequence[Step], name: str, depths: Mapping[str, int]) -> Step | None:
    """Of the outermost steps that have it, the one that ended last."""
    found = [step for step in steps if step.content.get(name)]
    outermost = min((depths[step.span] for step in found), default=0)
    beside = [step for step in found if depths[step.span] == outermost]
    return max(beside, key=lambda step: (step.ended_at or step.started_at, step.started_at, step.span), default=None)


def _conversation(
    talking: Sequence[Step], spoken: Step | None, depths: Mapping[str, int], cut: set[str]
) -> list[dict[str, str]]:
    """What was said before the question: as the outermost step tells it, or the model's call that answered."""
    telling = spoken if spoken and spoken.content.get("conversation") else _last(talking, "conversation", depths)
    turns = telling.content["conversation"] if telling else []
    if len(turns) > TURNS_MOST:
        cut.add("conversation")
        turns = turns[-TURNS_MOST:]
    return [
        {"role": str(turn.get("role") or "user")[:40], "content": _text(turn.get("content"), "conversation", cut)}
        for turn in turns
        if isinstance(turn, Mapping)
    ]


def _documents(ordered: Sequence[Step], cut: set[str]) -> list[dict[str, Any]]:
    """What was retrieved, best first: what a reranker left of it, where there was one; each passage once."""
    ranked = [step for step in ordered if step.kind == "reranker" and step.content.get("documents")]
    found: dict[tuple[Any, Any], dict[str, Any]] = {}
    for step in ranked or ordered:
        for document in step.content.get("documents") or ():
            if isinstance(document, Mapping) and document.get("document_id"):
                found.setdefault((document["document_id"], document.get("quote")), dict(document))
    documents = list(found.values())
    if all(isinstance(document.get("score"), int | float) for document in documents):
        documents.sort(key=lambda document: -document["score"])
    if len(documents) > EVIDENCE_MOST:
        cut.add("documents")
        documents = documents[:EVIDENCE_MOST]
    for document in documents:
        if document.get("quote"):
            document["quote"] = _text(document["quote"], "documents", cut)
    return documents


def _tools(ordered: Sequence[Step], cut: set[str]) -> list[dict[str, Any]]:
    """The calls in the order they began, each once: as the tool's own step tells it, else as the model asked for it."""
    done: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []
    for step in sorted(ordered, key=lambda step: (step.started_at, step.span)):
        for tool in step.content.get("tools") or ():
            if isinstance(tool, Mapping):
                (done if step.kind == "tool" else asked).append(dict(tool))
    named = {tool["id"] for tool in done if tool.get("id")}
    unnamed = {_call(tool) for tool in done if not tool.get("id")}
    wanted: dict[str | bytes, dict[str, Any]] = {}
    for tool in asked:
        key = tool.get("id") or _call(tool)
        if key in named or _call(tool) in unnamed:
            continue
        known = wanted.setdefault(key, {})
        known.update({field: value for field, value in tool.items() if value not in (None, "")})
    tools = [*done, *wanted.values()]
    if len(tools) > TOOLS_MOST:
        cut.add("tools")
        tools = tools[:TOOLS_MOST]
    return [{key: value for key, value in tool.items() if key != "id"} for tool in tools]


def _call(tool: Mapping[str, Any]) -> bytes:
    return to_json([tool.get("name"), tool.get("arguments")], inf_nan_mode="null")


def _scores(ordered: Sequence[Step]) -> Iterator[tuple[str, float]]:
    """Numbers by name. A score that was given several times is what it was last; the outermost step's counts."""
    for step in reversed(ordered):
        for name, value in sorted((step.content.get("scores") or {}).items()):
            if isinstance(value, Mapping):
                value = value[max(value)] if value else None
            if isinstance(value, int | float):
                yield name, float(value)


def _entries(ordered: Sequence[Step], name: str) -> Iterator[tuple[str, Any]]:
    """What steps say by key; the outermost one's word comes last, and counts."""
    for step in reversed(ordered):
        yield from sorted((step.content.get(name) or {}).items())


def _latency(steps: Sequence[Step]) -> int | None:
    """From the root's start to its end; while the root has not come, from the first start to the last end."""
    root = steps[0]
    if not root.parent and root.ended_at:
        took = root.ended_at - root.started_at
    else:
        ends = [step.ended_at for step in steps if step.ended_at]
        if not ends:
            return None
        took = max(ends) - min(step.started_at for step in steps)
    return max(0, min(took // timedelta(milliseconds=1), LATENCY_MOST))


def _text(value: Any, name: str, cut: set[str]) -> str:
    text = value if isinstance(value, str) else "" if value is None else to_json(value, inf_nan_mode="null").decode()
    if len(text) <= TEXT_LONGEST:
        return text
    cut.add(name)
    return f"{text[: TEXT_LONGEST - 60]}\n[… {len(text) - TEXT_LONGEST + 60:,} more characters were not kept]"


def _fit(fields: dict[str, Any], cut: set[str]) -> None:
    """Makes the texts fit TRACE_BYTES: what was said longest ago goes first, then what was retrieved and called last.
    Input and output always fit.
    """
    room = TRACE_BYTES - len(fields["input"].encode()) - len(fields["output"].encode())
    for name in ("documents", "tools", "conversation", "metadata"):
        value = fields[name]
        if name == "metadata":
            value = list(value.items())
        kept = []
        for entry in reversed(value) if name == "conversation" else value:
            room -= len(to_json(entry, inf_nan_mode="null"))
            if room < 0:
                cut.add(name)
                break
            kept.append(entry)
        if len(kept) < len(value):
            room = 0
            fields[name] = dict(kept) if name == "metadata" else kept[::-1] if name == "conversation" else kept
