"""A step of an interaction as a foreign door hands it over: the one shape that every tracing tool is read into."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class SpanIn:
    """A span, or a later word on it: what was sent again with more in it is merged, whatever came first.

    `trace` and `span` are the ids as the producer names them. `content` holds what the span adds to its trace, by the
    names of the public trace: input, output, conversation, documents, tools, scores, metadata, model, prompt_version,
    release, topic, domain, language, user_key, session; what it does not know is left out. `kind` is llm, retriever,
    reranker, tool, chain, agent, embedding, guardrail, evaluator or empty.
    """

    trace: str
    span: str
    started_at: datetime
    parent: str = ""
    kind: str = ""
    name: str = ""
    ended_at: datetime | None = None
    content: dict[str, Any] = field(default_factory=dict)
