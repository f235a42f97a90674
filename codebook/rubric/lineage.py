"""How the categories of a version came about: hitl proposes, the owner confirms, and what cannot be is refused.

Pure but for the end: categories are compared by what they say, and named by their keys, which a version has once each.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from codebook.models import Category, CategoryLink, Version
from codebook.rubric.authoring import Refused, locked_draft, newest_of
from codebook.rubric.content import CONTENT, WORDS
from hitl.audit import log
from hitl.models import User
from hitl.textdiff import tokens

Kind = CategoryLink.Kind
# Kinds that name earlier categories, and of how many: at least, at most.
HOW_MANY: Final[Mapping[str, tuple[int, int]]] = {
    Kind.SAME: (1, 1),
    Kind.REWORDED: (1, 1),
    Kind.SPLIT: (1, 99),
    Kind.MERGED: (2, 99),
    Kind.NEW: (0, 0),
}
ALIKE: Final = 0.6
FEWEST_SHARED: Final = 3
SHORT_WORD: Final = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """How a category came about, and out of which of the version before (their keys)."""

    kind: str
    ancestors: tuple[str, ...] = ()


NEW: Final = Origin(Kind.NEW)


@dataclass(frozen=True, slots=True)
class Hint:
    """That the words of categories look like a split, a merge or another name; for the owner to say."""

    kind: str
    category: str
    ancestors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """By key what the draft's categories are taken for, the keys that would be gone, and what else it may have been."""

    origins: Mapping[str, Origin]
    removed: tuple[str, ...]
    hints: tuple[Hint, ...]


def propose(before: Sequence[Category], after: Sequence[Category]) -> Proposal:
    """What can be told from keys and words alone: the same, reworded, new, removed."""
    earlier = {category.key: category for category in before}
    origins = {}
    for category in after:
        if ancestor := earlier.get(category.key):
            origins[category.key] = Origin(
                Kind.REWORDED if differing(ancestor, category) else Kind.SAME, (ancestor.key,)
            )
        else:
            origins[category.key] = NEW
    used = {key for origin in origins.values() for key in origin.ancestors}
    removed = tuple(key for key in earlier if key not in used)
    return Proposal(origins, removed, tuple(_hints(before, after, origins, removed)))


def complete(before: Sequence[Category], after: Sequence[Category], said: Mapping[str, Origin]) -> dict[str, Origin]:
    """What was said of each category, and for the others what follows from it, or is proposed."""
    proposed = propose(before, after).origins
    split = {key for origin in said.values() if origin.kind == Kind.SPLIT for key in origin.ancestors}
    found = {}
    for category in after:
        origin = said.get(category.key) or proposed[category.key]
        if category.key not in said and origin.ancestors and set(origin.ancestors) <= split:
            origin = Origin(Kind.SPLIT, origin.ancestors)
        found[category.key] = origin
    return found


def differing(ancestor: Category, category: Category) -> list[str]:
    """The parts that do not say the same."""
    return [part for part in CONTENT if getattr(ancestor, part) != getattr(category, part)]


def faults(
    before: Sequence[Category], after: Sequence[Category], origins: Mapping[str, Origin], number: int = 0
) -> list[str]:
    """Why this cannot be how the categories came about, a sentence each. `number`: that of the version before."""
    earlier = {category.key: category for category in before}
    titles = {category.key: category.title or category.key for category in (*before, *after)}
    found = []
    for category in after:
        if origin := origins.get(category.key):
            found += _fault(category, origin, earlier, number)
        else:
            found.append(f"It is not said how “{titles[category.key]}” came about.")
    if strangers := sorted(set(origins) - {category.key for category in after}):
        found.append(f"It is said how “{strangers[0]}” came about, which this version does not have.")
    found += _fault_of_shares(after, origins, titles)
    if circle := circle_of(origins):
        named = " from ".join(f"“{titles.get(key, key)}”" for key in circle)
        found.append(f"These are split in a circle: {named}. What is split off is a part; say which came first.")
    return found


