"""Reading for the page of a batch: who, how many, how far they agree, and what became of its labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from codebook.labels.quarantine import ancestry, source_of
from codebook.models import BatchCount, Category, Label, LabelBatch
from codebook.standing import Standing, standing
from hitl.models import User
from hitl.statistics import Interval, wilson


@dataclass(frozen=True, slots=True)
class RaterRow:
    """`name` is empty where the reader may not know it."""

    name: str
    labels: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Says:
    """What the batch's labels say of a category of today: `counts`, `quarantine`, or `unknown` (it did not exist)."""

    title: str
    state: str
    given: int


@dataclass(frozen=True, slots=True)
class Page:
    counts: BatchCount
    raters: list[RaterRow]
    verdicts: list[tuple[str, str, int]]
    agreement: Interval | None
    says: list[Says]
    gone: list[tuple[str, int]]


def page(batch: LabelBatch, *, with_names: bool) -> Page | None:
    """None until the batch was counted for the first time."""
    counts: BatchCount | None = getattr(batch, "counts", None)
    if counts is None:
        return None
    found = standing(batch.version.codebook_id)
    given = {int(category): times for category, times in counts.given.items()}
    own = {category.pk: category.title for category in Category.objects.filter(version=batch.version_id)}
    says, spoken_of = _says(found, batch.version_id, own, given)
    return Page(
        counts=counts,
        raters=_raters(counts, with_names),
        verdicts=[(v.value, v.label, counts.verdicts.get(v.value, 0)) for v in Label.Verdict],
        agreement=wilson(counts.agreeing, counts.compared),
        says=says,
        gone=[(title, given.get(pk, 0)) for pk, title in own.items() if pk not in spoken_of],
    )


def _says(
    found: Standing, version: int, own: Mapping[int, str], given: Mapping[int, int]
) -> tuple[list[Says], set[int]]:
    """A row for each category of today; and the batch's own categories that any of them came from."""
    says, spoken_of = [], set()
    for category in found.newest.categories:
        sources = {source_of(found, link) for link in ancestry(found, category.pk)} | {category.pk}
        mine = sources & own.keys()
        spoken_of |= mine
        if version in found.judged_under[category.pk]:
            state = "counts"
        else:
            state = "quarantine" if version in found.quarantined[category.pk] else "unknown"
        says.append(Says(category.title, state, sum(given.get(pk, 0) for pk in mine if pk is not None)))
    return says, {pk for pk in spoken_of if pk is not None}


def _raters(counts: BatchCount, with_names: bool) -> list[RaterRow]:
    names = User.objects.in_bulk([user for user, *_ in counts.raters if user]) if with_names else {}
    return [
        RaterRow(
            (names[user].name if user in names else name) if with_names else "",
            labels,
            datetime.fromisoformat(first),
            datetime.fromisoformat(last),
        )
        for user, name, labels, first, last in counts.raters
    ]
