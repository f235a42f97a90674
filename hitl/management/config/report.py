"""What an import did, line by line."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from queues.risk import Risk

LONGEST = 80


@dataclass
class Report:
    """`links`: where new people set their password, by address. `left`: what the file does not name."""

    things: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str, name: str) -> list[str]:
        """The words on one thing; it is unchanged as long as there are none."""
        return self.things.setdefault((kind, name), [])

    def counts(self) -> dict[str, int]:
        found = Counter(
            "unchanged" if not said else "created" if said[0] == "created" else "changed"
            for said in self.things.values()
        )
        return {state: found[state] for state in ("created", "changed", "unchanged")} | {"left_alone": len(self.left)}

    @property
    def changed(self) -> bool:
        return any(self.things.values())

    def lines(self) -> list[str]:
        told = [f"{' '.join(thing)}: {word}" for thing, said in self.things.items() for word in said or ["unchanged"]]
        return [*told, *self.notes, *(f"{one}: not in the file, left alone" for one in self.left)]


def change(name: str, before: Any, after: Any) -> str:
    return f"{name} {shown(before)} -> {shown(after)}"


def shown(value: Any) -> str:
    """A value as a line of the report may show it: short."""
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Risk):
        return value.name.lower()
    if isinstance(value, list):
        return f"[{_cut(', '.join(map(str, value)))}]"
    return _cut(" ".join(str(value).split()))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