def words(origin: Origin, titles: Mapping[str, str]) -> str:
    """`Split from “Tone”`. The same needs no words of what it is the same as, unless that went by another key."""
    named = " and ".join(f"“{titles.get(key, key)}”" for key in origin.ancestors)
    if origin.kind in (Kind.SPLIT, Kind.MERGED):
        return f"{Kind(origin.kind).label} {named}"
    return str(Kind(origin.kind).label)


def _fault(category: Category, origin: Origin, earlier: Mapping[str, Category], number: int) -> list[str]:
    title = category.title or category.key
    if origin.kind not in HOW_MANY:
        return [f"“{title}” is said to be “{origin.kind}”; that is none of {', '.join(HOW_MANY)}."]
    if unknown := [key for key in origin.ancestors if key not in earlier]:
        has = f"version {number} does not have" if number else "no version before has"
        return [f"“{title}” is said to come from “{unknown[0]}”, which {has}."]
    least, most = HOW_MANY[origin.kind]
    given = len(set(origin.ancestors))
    if not least <= given <= most:
        if origin.kind == Kind.NEW:
            return [f"“{title}” is said to be new and to come from “{origin.ancestors[0]}”. Only one can be."]
        wanted = {Kind.MERGED: "two or more earlier categories", Kind.SPLIT: "the category it was part of"}
        return [f"“{title}” is {_called(origin)}: say of {wanted.get(Kind(origin.kind), 'one earlier category')}."]
    if origin.kind == Kind.SAME and (parts := differing(earlier[origin.ancestors[0]], category)):
        named = " and ".join(f"“{WORDS[part]}”" for part in parts)
        return [f"“{title}” cannot be the same: {named} changed. If it still means what it meant, it is reworded."]
    return []


def _called(origin: Origin) -> str:
    return str(Kind(origin.kind).label).lower().removesuffix(" from")


def _fault_of_shares(
    after: Sequence[Category], origins: Mapping[str, Origin], titles: Mapping[str, str]
) -> Iterable[str]:
    """One earlier category goes on as one, or as parts that are all called parts."""
    heirs: dict[str, list[str]] = defaultdict(list)
    for category in after:
        for key in dict.fromkeys(origins.get(category.key, NEW).ancestors):
            heirs[key].append(category.key)
    for key, its in heirs.items():
        kinds = {origins[heir].kind for heir in its}
        named = " and ".join(f"“{titles[heir]}”" for heir in its)
        if len(its) == 1 and kinds == {Kind.SPLIT}:
            yield (
                f"{named} is all that “{titles.get(key, key)}” was split into. A split has two parts or more; where "
                "the rest was dropped, it is reworded."
            )
        elif len(its) > 1 and kinds != {Kind.SPLIT}:
            yield (
                f"{named} all come from “{titles.get(key, key)}”. A label given then may have meant any of them: say "
                "of each that it is split from it."
            )


def circle_of(origins: Mapping[str, Origin]) -> list[str]:
    """Keys that are split from each other in a circle, the first one again at the end."""
    parents = {
        key: [ancestor for ancestor in origin.ancestors if ancestor != key]
        for key, origin in origins.items()
        if origin.kind == Kind.SPLIT
    }
    clear: set[str] = set()
    for start in parents:
        path: list[str] = []
        waiting = [(start, 0)]
        while waiting:
            key, depth = waiting.pop()
            del path[depth:]
            if key in path:
                return [*path[path.index(key) :], key]
            path.append(key)
            if key not in clear:
                clear.add(key)
                waiting += [(parent, depth + 1) for parent in parents.get(key, ())]
    return []


def _hints(
    before: Sequence[Category], after: Sequence[Category], origins: Mapping[str, Origin], removed: Sequence[str]
) -> Iterable[Hint]:
    bags = {category.key: _bag(category) for category in before}
    for category in after:
        origin = origins[category.key]
        if origin.kind == Kind.SAME:
            continue
        own = _bag(category)
        alike = [key for key, bag in bags.items() if key != category.key and _overlap(own, bag) >= ALIKE]
        gone = [key for key in alike if key in removed]
        if gone and len({*gone, *origin.ancestors}) > 1:
            merged = tuple(key for key in bags if key in {*gone, *origin.ancestors})
            yield Hint(Kind.MERGED, category.key, merged)
        elif alike and origin.kind == Kind.NEW:
            nearest = max(gone or alike, key=lambda key: _overlap(own, bags[key]))
            yield Hint(Kind.REWORDED if gone else Kind.SPLIT, category.key, (nearest,))


