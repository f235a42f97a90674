"""Published versions. They never change, so a process may keep the ones it has seen."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import OuterRef, Subquery

from codebook.models import Category, Version
from queues.models import Queue


class NoCodebook(Exception):
    """The queue has no published codebook, so nothing in it can be labelled."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """A published version with its categories, in the codebook's order."""

    id: int
    codebook_id: int
    slug: str
    title: str
    number: int
    published_at: datetime
    categories: tuple[Category, ...]

    def keys(self, category_ids: frozenset[int]) -> list[str]:
        return [category.key for category in self.categories if category.pk in category_ids]


@lru_cache(maxsize=256)
def rubric(version_id: int) -> Rubric:
    """Raises Version.DoesNotExist unless the version is published."""
    version = Version.objects.select_related("codebook").get(pk=version_id, state=Version.State.PUBLISHED)
    assert version.published_at
    return Rubric(
        id=version.pk,
        codebook_id=version.codebook_id,
        slug=version.codebook.slug,
        title=version.codebook.title,
        number=version.number,
        published_at=version.published_at,
        categories=tuple(version.categories.all()),
    )


def newest_for(queue: str) -> Subquery:
    """The version that a queue's cases are labelled with now, to annotate a query with; `queue` is the path to it."""
    published = Version.objects.filter(codebook__queue_uses__queue=OuterRef(queue), state=Version.State.PUBLISHED)
    return Subquery(published.order_by("-number").values("pk")[:1])


def in_use(version_id: int | None) -> Rubric:
    """The rubric that `newest_for` named. Raises NoCodebook where it named none."""
    if version_id is None:
        raise NoCodebook
    return rubric(version_id)


def current(queue_id: int) -> Rubric:
    """The version that the queue's cases are labelled with now. Raises NoCodebook."""
    return in_use(Queue.objects.annotate(newest=newest_for("pk")).values_list("newest", flat=True).get(pk=queue_id))
