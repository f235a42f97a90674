"""Publishes a version: from then on it never changes. Its hash says what it held, its links how that came about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from codebook.labels import batches
from codebook.models import Category, Version
from codebook.rubric import lineage
from codebook.rubric.authoring import newest_of
from codebook.rubric.content import content_hash, missing
from codebook.rubric.lineage import Origin
from hitl.audit import log
from hitl.models import User


class NotPublishable(ValueError):
    """The version cannot be published; the text says all that is in the way, `faults` each of it."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(" ".join(faults))


@transaction.atomic
def publish(
    *,
    version: Version,
    by: User,
    now: datetime,
    origins: Mapping[str, Origin] | None = None,
    note: str | None = None,
    looked: str | None = None,
) -> Version:
    """Freezes a draft, says how its categories came about, and closes the open batches of the versions before.

    `origins`: how they came about, by key, as the publisher confirms it; without it, what was said before and proposals
    for the rest. `looked`: the hash of what the publisher saw. Raises NotPublishable, and changes nothing, while a part
    is missing, nothing is new, or something changed since they looked.
    """
    version = _locked(version)
    categories, newest = list(version.categories.all()), newest_of(version.codebook)
    before = list(newest.categories.all()) if newest else []
    said = lineage.said(version)
    stated = lineage.complete(before, categories, said) if origins is None else dict(origins)
    found = [*faults(version, by, categories, newest)]
    if looked is not None and looked != content_hash(categories):
        found.append("The draft was changed since you opened this page. Look at it again, then publish.")
    found += lineage.faults(before, categories, stated, newest.number if newest else 0)
    if found:
        raise NotPublishable(found)
    confirmed = [one for one in categories if origins is not None or one.key in said]
    proposed = [one for one in categories if one not in confirmed]
    version.links.all().delete()
    lineage.put_on_record(version, confirmed, before, stated, by)
    lineage.put_on_record(version, proposed, before, stated, None)
    lineage.put_removed_on_record(version, before, stated, by if origins is not None else None)
    version.state, version.published_at, version.published_by = Version.State.PUBLISHED, now, by
    version.content_hash = content_hash(categories)
    version.note = version.note if note is None else note
    version.save()
    closed = batches.close_of_older_versions(codebook_id=version.codebook_id, newest=version, by=by, now=now)
    log.append(
        actor=by,
        action="codebook.published",
        subject=f"codebook:{version.codebook_id}",
        tenant_id=None,
        detail={"version": version.number, "content_hash": version.content_hash, "batches_closed": closed},
    )
    return version


def faults(version: Version, by: User, categories: Sequence[Category], newest: Version | None) -> list[str]:
    """What keeps the draft from being published, but for how it came about; a sentence each."""
    codebook, found = version.codebook, []
    if codebook.owner_id != by.pk:
        found.append(f"Only {codebook.owner.name} publishes “{codebook.title}”.")
    if not categories:
        found.append("It has no category.")
    for category in categories:
        if parts := missing(category):
            found.append(f"“{category.title or category.key}” has no {' and no '.join(parts)}.")
    for part, words in (("title", "are called"), ("key", "have the key")):
        for text, times in Counter(getattr(category, part).strip().casefold() for category in categories).items():
            if text and times > 1:
                found.append(f"{times} categories {words} “{text}”.")
    if newest and newest.content_hash == content_hash(categories):
        found.append(f"Nothing is different from version {newest.number}.")
    return found


def _locked(version: Version) -> Version:
    """Of two tabs that publish at once, the second waits here, and is told."""
    stored = (
        Version.objects.select_for_update(no_key=True, of=("self",))
        .select_related("codebook__owner")
        .filter(pk=version.pk)
        .first()
    )
    if stored is None:
        raise NotPublishable(["This draft was dropped meanwhile. There is nothing to publish."])
    if stored.state != Version.State.DRAFT:
        who = stored.published_by.name if stored.published_by else "somebody"
        raise NotPublishable([f"Version {stored.number} is published already, by {who}. There is nothing left to do."])
    return stored