def _bag(category: Category) -> frozenset[str]:
    said = tokens(f"{category.title} {category.definition}".casefold())
    return frozenset(word for word in said if len(word) > SHORT_WORD)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of the shorter's words that the longer has too; 0 where they are too few to tell."""
    shared = len(one & other)
    return shared / min(len(one), len(other)) if shared >= FEWEST_SHARED else 0.0


# What is on record ------------------------------------------------------------------------------------------------


def said(version: Version) -> dict[str, Origin]:
    """By key, what is on record of how the version's categories came about; “the same” only while it is."""
    found: dict[str, Origin] = {}
    links = (
        version.links.filter(category__isnull=False)
        .select_related("category", "ancestor")
        .order_by("ancestor__position", "pk")
    )
    for link in links:
        assert link.category
        if link.ancestor is None:
            found[link.category.key] = NEW
        elif link.kind != Kind.SAME or version.content_hash or not differing(link.ancestor, link.category):
            earlier = found.get(link.category.key, NEW).ancestors
            found[link.category.key] = Origin(link.kind, (*earlier, link.ancestor.key))
    return found


@transaction.atomic
def set_origin(*, category: Category, kind: str, ancestors: Sequence[Category], by: User) -> None:
    """Puts on record how a draft's category came about; it stands until it is said otherwise, or published.

    Raises Refused, and leaves what was said before, where it cannot be.
    """
    version = locked_draft(category.version_id)
    if version.codebook.owner_id != by.pk:
        raise Refused(f"Only {version.codebook.owner.name} says how a category came about.")
    newest = newest_of(version.codebook)
    before = list(newest.categories.all()) if newest else []
    number = newest.number if newest else 0
    if stranger := next((one for one in ancestors if one not in before), None):
        what = f"version {number}" if number else "an earlier version, and there is none"
        raise Refused(f"“{stranger.title}” is not of {what}: a category comes from the version before.")
    origin = Origin(kind, tuple(dict.fromkeys(one.key for one in ancestors)))
    wrong = _fault(category, origin, {one.key: one for one in before}, number)
    together = {**said(version), category.key: origin}
    if circle := circle_of(together):
        wrong.append(f"“{circle[0]}” and “{circle[1]}” cannot each be split from the other.")
    if wrong:
        raise Refused(" ".join(wrong))
    version.links.filter(category=category).delete()
    put_on_record(version, [category], before, {category.key: origin}, by)
    log.append(
        actor=by, action="codebook.origin_said", subject=f"codebook:{version.codebook_id}", tenant_id=None,
        detail={"version": version.number, "category": category.key, "kind": str(kind), "of": list(origin.ancestors)},
    )  # fmt: skip


def put_on_record(
    version: Version,
    after: Sequence[Category],
    before: Sequence[Category],
    origins: Mapping[str, Origin],
    by: User | None,
) -> None:
    """Step: the links of these categories. `by`: who confirmed them; None where nobody was asked."""
    earlier = {category.key: category for category in before}
    CategoryLink.objects.bulk_create(
        CategoryLink(version=version, category=category, ancestor=ancestor, kind=origin.kind, confirmed_by=by)
        for category in after
        if (origin := origins.get(category.key))
        for ancestor in (map(earlier.__getitem__, dict.fromkeys(origin.ancestors)) if origin.ancestors else (None,))
    )


def put_removed_on_record(
    version: Version, before: Sequence[Category], origins: Mapping[str, Origin], by: User | None
) -> None:
    """Step: the categories of the version before that nothing came from."""
    used = {key for origin in origins.values() for key in origin.ancestors}
    CategoryLink.objects.bulk_create(
        CategoryLink(version=version, ancestor=category, kind=Kind.REMOVED, confirmed_by=by)
        for category in before
        if category.key not in used
    )
