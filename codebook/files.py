"""A codebook as a file, so that it can be kept in git: read it in, write it out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from codebook.content import CONTENT, content_hash
from codebook.models import Category, Codebook, Version
from codebook.publishing import publish
from hitl.models import User


class Unreadable(ValueError):
    """The file is no codebook; the text says what is wrong with it."""


@transaction.atomic
def read_in(*, content: Mapping[str, Any], owner: User, now: datetime) -> Version:
    """Makes the codebook if it is new, and publishes what the file says as its next version; the same changes nothing.

    Raises Unreadable or NotPublishable, and leaves everything as it was.
    """
    slug, title, rows = content.get("slug"), content.get("title"), content.get("categories")
    if not isinstance(slug, str) or not isinstance(title, str) or not isinstance(rows, list):
        raise Unreadable("A codebook file has a slug, a title and a list of categories.")
    codebook, _ = Codebook.objects.get_or_create(slug=slug, defaults={"title": title, "owner": owner})
    categories = [_category(row, position) for position, row in enumerate(rows, 1)]
    newest = codebook.versions.filter(state=Version.State.PUBLISHED).order_by("-number").first()
    if newest and newest.content_hash == content_hash(categories):
        return newest
    if codebook.versions.filter(state=Version.State.DRAFT).exists():
        raise Unreadable(f"“{codebook.title}” has a draft that is being written. Publish or drop it first.")
    version = Version.objects.create(
        codebook=codebook, number=newest.number + 1 if newest else 1, note=str(content.get("note", ""))
    )
    for category in categories:
        category.version = version
    Category.objects.bulk_create(categories)
    return publish(version=version, by=codebook.owner, now=now)


def written_out(version: Version) -> dict[str, Any]:
    """What `read_in` takes."""
    return {
        "slug": version.codebook.slug,
        "title": version.codebook.title,
        "categories": [{field: getattr(category, field) for field in CONTENT} for category in version.categories.all()],
    }


def _category(row: object, position: int) -> Category:
    if not isinstance(row, Mapping):
        raise Unreadable(f"Category {position} is no object with {', '.join(CONTENT)}.")
    if unknown := set(row) - set(CONTENT):
        raise Unreadable(f"Category {position} has “{sorted(map(str, unknown))[0]}”, which no category has.")
    return Category(position=position, **{field: str(row.get(field, "")) for field in CONTENT})
