"""What an edit changed in a trace's output: kept short, beside the edited text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hitl import textdiff
from hitl.textdiff import Op

KEPT: Final = "="
REMOVED: Final = "-"
ADDED: Final = "+"
SIGNS: Final = {"removed": REMOVED, "added": ADDED}


@dataclass(frozen=True, slots=True)
class Difference:
    """`steps` lead from the output to the edited text: ["=", how many characters stay], ["-", text], ["+", text].
    `share` is how much was edited, 0 nothing to 1 everything.
    """

    steps: list[list[Any]]
    share: float


def difference(output: str, edited: str) -> Difference:
    """What was edited, word by word."""
    changes, share = textdiff.edited(output, edited)
    steps: list[list[Any]] = [
        [KEPT, len(op.text)] if op.kind == "same" else [SIGNS[op.kind], op.text] for op in changes
    ]
    return Difference(steps, round(share, 4))


def ops(output: str, steps: Sequence[Sequence[Any]]) -> tuple[Op, ...]:
    """The difference as a page shows it: see `hitl.textdiff.to_html`."""
    made: list[Op] = []
    at = 0
    for sign, what in steps:
        if sign == KEPT:
            made.append(Op("same", output[at : at + what]))
            at += what
        elif sign == REMOVED:
            made.append(Op("removed", what))
            at += len(what)
        else:
            made.append(Op("added", what))
    return tuple(made)
