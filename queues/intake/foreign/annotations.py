"""Annotations and evaluations of spans as OpenTelemetry, OpenInference and Phoenix have them, as words of one shape."""

import hashlib
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from queues.intake.foreign.meaning import Word

HUMAN: Final = "HUMAN"


def word(
    name: Any,
    *,
    about: str,
    kind: Any = "LLM",
    label: Any = None,
    score: Any = None,
    explanation: Any = None,
    metadata: Any = None,
    identifier: Any = "",
    at: datetime | None = None,
) -> Word:
    """One annotation. `about` names what it is on (a trace, a span, a document); with its content it makes the id, so
    that the same one sent again is the same, and a changed one is another.
    """
    said = [str(one) for one in (about, name, kind, identifier, label, score, explanation)]
    digest = hashlib.sha256("\x00".join(said).encode("utf-8", "replace")).hexdigest()[:32]
    number = float(score) if isinstance(score, bool | int | float) and math.isfinite(score) else None
    text = label if isinstance(label, str) else ""
    comment = explanation if isinstance(explanation, str) else ""
    if not text and number is None:
        text, comment = comment, ""
    return Word(
        id=f"annotation:{digest}",
        trace="",
        name=str(name).strip()[:120],
        at=at,
        number=number if number is not None and abs(number) <= 1e6 else None,
        text=text,
        comment=comment,
        by_machine=str(kind).upper() != HUMAN,
        metadata=metadata if isinstance(metadata, Mapping) else {},
    )
