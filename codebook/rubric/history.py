"""The versions of a codebook as they are told: who published them, how much they were used, what they came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection

from codebook.models import Category, Codebook, Version
from codebook.rubric import lineage
from codebook.rubric.lineage import Kind, Origin


@dataclass(frozen=True, slots=True)
class Line:
    """`labels`: as they were counted last, batch by batch; `is_counted`: every batch was, once at least."""

    version: Version
    categories: int
    labels: int
    is_counted: bool

    @property
    def short_hash(self) -> str:
        return self.version.content_hash[:8]

    @property
    def labels_words(self) -> str:
        return f"{self.labels:,}" if self.is_counted else "being counted"


@dataclass(frozen=True, slots=True)
class Told:
    """One version: each category with how it came about (nothing where it is the same), and what is gone."""

    categories: tuple[tuple[Category, str], ...]
    removed: tuple[Category, ...]

    @classmethod
    def of(cls, version: Version, said: Mapping[str, Origin]) -> "Told":
        links = version.links.select_related("ancestor").exclude(ancestor=None)
        ancestors = {link.ancestor.key: link.ancestor for link in links if link.ancestor}
        titles = {key: one.title or key for key, one in ancestors.items()}
        categories = list(version.categories.all())
        is_first = all(said.get(one.key, lineage.NEW).kind == Kind.NEW for one in categories)
        return cls(
            tuple((one, "" if is_first else _came(said.get(one.key), titles)) for one in categories),
            tuple(link.ancestor for link in links if link.ancestor and link.kind == Kind.REMOVED),
        )


def versions_told(codebook: Codebook) -> list[Line]:
    """The newest first."""
    versions = codebook.versions.select_related("published_by").order_by("-number")
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [codebook.pk])
        counts = {pk: rest for pk, *rest in cursor.fetchall()}
    return [Line(version, *counts[version.pk]) for version in versions if version.pk in counts]


_COUNTS: Final = """
select version.id,
       (select count(*) from codebook_category category where category.version_id = version.id),
       coalesce(sum(known.labels), 0)::bigint, count(batch.id) = count(known.batch_id)
from codebook_version version
left join codebook_labelbatch batch on batch.version_id = version.id
left join codebook_batchcount known on known.batch_id = batch.id
where version.codebook_id = %s
group by version.id
"""


def _came(origin: Origin | None, titles: Mapping[str, str]) -> str:
    return "" if origin is None or origin.kind == Kind.SAME else lineage.words(origin, titles)
