"""What the demo's help desk answers: the story's own questions and answers, found by their words. There is no model."""

import random
import re
from pathlib import Path
from typing import Any, Final

import yaml

STORY: Final = Path(__file__).parents[1] / "traffic.yaml"
TENANT: Final = "northlight"
UNKNOWN: Final = "I'm sorry, our help pages say nothing on that. Try asking about refunds, meters or moving house."
WORDS: Final = re.compile(r"\w{4,}")
FILLED: Final = {"{amount}": "86.40", "{n}": "4711", "{day}": "Friday"}


class Desk:
    """The story's templates, read once."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self.chance = chance or random.Random()  # noqa: S311 -- which answer is given, of two
        told: dict[str, dict[str, Any]] = yaml.safe_load(STORY.read_text())
        self.kinds = {slug: kind for slug, kind in told.items() if kind["tenant"] == TENANT}

    def reply(self, question: str, before: str = "") -> dict[str, Any]:
        """A trace without its id and time. `before`: the answer that was given, where another one is wanted."""
        asked = set(WORDS.findall(question.lower()))
        fits = {slug: len(asked & self._words(kind)) for slug, kind in self.kinds.items()}
        best = max(fits, key=lambda slug: fits[slug])
        if not fits[best]:
            return {"input": question, "output": UNKNOWN, "topic": "unknown", **self._made()}
        good = self.chance.random() < 0.5 if not before else before == _filled(self.kinds[best]["bad"])
        return self.answer(best, good=good) | {"input": question}

    def answer(self, slug: str, *, good: bool) -> dict[str, Any]:
        """The story's good or bad answer to its first question of this kind."""
        kind = self.kinds[slug]
        return {
            "input": _filled(kind["ask"][0]),
            "output": _filled(kind["good" if good else "bad"]),
            "documents": [kind["document"]],
            "topic": kind["topic"],
            "domain": kind["domain"],
            "language": kind.get("language", "en"),
            **self._made(),
        }

    def _made(self) -> dict[str, Any]:
        return {"model": "support-7", "prompt_version": "32", "release": "2026.46"}

    def _words(self, kind: dict[str, Any]) -> set[str]:
        return set(WORDS.findall(" ".join([*kind["ask"], kind["topic"]]).lower()))


def _filled(text: str) -> str:
    for name, value in FILLED.items():
        text = text.replace(name, value)
    return text
