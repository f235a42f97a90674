"""Messages of a chat in the shapes that tools write them in, and what they say of an interaction."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json, to_json

DEEPEST: Final = 4
# Where the text is in what a function took or gave, likeliest first.
ASKED: Final = (
    "question", "query", "user_input", "input", "user_question", "prompt", "message", "text", "content", "messages",
)  # fmt: skip
ANSWERED: Final = (
    "answer", "output", "response", "result", "final_output", "text", "content", "message", "completion", "messages",
    "choices", "generations",
)  # fmt: skip
ROLES: Final = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool", "developer": "system"}
_NUMBER: Final = re.compile(r"\d+\Z")


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    text: str = ""
    calls: tuple[dict[str, Any], ...] = ()
    answers: tuple[dict[str, Any], ...] = ()


def parsed(value: Any) -> Any:
    """What a text holds, if it is JSON: an object or a list; else the value as it is."""
    if isinstance(value, str) and value[:1] in "{[" and value:
        try:
            return from_json(value)
        except ValueError:
            return value
    return value


def messages(value: Any) -> list[Message]:
    """The messages of a list, as JSON or as it is: OpenAI's shape, OpenTelemetry's (parts), LangChain's, Gemini's."""
    found = parsed(value)
    if isinstance(found, Mapping):
        found = found.get("messages", [found])
    if isinstance(found, str):
        return [Message("", found)] if found else []
    if not isinstance(found, list):
        return []
    # LangChain sends lists of lists, for several prompts at once.
    if found and all(isinstance(one, list) for one in found):
        found = found[0]
    return [made for one in found if (made := message(one))]


def message(given: Any) -> Message | None:
    """One message; None where there is nothing of one in it."""
    if isinstance(given, str):
        return Message("", given)
    if not isinstance(given, Mapping):
        return None
    if isinstance(inner := given.get("kwargs") or given.get("message"), Mapping):
        given = {**inner, "role": inner.get("role") or inner.get("type") or given.get("role") or ""}
    role = str(given.get("role") or given.get("type") or "").lower()
    role = ROLES.get(role, role)
    parts = given.get("parts", given.get("content"))
    calls = list(_calls(given.get("tool_calls") or given.get("toolCalls") or ()))
    answers: list[dict[str, Any]] = []
    texts: list[str] = []
    for part in parts if isinstance(parts, list) else [parts]:
        _part(part, texts, calls, answers)
    text = "\n\n".join(texts)
    if role == "tool" and not answers:
        answers = [
            {"id": given.get("tool_call_id") or given.get("id"), "output": parsed(text), "name": given.get("name")}
        ]
        text = ""
    if not (text or calls or answers):
        return None
    return Message(role, text, tuple(calls), tuple(answers))


def _part(part: Any, texts: list[str], calls: list[dict[str, Any]], answers: list[dict[str, Any]]) -> None:
    if isinstance(part, str):
        if part:
            texts.append(part)
        return
    if not isinstance(part, Mapping):
        return
    kind = str(part.get("type") or "text").replace("-", "_")
    if kind in ("tool_call", "tool_use"):
        calls.append({
            "id": part.get("id") or part.get("toolCallId"),
            "name": part.get("name") or part.get("toolName"),
            "arguments": parsed(part.get("arguments", part.get("input", part.get("args")))),
        })  # fmt: skip
    elif kind in ("tool_call_response", "tool_result"):
        said = next((part[key] for key in ("response", "result", "output", "content") if key in part), None)
        answers.append({
            "id": part.get("id") or part.get("tool_use_id") or part.get("toolCallId"),
            "name": part.get("name") or part.get("toolName"),
            "output": parsed(said),
        })  # fmt: skip
    elif kind in ("text", "input_text", "output_text") and isinstance(
        said := part.get("content", part.get("text")), str
    ):
        texts.append(said)
    elif kind not in ("reasoning", "thinking", "text"):
        texts.append(f"[{kind.replace('_', ' ')[:40]}]")


def _calls(given: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for call in given:
        if isinstance(call, Mapping):
            inner = call.get("function")
            function = inner if isinstance(inner, Mapping) else call
            arguments = function.get("arguments", function.get("args", function.get("input")))
            yield {
                "id": call.get("id") or call.get("toolCallId"),
                "name": function.get("name") or call.get("toolName"),
                "arguments": parsed(arguments),
            }


def of_indexed(attributes: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    """`prefix.0.role`, `prefix.0.tool_calls.1.name` … as a list of nested objects, in the order of the numbers."""
    found = _nested(attributes, prefix)
    return [one for one in _listed(found) if isinstance(one, dict)] if found else []


def _nested(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    root: dict[str, Any] = {}
    start = f"{prefix}."
    for key, value in attributes.items():
        if not key.startswith(start):
            continue
        here = root
        *way, last = key[len(start) :].split(".", 12)
        for step in way:
            below = here.setdefault(step, {})
            if not isinstance(below, dict):
                below = here[step] = {}
            here = below
        here.setdefault(last, value)
    return root


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(_NUMBER.match(key) for key in value):
        return [_listed(value[key]) for key in sorted(value, key=lambda key: (len(key), key))]
    return {key: _listed(one) for key, one in value.items()}


def interaction(asked: Sequence[Message], answered: Sequence[Message]) -> dict[str, Any]:
    """The content of a call of a model: the last thing the user said is the input, what was said before it is the
    conversation, and what the model called since then are its tools.
    """
    last = max((place for place, one in enumerate(asked) if one.role == "user" and one.text), default=None)
    if last is None:
        last = max((place for place, one in enumerate(asked) if one.role != "system" and one.text), default=None)
    if last is None:
        last = len(asked) - 1
    content: dict[str, Any] = {}
    if last >= 0 and asked[last].text:
        content["input"] = asked[last].text
    if before := [{"role": one.role or "user", "content": one.text} for one in asked[: max(last, 0)] if one.text]:
        content["conversation"] = before
    if said := "\n\n".join(one.text for one in answered if one.text):
        content["output"] = said
    if tools := _tools([*asked[last + 1 :], *answered]):
        content["tools"] = tools
    return content


def _tools(since: Iterable[Message]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    by_id: dict[Any, dict[str, Any]] = {}
    for one in since:
        for call in one.calls:
            made = {key: value for key, value in call.items() if value not in (None, "")}
            found.append(made)
            by_id[call.get("id")] = made
        for answer in one.answers:
            met = by_id.get(answer.get("id")) if answer.get("id") else None
            if met is None and not answer.get("id"):
                met = next((tool for tool in found if "output" not in tool), None)
            if met is None:
                met = {key: value for key, value in answer.items() if key != "output" and value not in (None, "")}
                found.append(met)
            met |= {"output": answer["output"], "status": "ok"}
    return found


def gist(value: Any, names: Sequence[str]) -> str:
    """The text in what a function took or gave: of JSON the one field that must be meant, else all of it as it is."""
    found = _gist(parsed(value), names, DEEPEST)
    if found is not None:
        return found
    return value if isinstance(value, str) else "" if value is None else to_json(value, inf_nan_mode="null").decode()


def _gist(value: Any, names: Sequence[str], room: int) -> str | None:
    if isinstance(value, str):
        return value
    if not room:
        return None
    if isinstance(value, list):
        said = [one for one in map(message, value) if one] if all(isinstance(one, Mapping) for one in value) else []
        wanted = "user" if names is ASKED else "assistant"
        for one in reversed(said):
            if one.role == wanted and one.text:
                return one.text
        return _gist(value[0], names, room - 1) if len(value) == 1 else None
    if isinstance(value, Mapping):
        if (lc := value.get("kwargs")) and isinstance(lc, Mapping) and "lc" in value:
            return _gist(lc, names, room - 1)
        for name in names:
            if name in value and (found := _gist(value[name], names, room - 1)):
                return found
        if len(value) == 1:
            return _gist(next(iter(value.values())), names, room - 1)
    return None
