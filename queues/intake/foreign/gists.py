"""What tools write of a step beside messages: what was asked and answered, what was retrieved, who and what it was."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from queues.intake.foreign.messages import ANSWERED, ASKED, gist, interaction, messages, parsed

# What people put into free metadata, by the field of the trace that it is.
FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "user_key": ("user_key", "user_id", "userId", "user"),
    "session": ("session_id", "sessionId", "thread_id", "conversation_id"),
    "model": ("ls_model_name", "model", "model_name"),
    "prompt_version": ("prompt_version", "lc_hub_commit_hash", "prompt"),
    "release": ("release", "revision_id"),
    "topic": ("topic",),
    "domain": ("domain",),
    "language": ("language",),
}


def exchange(asked: Any, answered: Any) -> dict[str, Any]:
    """Input, output, and where they are messages of a chat, what was said before."""
    given, made = parsed(asked), parsed(answered)
    chat = _chat(given)
    content: dict[str, Any] = {}
    if chat:
        content = interaction(messages(chat), messages(_chat(made)) if _chat(made) else [])
    content.setdefault("input", gist(given, ASKED) if given not in (None, {}, []) else "")
    content.setdefault("output", gist(made, ANSWERED) if made not in (None, {}, []) else "")
    return {name: value for name, value in content.items() if value}


def documents(found: Any) -> Iterator[dict[str, Any]]:
    """What a retriever gave, in its order; a document without an id gets one of its place."""
    given = parsed(found)
    if isinstance(given, Mapping):
        given = next((one for one in given.values() if isinstance(one, list)), [])
    for place, one in enumerate(given if isinstance(given, list) else (), 1):
        if isinstance(one, str):
            yield {"document_id": f"document {place}", "quote": one}
        if not isinstance(one, Mapping):
            continue
        about = one.get("metadata") if isinstance(one.get("metadata"), Mapping) else {}
        seen = {**(about or {}), **one}
        yield {
            "document_id": _first(seen, "id", "document_id", "doc_id", "source", "url") or f"document {place}",
            "quote": _first(seen, "page_content", "content", "text", "document", "quote"),
            "score": _first(seen, "score", "relevance_score", "similarity"),
            "title": _first(seen, "title", "name"),
            "url": seen.get("url"),
        }


def tool(name: Any, asked: Any, answered: Any, error: str = "") -> dict[str, Any]:
    """A call of a tool, as a trace has it."""
    return {
        "name": name,
        "status": "failed" if error else "ok",
        "arguments": parsed(asked),
        "output": parsed(answered) if answered is not None else error or None,
    }


def facts(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Who and what, as far as free metadata says it in the usual names."""
    found: dict[str, str] = {}
    for field, names in FACTS.items():
        said = _first(metadata, *names)
        if isinstance(said, str | int) and not isinstance(said, bool) and str(said):
            found[field] = str(said)
    return found


def _first(where: Mapping[str, Any], *names: str) -> Any:
    return next((where[name] for name in names if where.get(name) not in (None, "")), None)


def _chat(value: Any) -> Any:
    """The messages in what a step took or gave, if there are any; else None."""
    if isinstance(value, Mapping):
        value = value.get("messages")
    if isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    if not isinstance(value, list) or not value or not all(isinstance(one, Mapping) for one in value):
        return None
    return value if any(one.get("role") or one.get("type") or one.get("kwargs") for one in value) else None
