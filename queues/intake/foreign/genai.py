"""Reads OpenTelemetry's attributes and events for generative AI, as they are now and as they were."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from queues.intake.foreign.annotations import word
from queues.intake.foreign.meaning import Word
from queues.intake.foreign.messages import Message, interaction, message, messages, of_indexed, parsed
from queues.intake.foreign.said import Said, Sent

OPERATIONS: Final = {
    "chat": "llm", "generate_content": "llm", "text_completion": "llm", "completion": "llm", "embeddings": "embedding",
    "retrieval": "retriever", "execute_tool": "tool", "create_agent": "agent", "invoke_agent": "agent",
    "invoke_workflow": "chain",
}  # fmt: skip
DETAILS: Final = "gen_ai.client.inference.operation.details"
EVALUATION: Final = "gen_ai.evaluation.result"
SPOKEN: Final = {
    "gen_ai.system.message": "system", "gen_ai.user.message": "user", "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}  # fmt: skip
CHOICE: Final = "gen_ai.choice"


def read(sent: Sent) -> Said:
    """Pure; a span without any of these attributes says nothing."""
    has = sent.attributes
    events = [event for event in sent.events if event.name.startswith("gen_ai.")]
    if not events and not any(key.startswith("gen_ai.") for key in has):
        return Said()
    for event in events:
        if event.name == DETAILS:
            has = {**event.attributes, **has}
    kind = OPERATIONS.get(str(has.get("gen_ai.operation.name") or ""), "")
    if not kind and (has.get("gen_ai.request.model") or has.get("gen_ai.response.model")):
        kind = "llm"
    content: dict[str, Any] = {
        "model": has.get("gen_ai.response.model") or has.get("gen_ai.request.model"),
        "prompt_version": _prompt(has),
        "session": has.get("gen_ai.conversation.id"),
    }
    asked, answered = _asked(sent, has), _answered(sent, has)
    content |= interaction(asked, answered)
    if kind == "retriever" or has.get("gen_ai.retrieval.documents"):
        content["documents"] = list(_documents(has))
        content.setdefault("input", has.get("gen_ai.retrieval.query.text") or "")
    if kind == "tool":
        content["tools"] = [_tool(sent)]
    about = {
        "provider": has.get("gen_ai.provider.name") or has.get("gen_ai.system"),
        "agent": has.get("gen_ai.agent.name"),
        "workflow": has.get("gen_ai.workflow.name"),
    }
    content["metadata"] = {key: value for key, value in about.items() if value}
    return Said(kind, content, tuple(_evaluations(sent)))


def _prompt(has: Mapping[str, Any]) -> str:
    return ":".join(str(one) for one in (has.get("gen_ai.prompt.name"), has.get("gen_ai.prompt.version")) if one)


def _asked(sent: Sent, has: Mapping[str, Any]) -> list[Message]:
    """The messages that the model was sent: of the attributes, of events, or numbered ones."""
    system = [Message("system", one.text) for one in messages(has.get("gen_ai.system_instructions")) if one.text]
    found = messages(has.get("gen_ai.input.messages"))
    if not found:
        found = list(_events(sent, SPOKEN))
    if not found:
        found = _numbered(has, "gen_ai.prompt") or messages(_of_event(sent, "gen_ai.content.prompt", "gen_ai.prompt"))
    if not found and isinstance(prompt := has.get("gen_ai.prompt"), str):
        found = messages(prompt)
    if system and any(one.role == "system" and one.text == system[0].text for one in found):
        system = []
    return [*system, *found]


def _answered(sent: Sent, has: Mapping[str, Any]) -> list[Message]:
    found = messages(has.get("gen_ai.output.messages"))
    if not found:
        found = list(_events(sent, {CHOICE: "assistant"}))
    if not found:
        said = _of_event(sent, "gen_ai.content.completion", "gen_ai.completion")
        found = _numbered(has, "gen_ai.completion") or messages(said)
    if not found and isinstance(completion := has.get("gen_ai.completion"), str):
        found = messages(completion)
    return [one for one in found if one.role != "system"]


def _numbered(has: Mapping[str, Any], prefix: str) -> list[Message]:
    return [made for one in of_indexed(has, prefix) if (made := message(one))]


def _of_event(sent: Sent, name: str, attribute: str) -> Any:
    return next((event.attributes.get(attribute) for event in sent.events if event.name == name), None)


def _events(sent: Sent, roles: Mapping[str, str]) -> Iterator[Message]:
    """A message an event: its fields are attributes, or one attribute holds them as JSON."""
    for event in sorted(sent.events, key=lambda event: event.at):
        role = roles.get(event.name)
        if role is None:
            continue
        given: dict[str, Any] = {key.removeprefix("gen_ai.event."): value for key, value in event.attributes.items()}
        for name in ("body", "message", "content"):
            if isinstance(inner := parsed(given.get(name)), Mapping):
                given |= inner
        if isinstance(calls := parsed(given.get("tool_calls")), list):
            given["tool_calls"] = calls
        if role == "tool":
            given.setdefault("tool_call_id", given.get("id"))
        if made := message({**given, "role": role if role != "assistant" else given.get("role") or role}):
            yield made


def _documents(has: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    found = parsed(has.get("gen_ai.retrieval.documents"))
    for place, document in enumerate(found if isinstance(found, list) else (), 1):
        document = parsed(document)
        if isinstance(document, Mapping):
            yield {
                "document_id": document.get("id") or document.get("document_id") or f"document {place}",
                "quote": document.get("content") or document.get("text") or document.get("quote"),
                "score": document.get("score"),
                "title": document.get("title") or document.get("name"),
                "url": document.get("url") or document.get("uri"),
            }


def _tool(sent: Sent) -> dict[str, Any]:
    has = sent.attributes
    failed = sent.failed or str(has.get("error.type") or "")
    result = parsed(has.get("gen_ai.tool.call.result", has.get("gen_ai.tool.message")))
    return {
        "id": has.get("gen_ai.tool.call.id"),
        "name": has.get("gen_ai.tool.name") or sent.name.removeprefix("execute_tool ").strip(),
        "status": "failed" if failed else "ok",
        "arguments": parsed(has.get("gen_ai.tool.call.arguments")),
        "output": result if result is not None else failed or None,
    }


def _evaluations(sent: Sent) -> Iterator[Word]:
    for event in sent.events:
        given = event.attributes
        if event.name == EVALUATION and (name := given.get("gen_ai.evaluation.name")):
            yield word(
                name,
                about=f"{sent.trace}/{sent.span}",
                label=given.get("gen_ai.evaluation.score.label"),
                score=given.get("gen_ai.evaluation.score.value"),
                explanation=given.get("gen_ai.evaluation.explanation"),
                at=event.at,
            )
