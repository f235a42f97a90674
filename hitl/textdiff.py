"""How two texts differ, word by word, and how much of a text an edit changed."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from django.utils.safestring import SafeString, mark_safe
from rapidfuzz.distance import Levenshtein

from hitl.rendering import visible

# Rows times columns of the comparison: beyond it, memory would be in hundreds of megabytes, and lines are compared.
MOST_WORK = 400_000_000


@dataclass(frozen=True, slots=True)
class Op:
    """A stretch of text. Those that are same or removed make up the first text, those same or added the second."""

    kind: Literal["same", "removed", "added"]
    text: str


def _marks() -> str:
    """All accents and vowel signs, as ranges of a character class."""
    marks = {n for n in range(0x300, 0x10000) if unicodedata.category(chr(n)).startswith("M")}
    first, last = (sorted(n for n in marks if n + step not in marks) for step in (-1, 1))
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(first, last, strict=True))


_MARKS = _marks()
# Scripts written without spaces are compared letter by letter. An accent, a vowel sign, or the parts of an emoji never
# come apart from what they belong to.
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_TOKEN = re.compile(
    rf"\s+|\d+(?:[.,]\d+)*|[{_UNSPACED}][{_MARKS}]*"
    rf"|(?:[^\W{_UNSPACED}][{_MARKS}\u200c\u200d]*)+(?:['’](?:[^\W{_UNSPACED}][{_MARKS}\u200c\u200d]*)+)*"
    rf"|[\U0001f1e6-\U0001f1ff]{{2}}"
    rf"|[^\w\s](?:[{_MARKS}\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]|\u200d[^\w\s])*|."
)  # fmt: skip


def tokens(text: str) -> list[str]:
    """Words, numbers, signs and the white space between them; joined they are the text again."""
    return _TOKEN.findall(text)


def diff(a: str, b: str) -> tuple[Op, ...]:
    """The way from `a` to `b` in words, removals before additions; changes parted by white space alone are one."""
    return _diff(a, b, tokens(a), tokens(b)) if a != b else _same(a)


def edited(a: str, b: str) -> tuple[tuple[Op, ...], float]:
    """`diff` and `edit_ratio` in one, for less than both."""
    if a == b:
        return _same(a), 0.0
    old, new = tokens(a), tokens(b)
    return _diff(a, b, old, new), _ratio(old, new)


def _same(text: str) -> tuple[Op, ...]:
    return (Op("same", text),) if text else ()


def _diff(a: str, b: str, old: list[str], new: list[str]) -> tuple[Op, ...]:
    if len(old) * len(new) > MOST_WORK:
        old, new = a.splitlines(keepends=True), b.splitlines(keepends=True)
    if len(old) * len(new) > MOST_WORK:
        return tuple(op for op in (Op("removed", a), Op("added", b)) if op.text)
    return _joined(_hunks(old, new))


class _Hunk(NamedTuple):
    """What is the same, then what changed after it."""

    same: str
    removed: str
    added: str


def _hunks(old: Sequence[str], new: Sequence[str]) -> list[_Hunk]:
    hunks = [_Hunk("", "", "")]
    for op in Levenshtein.opcodes(old, new):
        before, after = "".join(old[op.src_start : op.src_end]), "".join(new[op.dest_start : op.dest_end])
        if op.tag == "equal":
            hunks.append(_Hunk(before, "", ""))
        else:
            last = hunks[-1]
            hunks[-1] = _Hunk(last.same, last.removed + before, last.added + after)
    return hunks


def _joined(hunks: list[_Hunk]) -> tuple[Op, ...]:
    joined: list[_Hunk] = []
    for hunk in hunks:
        last = joined[-1] if joined else None
        if last and not hunk.same.strip() and hunk.removed + hunk.added and last.removed + last.added:
            removed, added = last.removed + hunk.same + hunk.removed, last.added + hunk.same + hunk.added
            # Two additions with a space between them stay two: else the space would count as removed.
            if removed.strip() and added.strip():
                joined[-1] = _Hunk(last.same, removed, added)
                continue
        joined.append(hunk)
    ops: list[Op] = []
    for hunk in joined:
        ops += [Op("same", hunk.same), Op("removed", hunk.removed), Op("added", hunk.added)]
    return tuple(op for op in ops if op.text)


def edit_ratio(a: str, b: str) -> float:
    """How much of the text was edited: 0 nothing (or white space only), 1 everything. In words, by the longer text."""
    if a == b:
        return 0.0
    return _ratio(tokens(a), tokens(b))


def _ratio(old: list[str], new: list[str]) -> float:
    words = ([token for token in tokens if not token.isspace()] for tokens in (old, new))
    return float(Levenshtein.normalized_distance(*words))


def to_html(ops: Sequence[Op]) -> SafeString:
    """The difference for a page (`white-space: pre-wrap`), with words around each change for those who hear it."""
    return mark_safe("".join(_html(op) for op in ops))


def _html(op: Op) -> str:
    if op.kind == "same":
        return visible(op.text)
    tag = "del" if op.kind == "removed" else "ins"
    text = op.text if op.text.strip() else op.text.replace("\n", "↵\n")
    return (
        f'<{tag}><span class="sr-only"> {op.kind}: </span>{visible(text)}'
        f'<span class="sr-only"> end of what was {op.kind} </span></{tag}>'
    )
