"""Reading for the page of what counts: each category with how it came about, and with the labels that are out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from codebook.models import BatchCount, Category, CategoryLink, LabelBatch
from codebook.standing import Link, Standing

Kind = CategoryLink.Kind

# What is said of a link that is not "the same": {} is the ancestor's title.
CAME: Final = {
    Kind.REWORDED: "in other words than “{}”",
    Kind.SPLIT: "split from “{}”",
    Kind.MERGED: "merged from “{}”",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One link on the way to a category: in which version, and whether labels pass it."""

    number: int
    is_imported: bool
    words: str
    category_id: int
    ancestor_id: int
    may_be_carried: bool
    carried: CategoryLink | None


@dataclass(frozen=True, slots=True)
class Out:
    """Labels of one version that do not count for a category; `given` gave what it was then."""

    number: int
    labels: int
    given: int


@dataclass(frozen=True, slots=True)
class Row:
    """A category of the newest version. `counted`: labels that say whether it is there; `given`: that it is."""

    category: Category
    since: str
    steps: list[Step]
    under: str
    counted: int
    given: int
    out: list[Out]

    @property
    def labels_out(self) -> int:
        return sum(version.labels for version in self.out)


@dataclass(frozen=True, slots=True)
class Totals:
    """People's labels by version and by category given, from the counts kept beside the batches."""

    labels: Mapping[int, int]
    given: Mapping[int, int]
    at: datetime | None


def totals(codebook_id: int) -> Totals:
    labels: dict[int, int] = defaultdict(int)
    given: dict[int, int] = defaultdict(int)
    counts = BatchCount.objects.filter(batch__version__codebook=codebook_id)
    rows = counts.exclude(batch__purpose=LabelBatch.Purpose.JUDGE)
    at = None
    for version, number, categories, counted_at in rows.values_list("batch__version", "labels", "given", "at"):
        labels[version] += number
        at = counted_at if at is None else max(at, counted_at)
        for category, times in categories.items():
            given[int(category)] += times
    return Totals(labels, given, at)


def rows(found: Standing, counted: Totals) -> list[Row]:
    """The categories of the newest version, in the codebook's order."""
    categories = {
        category.pk: category
        for category in Category.objects.filter(version__codebook=found.newest.codebook_id).only("title", "version")
    }
    carried = {
        (link.category_id, link.ancestor_id): link
        for link in CategoryLink.objects.filter(version__codebook=found.newest.codebook_id)
        .exclude(carried_at=None)
        .select_related("carried_by")
    }
    return [_row(found, category, categories, carried, counted) for category in found.newest.categories]


def ancestry(found: Standing, category_id: int) -> list[Link]:
    """Every link on the way to a category of the newest version, the latest first."""
    into: dict[int, list[Link]] = defaultdict(list)
    for link in found.links:
        target = link.ancestor_id if link.version_id in found.imported else link.category_id
        if target is not None:
            into[target].append(link)
    links: list[Link] = []
    ahead = [category_id]
    seen = set()
    while ahead:
        category = ahead.pop(0)
        if category not in seen:
            seen.add(category)
            links += into[category]
            ahead += [source for link in into[category] if (source := source_of(found, link)) is not None]
    return links


def source_of(found: Standing, link: Link) -> int | None:
    """The category whose labels the link speaks of."""
    return link.category_id if link.version_id in found.imported else link.ancestor_id


def _row(
    found: Standing,
    category: Category,
    categories: Mapping[int, Category],
    carried: Mapping[Any, CategoryLink],
    counted: Totals,
) -> Row:
    links = ancestry(found, category.pk)
    earlier = {source for link in links if (source := source_of(found, link)) is not None} | {category.pk}
    by_version: dict[int, list[int]] = defaultdict(list)
    for ancestor in earlier:
        by_version[categories[ancestor].version_id].append(ancestor)
    judged = found.judged_under[category.pk]
    return Row(
        category=category,
        since=_since(found, category.pk, links, categories),
        steps=[_step(found, link, categories, carried) for link in links if link.kind in CAME],
        under=_numbers(found, judged),
        counted=sum(counted.labels.get(version, 0) for version in judged),
        given=_sum(counted.given, (a for version in judged for a in by_version[version])),
        out=[
            Out(
                found.numbers[version],
                counted.labels.get(version, 0),
                _sum(counted.given, by_version[version]),
            )
            for version in sorted(found.quarantined[category.pk], key=lambda pk: found.numbers[pk])
        ],
    )


def _since(found: Standing, category_id: int, links: list[Link], categories: Mapping[int, Category]) -> str:
    same = {link.category_id: link.ancestor_id for link in links if link.kind == Kind.SAME}
    first: int | None = category_id
    while (before := same.get(first)) is not None:
        first = before
    assert first is not None
    number = found.numbers[categories[first].version_id]
    if any(link.kind in CAME and link.category_id == first for link in links):
        return f"In these words since version {number}."
    return f"New in version {number}." if number == found.newest.number else f"The same since version {number}."


def _step(found: Standing, link: Link, categories: Mapping[int, Category], carried: Mapping[Any, CategoryLink]) -> Step:
    source = source_of(found, link)
    assert source is not None
    assert link.category_id is not None
    assert link.ancestor_id is not None
    return Step(
        number=found.numbers[link.version_id],
        is_imported=link.version_id in found.imported,
        words=CAME[Kind(link.kind)].format(categories[source].title),
        category_id=link.category_id,
        ancestor_id=link.ancestor_id,
        may_be_carried=link.kind != Kind.SPLIT and not link.carried,
        carried=carried.get((link.category_id, link.ancestor_id)),
    )


def _numbers(found: Standing, versions: Iterable[int]) -> str:
    numbers = sorted(found.numbers[version] for version in versions)
    return f"version{'' if len(numbers) == 1 else 's'} {', '.join(str(number) for number in numbers)}"


def _sum(counts: Mapping[int, int], keys: Iterable[int]) -> int:
    return sum(counts.get(key, 0) for key in keys)
