"""What a category says: its parts, what each is for, how long it may be, and the hash over all of them."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.text import slugify

from codebook.models import Category

CONTENT: Final = ("key", "title", "definition", "positive_example", "negative_example", "edge_case")
# What each part is called on a screen.
WORDS: Final[Mapping[str, str]] = {
    "key": "Key",
    "title": "Title",
    "definition": "What it is",
    "positive_example": "Clearly one",
    "negative_example": "Clearly not one",
    "edge_case": "Looks like one, is not",
}
EXAMPLES: Final = ("positive_example", "negative_example", "edge_case")
LONGEST: Final[Mapping[str, int]] = {"key": 60, "title": 80} | dict.fromkeys(CONTENT[2:], 100_000)
_KEY = re.compile(r"[A-Za-z0-9_-]+")


def content_hash(categories: Iterable[Category]) -> str:
    """SHA-256 over what the categories say, in their order."""
    content = [[getattr(category, field) for field in CONTENT] for category in categories]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def fault(field: str, text: str) -> str:
    """Why this text cannot stand in this part, in a sentence; none if it can. To be empty is no fault yet."""
    if "\x00" in text:
        return f"{WORDS[field]}: it holds a sign that cannot be stored (NUL)."
    if len(text) > LONGEST[field]:
        return f"{WORDS[field]}: {len(text):,} characters; at most {LONGEST[field]:,} are kept."
    if field == "key" and not _KEY.fullmatch(text):
        return "Key: letters, digits, hyphens and underscores, and at least one of them."
    if field == "title" and len(text.splitlines()) > 1:
        return "Title: one line."
    return ""


def missing(category: Category) -> list[str]:
    """The parts that it lacks, as its publisher is told."""
    return [field.replace("_", " ") for field in CONTENT if not getattr(category, field).strip()]


def free_key(title: str, taken: Iterable[str]) -> str:
    """A key out of a title that no other category has."""
    others = {key.casefold() for key in taken}
    root = slugify(title)[: LONGEST["key"] - 4].strip("-_") or "category"
    return next(key for key in (root, *(f"{root}-{n}" for n in range(2, len(others) + 3))) if key not in others)


def follows_title(key: str, title: str) -> bool:
    """Whether the key is the one that hitl proposed for this title, so that it may change along with it."""
    root = free_key(title, ())
    return key == root or bool(re.fullmatch(re.escape(root) + r"-\d+", key))
