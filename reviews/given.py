"""What a reviewer gave: a verdict, and all they left beside it."""

from dataclasses import dataclass
from typing import Any

from codebook.models import Label
from reviews.models import Finding


class Invalid(Exception):
    """The decision cannot stand as it is; the message says why, in words for the reviewer."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding as the reviewer gave it."""

    kind: Finding.Kind
    text: str = ""
    document_id: str = ""
    indexed: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What the reviewer gave: a verdict under the version on their screen, and all they left beside it."""

    verdict: Label.Verdict
    version_id: int
    category_ids: frozenset[int] = frozenset()
    final_answer: str = ""
    findings: tuple[Found, ...] = ()
    handling_ms: int = 0

    def to_draft(self) -> dict[str, Any]:
        """As autosave keeps it, so that a refused decision is on the screen again whole."""
        return {
            "verdict": self.verdict,
            "final_answer": self.final_answer,
            "categories": sorted(self.category_ids),
            "findings": [
                {"kind": one.kind, "text": one.text, "document_id": one.document_id, "indexed": one.indexed}
                for one in self.findings
            ],
        }
