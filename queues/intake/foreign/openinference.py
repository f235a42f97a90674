"""Reads OpenInference attributes: what Phoenix, Arize and the instrumentations of that family write."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from queues.intake.foreign.annotations import word
from queues.intake.foreign.meaning import Word
from queues.intake.foreign.messages import ANSWERED, ASKED, Message, gist, interaction, message, of_indexed, parsed
from queues.intake.foreign.said import Said, Sent

KIND: Final = "openinference.span.kind"


def read(sent: Sent) -> Said:
    """Pure; a span without any of these attributes says nothing."""
    has = sent.attributes
    kind = str(has.get(KIND) or "").lower()
    content: dict[str, Any] = {
        "model": has.get("llm.response.model_name") or has.get("llm.model_name") or has.get("llm.request.model_name"),
        "prompt_version": _prompt(has),
        "session": has.get("session.id"),
        "user_key": has.get("user.id"),
        "metadata": _metadata(has),
        "documents": list(_documents(has)),
    }
    # Most spans have no message: looking for one key tells.
    if any(key.startswith("llm.") for key in has):
        content |= interaction(_messages(has, "llm.input_messages"), _messages(has, "llm.output_messages"))
    if kind == "tool":
        content["tools"] = [_tool(sent)]
    if kind != "llm" or not content.get("input"):
        content["input"] = gist(has.get("input.value"), ASKED) or content.get("input")
    if not content.get("output") and (kind != "llm" or not content.get("tools")):
        content["output"] = gist(has.get("output.value"), ANSWERED)
    return Said(kind, content, tuple(_annotations(sent)))


def _messages(has: Mapping[str, Any], prefix: str) -> list[Message]:
    found = []
    for entry in of_indexed(has, prefix):
        given = entry.get("message")
        if not isinstance(given, dict):
            continue
        contents = given.get("contents")
        if isinstance(contents, list):
            parts = [one.get("message_content") for one in contents if isinstance(one, dict)]
            given = {**given, "content": [part for part in parts if part]}
        calls = given.get("tool_calls")
        if isinstance(calls, list):
            given = {**given, "tool_calls": [one.get("tool_call") for one in calls if isinstance(one, dict)]}
        if name := given.get("function_call_name"):
            called = {"name": name, "arguments": given.get("function_call_arguments_json")}
            given = {**given, "tool_calls": [called]}
        if made := message(given):
            found.append(made)
    return found


def _documents(has: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a retriever found or a reranker left, in its order; a document without an id gets one of its place."""
    for prefix in ("reranker.output_documents", "retrieval.documents"):
        found = of_indexed(has, prefix)
        for place, entry in enumerate(found, 1):
            document = entry.get("document")
            if not isinstance(document, dict):
                continue
            about = parsed(document.get("metadata"))
            about = about if isinstance(about, dict) else {}
            source = about.get("source") or about.get("url") or about.get("file_name")
            yield {
                "document_id": document.get("id") or source or f"document {place}",
                "quote": document.get("content"),
                "score": document.get("score"),
                "title": document.get("name") or about.get("title"),
                "url": document.get("url") or about.get("url") or about.get("source"),
            }
        if found:
            return


def _tool(sent: Sent) -> dict[str, Any]:
    has = sent.attributes
    arguments = has.get("tool.parameters") if has.get("input.value") is None else has.get("input.value")
    return {
        "id": has.get("tool_call.id") or has.get("tool.id"),
        "name": has.get("tool.name") or sent.name,
        "status": "failed" if sent.failed else "ok",
        "arguments": parsed(arguments),
        "output": parsed(has.get("output.value")) if has.get("output.value") is not None else sent.failed or None,
    }


def _prompt(has: Mapping[str, Any]) -> str:
    version = has.get("llm.prompt_template.version")
    name = has.get("prompt.id")
    return ":".join(str(one) for one in (name, version) if one)


def _metadata(has: Mapping[str, Any]) -> dict[str, Any]:
    found = parsed(has.get("metadata"))
    metadata = dict(found) if isinstance(found, dict) else {}
    if tags := has.get("tag.tags"):
        metadata["tags"] = parsed(tags)
    if agent := has.get("agent.name"):
        metadata["agent"] = agent
    return metadata


def _annotations(sent: Sent) -> Iterator[Word]:
    """What stands in the span's own attributes: of the span, and of its trace."""
    if not any("annotations." in key or "evaluations." in key for key in sent.attributes):
        return
    for noun in ("annotation", "evaluation"):
        for prefix in (f"{noun}s", f"trace.{noun}s"):
            for entry in of_indexed(sent.attributes, prefix):
                given = entry.get(noun)
                if isinstance(given, dict) and given.get("name"):
                    yield word(
                        given["name"],
                        about=f"{sent.trace}/{sent.span}",
                        kind=given.get("annotator_kind") or "LLM",
                        label=given.get("label"),
                        score=given.get("score"),
                        explanation=given.get("explanation"),
                        metadata=parsed(given.get("metadata")),
                        identifier=given.get("identifier"),
                        at=sent.ended_at or sent.started_at,
                    )
