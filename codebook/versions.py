"""Published versions. They never change, so a process may keep the ones it has seen."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from codebook.models import Category, Version

# In a statement that knows a `queue`: the version that its cases are labelled with now.
NEWEST: Final = """
(select version.id from codebook_version version
 join codebook_queuecodebook used on used.codebook_id = version.codebook_id
 where used.queue_id = queue.id and version.state = 'published' order by version.number desc limit 1)
"""


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


def in_use(version_id: int | None) -> Rubric:
    """The rubric that `NEWEST` named. Raises NoCodebook where it named none."""
    if version_id is None:
        raise NoCodebook
    return rubric(version_id)


def current(queue_id: int) -> Rubric:
    """The version that the queue's cases are labelled with now. Raises NoCodebook."""
    published = Version.objects.filter(codebook__queue_uses__queue=queue_id, state=Version.State.PUBLISHED)
    return in_use(published.order_by("-number").values_list("pk", flat=True).first())
