"""How two versions of a codebook differ: category by category, part by part, word by word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.safestring import SafeString

from codebook.models import Category, Version
from codebook.rubric import lineage
from codebook.rubric.content import CONTENT, WORDS
from codebook.rubric.lineage import NEW, Kind, Origin
from hitl import textdiff

STRONGEST = (Kind.SPLIT, Kind.MERGED, Kind.REWORDED, Kind.SAME)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a category in both versions. `ops`: the way from one to the other."""

    name: str
    ops: tuple[textdiff.Op, ...]

    @property
    def words(self) -> str:
        return WORDS[self.name]

    @property
    def has_changed(self) -> bool:
        return any(op.kind != "same" for op in self.ops)

    @property
    def html(self) -> SafeString:
        return textdiff.to_html(self.ops)


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of a category. `came`: how, in words."""

    key: str
    title: str
    state: str  # same, changed, added, removed
    came: str
    parts: tuple[Part, ...]

    @property
    def changed(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.has_changed)


@dataclass(frozen=True, slots=True)
class Comparison:
    differences: tuple[Difference, ...]
    has_other_order: bool

    @property
    def told(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.state != "same")

    @property
    def same(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.state == "same")


def compare(before: Sequence[Category], after: Sequence[Category], origins: Mapping[str, Origin]) -> Comparison:
    """`origins`: by key of a category after, how it came about and out of which before."""
    earlier = {category.key: category for category in before}
    titles = {category.key: category.title or category.key for category in (*after, *before)}
    found, used, order = [], set(), []
    for category in after:
        origin = origins.get(category.key, NEW)
        used |= set(origin.ancestors)
        ancestor = _nearest(category, origin, earlier)
        if ancestor is None:
            found.append(_difference(category, "added", lineage.words(NEW, titles), None, category))
            continue
        order.append(ancestor.key)
        parts = lineage.differing(ancestor, category)
        is_same = not parts and origin.kind in (Kind.SAME, Kind.REWORDED)
        came = "" if is_same else lineage.words(origin, titles)
        found.append(_difference(category, "same" if is_same else "changed", came, ancestor, category))
    found += [
        _difference(category, "removed", str(Kind.REMOVED.label), category, None)
        for category in before
        if category.key not in used
    ]
    kept = list(dict.fromkeys(order))
    return Comparison(tuple(found), kept != [category.key for category in before if category.key in set(kept)])


def between(older: Version, newer: Version) -> Comparison:
    """Two versions of one codebook, the older by number first; a draft as it is said or would be proposed to be."""
    return compare(list(older.categories.all()), list(newer.categories.all()), traced(older, newer))


def traced(older: Version, newer: Version) -> dict[str, Origin]:
    """How the newer's categories came about out of the older's, through all the published versions between them.

    An imported version stands beside the others: of it, only keys and words tell.
    """
    is_beside = Version.State.IMPORTED in (older.state, newer.state)
    between = Version.objects.filter(
        codebook=newer.codebook_id, state=Version.State.PUBLISHED, number__gt=older.number, number__lt=newer.number
    )
    chain = [older, *([] if is_beside else between.order_by("number")), newer]
    steps = [list(version.categories.all()) for version in chain]
    found = {category.key: Origin(Kind.SAME, (category.key,)) for category in steps[0]}
    for (before, after), version in zip(pairwise(steps), chain[1:], strict=True):
        stated = lineage.complete(before, after, {} if is_beside else lineage.said(version))
        found = {key: _through(origin, found) for key, origin in stated.items()}
    return found


def _through(origin: Origin, before: Mapping[str, Origin]) -> Origin:
    """A step after earlier steps: the strongest thing that happened on the way is what it is called."""
    ways = [before[key] for key in origin.ancestors if key in before]
    ancestors = tuple(dict.fromkeys(key for way in ways for key in way.ancestors))
    if not ancestors:
        return NEW
    kinds = {str(origin.kind), *(str(way.kind) for way in ways)}
    return Origin(next(kind for kind in STRONGEST if kind in kinds), ancestors)


def _nearest(category: Category, origin: Origin, earlier: Mapping[str, Category]) -> Category | None:
    """The one of its ancestors whose words its own are shown against: of the same key, else the most alike."""
    ancestors = [earlier[key] for key in origin.ancestors if key in earlier]
    same_key = [one for one in ancestors if one.key == category.key]
    alike = sorted(ancestors, key=lambda one: textdiff.edit_ratio(one.definition, category.definition))
    return next(iter(same_key or alike), None)


def _difference(
    category: Category, state: str, came: str, before: Category | None, after: Category | None
) -> Difference:
    parts = (
        Part(name, textdiff.diff(*(getattr(one, name) if one else "" for one in (before, after)))) for name in CONTENT
    )
    return Difference(category.key, category.title or category.key, state, came, tuple(parts))
