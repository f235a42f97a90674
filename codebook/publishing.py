"""Publishes a version: from then on it never changes, and its hash says what it held."""

from collections import Counter
from datetime import datetime

from django.db import transaction

from codebook.content import content_hash, missing
from codebook.models import Category, Version
from hitl.audit import log
from hitl.models import User


class NotPublishable(ValueError):
    """The version cannot be published; the text says all that is in the way."""


@transaction.atomic
def publish(*, version: Version, by: User, now: datetime) -> Version:
    """Freezes a draft. Raises NotPublishable, and changes nothing, while a part is missing or nothing is new."""
    version = Version.objects.select_for_update().select_related("codebook").get(pk=version.pk)
    categories = list(version.categories.all())
    if faults := _faults(version, by, categories):
        raise NotPublishable(" ".join(faults))
    version.state, version.published_at, version.published_by = Version.State.PUBLISHED, now, by
    version.content_hash = content_hash(categories)
    version.save()
    log.append(
        actor=by,
        action="codebook.published",
        subject=f"codebook:{version.codebook_id}",
        tenant_id=None,
        detail={"version": version.number, "content_hash": version.content_hash},
    )
    return version


def _faults(version: Version, by: User, categories: list[Category]) -> list[str]:
    faults = []
    if version.state == Version.State.PUBLISHED:
        return [f"Version {version.number} is published already."]
    if version.codebook.owner_id != by.pk:
        faults.append(f"Only {version.codebook.owner.name} publishes “{version.codebook.title}”.")
    if not categories:
        faults.append("It has no category.")
    for category in categories:
        if parts := missing(category):
            faults.append(f"“{category.title or category.key}” has no {' and no '.join(parts)}.")
    for title, times in Counter(category.title.strip().casefold() for category in categories).items():
        if times > 1:
            faults.append(f"{times} categories are called “{title}”.")
    before = version.codebook.versions.filter(state=Version.State.PUBLISHED).order_by("-number").first()
    if before and before.content_hash == content_hash(categories):
        faults.append(f"Nothing is different from version {before.number}.")
    return faults
