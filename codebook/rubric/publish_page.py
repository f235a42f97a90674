"""What an owner looks at before publishing: what is in the way, what is different, and how it came about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.http import QueryDict

from codebook.models import Category, Version
from codebook.rubric import compare, lineage, publishing
from codebook.rubric.authoring import newest_of
from codebook.rubric.compare import Comparison
from codebook.rubric.content import content_hash
from codebook.rubric.lineage import Hint, Kind, Origin
from hitl.models import User

ASKED: Final[Mapping[str, str]] = {
    Kind.SAME: "is the same",
    Kind.REWORDED: "is reworded from",
    Kind.SPLIT: "is split from",
    Kind.MERGED: "is merged from",
    Kind.NEW: "is new",
}


@dataclass(frozen=True, slots=True)
class Row:
    """How one category came about, as it is asked."""

    category: Category
    origin: Origin
    earlier: Sequence[Category]
    hints: tuple[str, ...]

    @property
    def kinds(self) -> list[tuple[str, str, bool]]:
        return [(kind, words, kind == self.origin.kind) for kind, words in ASKED.items()]

    @property
    def ancestors(self) -> list[tuple[Category, bool]]:
        return [(one, one.key in self.origin.ancestors) for one in self.earlier]

    @property
    def from_words(self) -> str:
        return " and ".join(f"“{one.title}”" for one in self.earlier if one.key in self.origin.ancestors)

    @property
    def is_open(self) -> bool:
        """Whether all that it may come from is laid out: where there is something to choose."""
        return bool(self.hints) or self.origin.kind in (Kind.SPLIT, Kind.MERGED)


@dataclass(frozen=True, slots=True)
class PublishPage:
    newest: Version | None
    faults: tuple[str, ...]
    comparison: Comparison | None
    rows: tuple[Row, ...]
    removed: tuple[Category, ...]
    looked: str


def publish_page(version: Version, by: User, answers: Mapping[str, Origin] | None = None) -> PublishPage:
    """`answers`: what was chosen already; without it, what was said while writing, and proposals for the rest."""
    newest, after = newest_of(version.codebook), list(version.categories.all())
    before = list(newest.categories.all()) if newest else []
    proposal = lineage.propose(before, after)
    origins = lineage.complete(before, after, lineage.said(version) if answers is None else answers)
    titles = {one.key: one.title or one.key for one in before}
    hints: dict[str, list[str]] = {}
    for hint in proposal.hints:
        if origins[hint.category] != Origin(hint.kind, hint.ancestors):
            hints.setdefault(hint.category, []).append(_words(hint, titles))
    used = {key for origin in origins.values() for key in origin.ancestors}
    asked = after if newest else []
    return PublishPage(
        newest=newest,
        faults=tuple(publishing.faults(version, by, after, newest)),
        comparison=compare.compare(before, after, origins) if newest else None,
        rows=tuple(Row(one, origins[one.key], before, tuple(hints.get(one.key, ()))) for one in asked),
        removed=tuple(one for one in before if one.key not in used),
        looked=content_hash(after),
    )


def chosen(version: Version, posted: QueryDict) -> dict[str, Origin]:
    """What the owner chose for each category that the form asked about."""
    found = {}
    for category in version.categories.all():
        if (kind := posted.get(f"how-{category.pk}", "")) in ASKED:
            ancestors = () if kind == Kind.NEW else tuple(dict.fromkeys(posted.getlist(f"from-{category.pk}")))
            found[category.key] = Origin(kind, ancestors)
    return found


def _words(hint: Hint, titles: Mapping[str, str]) -> str:
    named = " and ".join(f"“{titles[key]}”" for key in hint.ancestors)
    asked = {
        Kind.SPLIT: f"Much of it is in {named} as well. Was it split from it?",
        Kind.REWORDED: f"Its words are much like those of {named}, which is gone. Is it the same under another name?",
        Kind.MERGED: f"Its words are in {named}. Was it merged from them?",
    }
    return asked[Kind(hint.kind)]
