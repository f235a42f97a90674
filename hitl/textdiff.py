"""What was changed between two texts, by words: for the eye, and as one number."""

import re
from dataclasses import dataclass
from typing import Literal

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from rapidfuzz.distance import Levenshtein

from hitl.rendering import visible

_TOKENS = re.compile(r"\s+|\w+|[^\w\s]")
_WORDS = {"removed": ("del", "removed"), "added": ("ins", "added")}


@dataclass(frozen=True, slots=True)
class Op:
    kind: Literal["same", "removed", "added"]
    text: str


def diff(before: str, after: str) -> tuple[Op, ...]:
    """The stretches that stayed, went and came, in order; changes parted by white space alone are one change."""
    a, b = _TOKENS.findall(before), _TOKENS.findall(after)
    ops: list[Op] = []
    removed: list[str] = []
    added: list[str] = []

    def close() -> None:
        if removed:
            ops.append(Op("removed", "".join(removed)))
        if added:
            ops.append(Op("added", "".join(added)))
        removed.clear()
        added.clear()

    for op in Levenshtein.opcodes(a, b):
        old, new = a[op.src_start : op.src_end], b[op.dest_start : op.dest_end]
        if op.tag != "equal":
            removed += old
            added += new
        elif (removed or added) and "".join(old).isspace() and op.src_end < len(a) and op.dest_end < len(b):
            removed += old
            added += new
        else:
            close()
            ops.append(Op("same", "".join(old)))
    close()
    return tuple(ops)


def edit_ratio(before: str, after: str) -> float:
    """The share of words and marks that changed: 0 for the same text, 1 for one that has nothing of the other.

    Levenshtein's distance over tokens, divided by the longer text's number of tokens.
    """
    a, b = _TOKENS.findall(before), _TOKENS.findall(after)
    return float(Levenshtein.normalized_distance(a, b))


def to_html(ops: tuple[Op, ...]) -> SafeString:
    """The difference as `<del>` and `<ins>`, each said in words for those who do not see it."""
    parts = []
    for op in ops:
        text = visible(op.text)
        if op.kind == "same":
            parts.append(text)
        else:
            tag, words = _WORDS[op.kind]
            parts.append(f'<{tag}><span class="sr-only">{escape(words)}: </span>{text}</{tag}>')
    return mark_safe("".join(parts))
