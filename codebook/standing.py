"""Which labels count today: those whose words still stand. Derived from how the categories of the versions are linked.

A label of a category that is the same, or that the owner carried over, counts for its descendant; all others are in
quarantine: kept as they are, out of every figure and dataset.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from codebook.models import Category, CategoryLink, Version
from codebook.rubric.content import CONTENT
from codebook.versions import NoCodebook, Rubric, rubric

NAMED_AT_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Link:
    """How a category of a version came about; of an imported version: what its category means in a published one."""

    version_id: int
    category_id: int | None
    ancestor_id: int | None
    kind: str
    carried: bool = False

    @property
    def counts(self) -> bool:
        return self.kind == CategoryLink.Kind.SAME or self.carried


@dataclass(frozen=True, slots=True)
class Standing:
    """What the labels of every version are worth under the newest.

    `counts_as`: category of any version -> the newest's category that its labels count for.
    `judged_under`: category of the newest -> the versions whose labels say whether it is there; under others it is not
    known, which is not the same as absent. `quarantined`: category of the newest -> the versions that had it in other
    words. `numbers`: version id -> number. `links`: all that this was derived from, guesses where none are on record.
    """

    newest: Rubric
    counts_as: Mapping[int, int]
    judged_under: Mapping[int, frozenset[int]]
    numbers: Mapping[int, int]
    quarantined: Mapping[int, frozenset[int]] = field(default_factory=dict)
    imported: frozenset[int] = frozenset()
    links: tuple[Link, ...] = ()


def standing(codebook_id: int) -> Standing:
    """Raises NoCodebook while nothing is published."""
    versions = list(
        Version.objects.filter(codebook=codebook_id).order_by("number").values_list("pk", "number", "state")
    )
    published = [rubric(pk) for pk, _, state in versions if state == Version.State.PUBLISHED]
    if not published:
        raise NoCodebook
    confirmed = CategoryLink.objects.filter(version__codebook=codebook_id).exclude(version__state=Version.State.DRAFT)
    links = [
        Link(version, category, ancestor, kind, carried_at is not None)
        for version, category, ancestor, kind, carried_at in confirmed.order_by("pk").values_list(
            "version", "category", "ancestor", "kind", "carried_at"
        )
    ]
    return follow(links, published, {pk: number for pk, number, _ in versions})


def follow(links: Iterable[Link], published: Sequence[Rubric], numbers: Mapping[int, int]) -> Standing:
    """`published`: the published versions, oldest first; links of other versions are those of imported ones."""
    chain = {edition.id for edition in published}
    known = _with_guesses(list(links), published)
    forward = _without_forks([link for link in known if link.version_id in chain])
    imported = _without_forks([_turned(link) for link in known if link.version_id not in chain])
    counts_as = _counts_as(forward, imported, published)
    judged, touched = _judged(forward, imported, published)
    newest = published[-1]
    return Standing(
        newest=newest,
        counts_as=counts_as,
        judged_under={category.pk: judged[category.pk] for category in newest.categories},
        numbers=numbers,
        quarantined={category.pk: touched[category.pk] - judged[category.pk] for category in newest.categories},
        imported=frozenset(step.version_id for step in imported),
        links=tuple(known),
    )


def words(found: Standing) -> str:
    """`versions 2 and 3; version 1 but for Tone (in quarantine)`: what stands under a figure and in an export."""
    titles = {category.pk: category.title for category in found.newest.categories}
    missing: dict[int, list[str]] = defaultdict(list)
    for category, versions in found.quarantined.items():
        for version in versions:
            missing[version].append(titles[category])
    counted = frozenset[int]().union(*found.judged_under.values(), {found.newest.id})
    whole = counted - missing.keys()
    groups: dict[str, list[int]] = defaultdict(list)
    for version in sorted(missing, key=lambda pk: found.numbers[pk]):
        without = f"but for {_titles(missing[version])} (in quarantine)" if version in counted else "(in quarantine)"
        groups[without].append(version)
    return "; ".join([_versions(found, whole), *(f"{_versions(found, those)} {how}" for how, those in groups.items())])


def _with_guesses(links: list[Link], published: Sequence[Rubric]) -> list[Link]:
    """Where nothing is on record about a category, its key and its words say what the owner would be offered."""
    told = {(link.version_id, link.category_id) for link in links}
    spoken_of = {(link.version_id, link.ancestor_id) for link in links}
    guesses = []
    for before, after in pairwise(published):
        by_key = {category.key: category for category in before.categories}
        for category in after.categories:
            ancestor = by_key.get(category.key)
            if ancestor and (after.id, category.pk) not in told and (after.id, ancestor.pk) not in spoken_of:
                kind = (
                    CategoryLink.Kind.SAME if _content(ancestor) == _content(category) else CategoryLink.Kind.REWORDED
                )
                guesses.append(Link(after.id, category.pk, ancestor.pk, kind))
    return [*links, *guesses]


def _content(category: Category) -> list[str]:
    return [getattr(category, name) for name in CONTENT]


@dataclass(frozen=True, slots=True)
class _Step:
    """From a category to the one that its labels would count for. `holds`: they do."""

    version_id: int
    source: int
    target: int
    same: bool
    holds: bool


def _turned(link: Link) -> Link:
    """An imported category stands beside the published one it names, not after it: its labels count towards that."""
    return Link(link.version_id, link.ancestor_id, link.category_id, link.kind, link.carried)


def _without_forks(links: Iterable[Link]) -> list[_Step]:
    """A label counts for one category at most: for the one that is the same, else for the only one carried over."""
    steps = [
        _Step(
            link.version_id,
            link.ancestor_id,
            link.category_id,
            link.kind == CategoryLink.Kind.SAME,
            link.counts and link.kind != CategoryLink.Kind.SPLIT,
        )
        for link in links
        if link.category_id is not None and link.ancestor_id is not None
    ]
    same: dict[tuple[int, int], set[int]] = defaultdict(set)
    carried: dict[tuple[int, int], set[int]] = defaultdict(set)
    for step in steps:
        if step.holds:
            (same if step.same else carried)[step.version_id, step.source].add(step.target)
    winners = {
        key: next(iter(targets))
        for key in same.keys() | carried.keys()
        if len(targets := same.get(key) or carried[key]) == 1
    }
    return [
        _Step(
            step.version_id,
            step.source,
            step.target,
            step.same,
            step.holds and winners.get((step.version_id, step.source)) == step.target,
        )
        for step in steps
    ]


def _counts_as(forward: list[_Step], imported: list[_Step], published: Sequence[Rubric]) -> dict[int, int]:
    counts = {category.pk: category.pk for category in published[-1].categories}
    for edition in reversed(published):
        for step in forward:
            if step.version_id == edition.id and step.holds and step.target in counts:
                counts[step.source] = counts[step.target]
    beside = {step.source: counts[step.target] for step in imported if step.holds and step.target in counts}
    return counts | beside


def _judged(
    forward: list[_Step], imported: list[_Step], published: Sequence[Rubric]
) -> tuple[dict[int, frozenset[int]], dict[int, frozenset[int]]]:
    """By category: the versions that judge it, all of whose paths hold; and those that had any part of it."""
    parts: dict[int, list[_Step]] = defaultdict(list)
    beside: dict[int, list[_Step]] = defaultdict(list)
    for step in forward:
        parts[step.target].append(step)
    for step in imported:
        beside[step.target].append(step)
    judged: dict[int, frozenset[int]] = {}
    touched: dict[int, frozenset[int]] = {}
    for edition in published:
        for category in edition.categories:
            before = [step for step in parts[category.pk] if step.source in judged]
            own = {edition.id} | {step.version_id for step in beside[category.pk]}
            broken = {step.version_id for step in beside[category.pk] if not step.holds}
            older = (
                frozenset.intersection(*(judged[step.source] for step in before))
                if before and all(step.holds for step in before)
                else frozenset[int]()
            )
            judged[category.pk] = frozenset(own - broken) | older
            touched[category.pk] = frozenset(own).union(*(touched[step.source] for step in before))
    return judged, touched


def _versions(found: Standing, ids: Collection[int]) -> str:
    ordered = sorted(ids, key=lambda pk: found.numbers[pk])
    named = [f"{found.numbers[pk]}{' (imported)' if pk in found.imported else ''}" for pk in ordered]
    return f"version{'' if len(named) == 1 else 's'} {_listed(named)}"


def _titles(titles: Sequence[str]) -> str:
    more = len(titles) - NAMED_AT_MOST
    return _listed([*titles[:NAMED_AT_MOST], f"{more} more"] if more > 1 else titles)


def _listed(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
