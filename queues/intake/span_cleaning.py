"""Makes a span fit to be kept: its fields in the house's shapes, within their lengths, and without personal data."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from pydantic_core import PydanticCustomError, from_json, to_json

from hitl.models import Tenant
from queues.intake.cleaning import NAMES, clean_evidence, clean_name, clean_texts, personal_id
from queues.intake.schema import DEEPEST, ID_LONGEST, NAME_LONGEST, URL_LONGEST, Evidence, link
from queues.intake.span import SpanIn
from queues.scrubbing import scrubbed
from queues.traces.steps import Step

SPAN_ID_LONGEST: Final = 64
SPAN_NAME_LONGEST: Final = 200
SCORES_MOST: Final = 100
KINDS: Final = frozenset(
    ("llm", "retriever", "reranker", "tool", "chain", "agent", "embedding", "guardrail", "evaluator")
)
FACTS: Final = {
    name: NAMES[name] for name in ("model", "prompt_version", "release", "topic", "domain", "user_key")
} | {"language": 35, "session": ID_LONGEST}  # fmt: skip
# As OpenTelemetry draws them: nothing of anybody is in them.
_HEX: Final = re.compile(r"[0-9a-f]{32}")
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+|\s+")


def written(content: Mapping[str, Any]) -> bytes:
    """The content as JSON that a database takes: what is no JSON becomes text; NUL and half characters are replaced."""
    try:
        raw = to_json(content, inf_nan_mode="null", fallback=str)
    except ValueError:
        raw = to_json(_whole(content), inf_nan_mode="null", fallback=str)
    return raw.replace(b"\\u0000", b"\xef\xbf\xbd") if b"\\u0000" in raw else raw


class Cleaner:
    """For the spans of one part, which repeat each other: the same text is scrubbed once."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self._names: dict[str, str] = {}
        self._refusals: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._trees: dict[bytes, dict[str, Any]] = {}

    def refusal(self, trace: str) -> str:
        """Why nothing can be taken under this id of a trace, which is kept as it comes; empty where it can."""
        if _HEX.fullmatch(trace):
            return ""
        if trace not in self._refusals:
            self._refusals[trace] = personal_id("trace_id", trace, self.tenant) or ""
        return self._refusals[trace]

    def step(self, span: SpanIn, content: bytes) -> Step:
        """The span as it may be stored; `content` is its own, written."""
        return Step(
            span=_line(span.span, SPAN_ID_LONGEST),
            parent=_line(span.parent, SPAN_ID_LONGEST),
            kind=kind if (kind := span.kind.lower()) in KINDS else "",
            name=self._name(_line(span.name, SPAN_NAME_LONGEST))[:SPAN_NAME_LONGEST],
            started_at=span.started_at,
            ended_at=span.ended_at,
            content=self._content(from_json(content)),
        )

    def _content(self, given: Mapping[str, Any]) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for name, longest in FACTS.items():
            if said := given.get(name):
                content[name] = self._fact(str(said), longest)
        for name in ("input", "output"):
            if said := given.get(name):
                content[name] = self._text(said if isinstance(said, str) else _json(said))
        if turns := given.get("conversation"):
            content["conversation"] = [
                {"role": _line(str(turn.get("role") or "user"), 40), "content": self._text(_prose(turn.get("content")))}
                for turn in turns
                if isinstance(turn, Mapping)
            ]
        if documents := list(_documents(given.get("documents") or ())):
            content["documents"] = self._documents(documents)
        if tools := [tool for tool in given.get("tools") or () if isinstance(tool, Mapping)]:
            content["tools"] = [self._tool(tool) for tool in tools]
        if scores := dict(_scores(given.get("scores") or {})):
            content["scores"] = {self._name(name)[:NAME_LONGEST]: value for name, value in scores.items()}
        if metadata := given.get("metadata"):
            content["metadata"] = scrubbed(
                _shallow(metadata if isinstance(metadata, dict) else {"": metadata}), self.tenant
            )
        return content

    def _documents(self, documents: list[Evidence]) -> list[Evidence]:
        if not self.tenant.scrubs:
            return documents
        return clean_evidence(documents, clean_texts({}, documents, self.tenant)["evidence"], self.tenant)

    def _tool(self, tool: Mapping[str, Any]) -> dict[str, Any]:
        rest = {key: value for key, value in tool.items() if key not in ("id", "name", "status") and value is not None}
        named = {"id": tool.get("id"), "name": tool.get("name") or "Tool", "status": tool.get("status")}
        return {
            **{key: self._name(_line(str(value), ID_LONGEST)) for key, value in named.items() if value},
            **self._tree(rest),
        }

    def _tree(self, tree: dict[str, Any]) -> dict[str, Any]:
        key = to_json(tree)
        if key not in self._trees:
            self._trees[key] = scrubbed(_shallow(tree), self.tenant)
        return self._trees[key]

    def _fact(self, said: str, longest: int) -> str:
        """A name, shortened so that two that differ stay two."""
        return self._name(_line(said, longest))[:longest]

    def _name(self, name: str) -> str:
        if not name or not self.tenant.scrubs:
            return name
        if name not in self._names:
            self._names[name] = clean_name(name, self.tenant)
        return self._names[name]

    def _text(self, text: str) -> str:
        if text not in self._texts:
            self._texts[text] = scrubbed(text, self.tenant)
        return self._texts[text]


def _documents(given: Iterable[Any]) -> Iterable[Evidence]:
    """Documents with the fields of a case's evidence; one without an id is no document."""
    for document in given:
        name = _line(str(document.get("document_id") or ""), URL_LONGEST) if isinstance(document, Mapping) else ""
        if not name:
            continue
        kept: dict[str, Any] = {"document_id": name}
        if quote := document.get("quote"):
            kept["quote"] = _prose(quote)
        if (score := _number(document.get("score"))) is not None:
            kept["score"] = score
        if title := document.get("title"):
            kept["title"] = _line(str(title), 500)
        if marker := document.get("marker"):
            kept["marker"] = _line(str(marker), 40)
        if (url := document.get("url")) and isinstance(url, str) and len(url) <= URL_LONGEST and _is_link(url):
            kept["url"] = url
        yield cast(Evidence, kept)


def _is_link(url: str) -> bool:
    try:
        link(url)
    except PydanticCustomError:
        return False
    return True


def _scores(given: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Numbers by name, or by the times they were given at."""
    for name, value in list(given.items())[:SCORES_MOST]:
        kept: Any = value
        if isinstance(value, Mapping):
            kept = {str(at): number for at, one in value.items() if (number := _number(one)) is not None} or None
        else:
            kept = _number(value)
        if kept is not None and (line := _line(str(name), NAME_LONGEST)):
            yield line, kept


def _number(value: Any) -> float | None:
    if isinstance(value, bool | int | float) and math.isfinite(value) and abs(value) <= 1e6:
        return float(value)
    return None


def _line(text: str, longest: int) -> str:
    """Without what cannot be seen, in one line; cut where it is too long."""
    return (text if text.isalnum() else _UNSEEN.sub(" ", text).strip())[:longest].rstrip()


def _prose(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else _json(value)


def _json(value: Any) -> str:
    return to_json(value).decode()


def _shallow(value: Any, room: int = DEEPEST) -> Any:
    """The value, with what lies too deep in it as text."""
    if isinstance(value, dict):
        return {key: _shallow(one, room - 1) for key, one in value.items()} if room else _json(value)
    if isinstance(value, list):
        return [_shallow(one, room - 1) for one in value] if room else _json(value)
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(_whole(key)): _whole(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(one) for one in value]
    return value
