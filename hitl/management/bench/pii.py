"""How well the scrub finds what is marked in files of texts, said as lines: by kind, and by the files' own types."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hitl.models import Tenant
from hitl.statistics import Interval
from queues.masks import measuring
from queues.scrub.measuring import Figure, Measured
from queues.scrubbing import NAMES

Say = Callable[[str], None]
RULE = (
    "found: at least half of a marked value was masked as its kind; hidden: as anything; right: at least half of a "
    "masking lies in values of its kind. 95% intervals (Wilson)."
)


def files(paths: Sequence[Path], say: Say, *, leave: frozenset[str], regions: Sequence[str] = ()) -> dict[str, Any]:
    """Says the figures of each file; returns them by name. Raises measuring.Refused."""
    say(RULE)
    figures = {}
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            texts = measuring.read(lines, most=10**9, longest=10**9)
            measured = measuring.figures(texts, leave=leave, regions=regions)
        tell(path.name, measured, say)
        figures[path.name] = measured.to_json()
    return figures


def by_both(paths: Sequence[Path], say: Say) -> dict[str, Any]:
    """As tenants have it by default, and with the lists of names as well."""
    found = {}
    for names in (Tenant.Names.SAID, Tenant.Names.KNOWN):
        say(f"Names: {names.label.lower()}.")
        found[names.value] = files(paths, say, leave=NAMES[names])
    return found


def tell(name: str, measured: Measured, say: Say) -> None:
    say(f"{name}: {measured.texts:,} texts")
    say(f"  {'kind':<28}{'found':>12} {'recall':>20} {'hidden':>7} {'right':>12} {'precision':>20}")
    for one in measured.kinds:
        say(_line(one.name, one))
    say("  by the file's own types")
    for one in measured.types:
        say(_line(f"{one.name}{'' if one.kind else ' (not looked for)'}", one))


def _line(name: str, one: Figure) -> str:
    found = f"{one.found}/{one.marked}" if one.marked else "-"
    right = f"{one.right}/{one.masked}" if one.masked else "-"
    return f"  {name:<28}{found:>12} {_share(one.recall):>20} {one.hidden:>7} {right:>12} {_share(one.precision):>20}"


def _share(found: Interval | None) -> str:
    return f"{found.share:.2f} [{found.low:.2f}, {found.high:.2f}]" if found else "-"
