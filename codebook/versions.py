"""Published versions. They never change, so a process may keep the ones it has seen."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from codebook.models import Category, Version


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


def current(queue_id: int) -> Rubric:
    """The version that the queue's cases are labelled with now. Raises NoCodebook."""
    newest = (
        Version.objects.filter(codebook__queue_uses__queue=queue_id, state=Version.State.PUBLISHED)
        .order_by("-number")
        .values_list("pk", flat=True)
        .first()
    )
    if newest is None:
        raise NoCodebook
    return rubric(newest)
