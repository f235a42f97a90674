"""Reads the span attributes of Langfuse's SDKs, which speak OpenTelemetry since version 3. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from queues.intake.foreign import gists
from queues.intake.foreign.messages import parsed
from queues.intake.foreign.said import Said, Sent
from queues.intake.langfuse import events

PREFIX: Final = "langfuse."
OBSERVATION: Final = "langfuse.observation."
TRACE: Final = "langfuse.trace."


def read(sent: Sent) -> Said:
    """A span without any of these attributes says nothing."""
    has = sent.attributes
    if not any(key.startswith(PREFIX) for key in has):
        return Said()
    kind = events.KINDS.get(str(has.get(f"{OBSERVATION}type") or "").lower(), "")
    level = has.get(f"{OBSERVATION}level")
    failed = str(has.get(f"{OBSERVATION}status_message") or "error") if level == "ERROR" else ""
    content = events.content(
        kind,
        name=sent.name,
        asked=has.get(f"{OBSERVATION}input"),
        answered=has.get(f"{OBSERVATION}output"),
        error=failed,
    )
    if not sent.parent:
        # What was set for the trace as a whole counts before what its root took and gave.
        content |= gists.exchange(has.get(f"{TRACE}input"), has.get(f"{TRACE}output"))
    own = _metadata(has, f"{OBSERVATION}metadata")
    of_trace = _metadata(has, f"{TRACE}metadata")
    tags = has.get(f"{TRACE}tags")
    environment = has.get("langfuse.environment") or sent.resource.get("langfuse.environment")
    notes = {
        **({"name": has[f"{TRACE}name"]} if has.get(f"{TRACE}name") else {}),
        **({"tags": list(tags)} if isinstance(tags, list | tuple) and tags else {}),
        **({"environment": environment} if environment not in (None, "", "default") else {}),
        **({"version": has["langfuse.version"]} if has.get("langfuse.version") else {}),
        **content.get("metadata", {}),
        **own,
        **of_trace,
    }
    content |= {
        **gists.facts({**own, **of_trace}),
        "metadata": notes,
        "prompt_version": events.prompt(has.get(f"{OBSERVATION}prompt.name"), has.get(f"{OBSERVATION}prompt.version")),
        "release": has.get("langfuse.release") or sent.resource.get("langfuse.release"),
    }
    for field, name in (("model", f"{OBSERVATION}model.name"), ("user_key", "user.id"), ("session", "session.id")):
        if has.get(name):
            content[field] = has[name]
    return Said(kind, content)


def _metadata(has: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`….metadata.topic` -> topic; each value is JSON since version 5 of the SDKs, and was a plain text before."""
    found = {key[len(name) + 1 :]: _plain(value) for key, value in has.items() if key.startswith(f"{name}.")}
    whole = _plain(has.get(name))
    if isinstance(whole, Mapping):
        return {**whole, **found}
    return {**({"metadata": whole} if whole not in (None, "") else {}), **found}


def _plain(value: Any) -> Any:
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return parsed(f"[{value}]")[0] if isinstance(parsed(f"[{value}]"), list) else value
    return parsed(value)
