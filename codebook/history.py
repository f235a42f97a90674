"""The versions of a codebook as they are told: who published them, how much they were used, what they came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection

from codebook import lineage
from codebook.lineage import Kind, Origin
from codebook.models import Category, Codebook, Version

# Beyond it a list says “more than”: counting a million labels for a page takes too long.
COUNTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Line:
    version: Version
    labels: int
    categories: int

    @property
    def short_hash(self) -> str:
        return self.version.content_hash[:8]

    @property
    def labels_words(self) -> str:
        return f"more than {COUNTED:,}" if self.labels > COUNTED else f"{self.labels:,}"


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
    """The newest first. Labels are counted up to COUNTED and one."""
    versions = codebook.versions.select_related("published_by").order_by("-number")
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [COUNTED + 1, codebook.pk])
        counts = {pk: (labels, categories) for pk, labels, categories in cursor.fetchall()}
    return [Line(version, *counts.get(version.pk, (0, 0))) for version in versions]


_COUNTS: Final = """
select version.id,
       (select count(*) from (select from codebook_label label where label.version_id = version.id limit %s) counted),
       (select count(*) from codebook_category category where category.version_id = version.id)
from codebook_version version where version.codebook_id = %s
"""


def _came(origin: Origin | None, titles: Mapping[str, str]) -> str:
    return "" if origin is None or origin.kind == Kind.SAME else lineage.words(origin, titles)
