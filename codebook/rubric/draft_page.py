"""What the page of a draft shows: its categories as cards, what each lacks, and what readers said."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from codebook.models import Category, Comment, Version
from codebook.rubric.content import CONTENT, LONGEST, WORDS

HELP: Final[Mapping[str, str]] = {
    "title": "What reviewers read on the button.",
    "key": "How files and answers name it. Kept from version to version, so that earlier labels find it.",
    "definition": "When is it this? One or two sentences that two people would read alike.",
    "positive_example": "A passage that is one, and why.",
    "negative_example": "A passage that is fine, and why.",
    "edge_case": "What comes close and is explicitly not one.",
}
ONE_LINE: Final = ("title", "key")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a category as a form field. `was`: a digest of what it held when it was shown."""

    category_id: int
    name: str
    text: str
    problem: str = ""

    @property
    def id(self) -> str:
        return f"c{self.category_id}-{self.name}"

    @property
    def label(self) -> str:
        return WORDS[self.name]

    @property
    def help(self) -> str:
        return HELP[self.name]

    @property
    def longest(self) -> int:
        return LONGEST[self.name]

    @property
    def is_one_line(self) -> bool:
        return self.name in ONE_LINE

    @property
    def was(self) -> str:
        return digest(self.text)


@dataclass(frozen=True, slots=True)
class Card:
    category: Category
    comments: tuple[Comment, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        ordered = ("title", "key", *CONTENT[2:])
        return tuple(Part(self.category.pk, name, getattr(self.category, name)) for name in ordered)

    @property
    def missing(self) -> list[str]:
        return missing_words(self.category)

    @property
    def open(self) -> int:
        return sum(comment.resolved_at is None for comment in self.comments)


@dataclass(frozen=True, slots=True)
class DraftPage:
    cards: tuple[Card, ...]
    comments: tuple[Comment, ...]

    @property
    def lacking(self) -> int:
        return sum(bool(card.missing) for card in self.cards)

    @property
    def open(self) -> int:
        return sum(card.open for card in self.cards) + sum(comment.resolved_at is None for comment in self.comments)


def draft_page(version: Version) -> DraftPage:
    said: dict[int | None, list[Comment]] = defaultdict(list)
    for comment in version.comments.select_related("author").order_by("pk"):
        said[comment.category_id].append(comment)
    cards = tuple(Card(category, tuple(said[category.pk])) for category in version.categories.all())
    return DraftPage(cards, tuple(said[None]))


def missing_words(category: Category) -> list[str]:
    """The parts that it lacks, as they are called on the page."""
    return [WORDS[name] for name in CONTENT if not getattr(category, name).strip()]


def digest(text: str) -> str:
    """Short, and the same however a browser ends its lines."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()[:12]


def typed(posted: Mapping[str, str], names: Iterable[str] = CONTENT) -> dict[str, str]:
    """Of a form, the parts that were typed into: what still says what was shown is nobody's word."""
    return {
        name: posted[name].replace("\r\n", "\n")
        for name in names
        if name in posted and posted.get(f"was_{name}") != digest(posted[name])
    }
