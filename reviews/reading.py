"""Lays a case's texts out for reading: the draft with its claims, the evidence with the passages it leans on."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from hitl import passages, rendering
from hitl.rendering import Mark

NOWHERE = 0.05
NAMES_ITS_SOURCE = re.compile(r"\[\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class Document:
    """One piece of evidence as the screen shows it; `number` is how the draft's claims refer to it."""

    number: int
    document_id: str
    title: str
    score: float | None
    html: SafeString
    incorrect: bool


def rich(text: str) -> SafeString:
    """A model's or a user's text, safe to show."""
    return rendering.markdown(text)


def lay_out(
    draft: str, evidence: Sequence[Mapping[str, Any]], *, anchor: str, incorrect: frozenset[str] = frozenset()
) -> tuple[SafeString, list[Document]]:
    """The draft, each claim pointing at the documents that bear it out (or at none), and these with their passages.

    `anchor` and a document's number make the id of its place on the page.
    """
    quotes = [document.get("quote") or "" for document in evidence]
    markers = [document.get("marker") or "" for document in evidence]
    leaning = passages.lean(draft, quotes, markers if any(markers) else ())
    claims = [mark for claim in leaning.claims if (mark := _mark(claim, draft))]
    html = rendering.markdown(draft, claims if any(quotes) else (), anchor)
    documents = [
        Document(
            number=number,
            document_id=document["document_id"],
            title=document.get("title") or "",
            score=document.get("score"),
            html=rendering.plain(quote, [Mark(start, end) for start, end in marks]),
            incorrect=document["document_id"] in incorrect,
        )
        for number, (document, quote, marks) in enumerate(zip(evidence, quotes, leaning.marks, strict=True), 1)
    ]
    return html, documents


def _mark(claim: passages.Claim, draft: str) -> Mark | None:
    """Words in common guide the eye and prove nothing, so between found and not found most sentences stay unmarked."""
    if claim.supported:
        return Mark(claim.start, claim.end, css="claim", refs=tuple(index + 1 for index in claim.documents))
    if claim.overlap < NOWHERE and not NAMES_ITS_SOURCE.search(draft, claim.start, claim.end):
        return Mark(claim.start, claim.end, css="claim no", words="its words are not in the evidence")
    return None


def tool(result: Mapping[str, Any]) -> dict[str, str]:
    """A tool's result: its name, how it went, and what it answered."""
    rest = {key: value for key, value in result.items() if key not in ("name", "status")}
    output = rest.get("output", rest) if set(rest) <= {"output"} else rest
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, indent=2)
    return {"name": str(result.get("name") or "Tool"), "status": str(result.get("status") or ""), "text": text}
