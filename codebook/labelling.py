"""Gives labels. Every label is stamped with the version that was on the rater's screen, through its batch."""

from collections.abc import Collection
from datetime import datetime

from codebook.models import Label, LabelBatch, LabelCategory, Version
from codebook.versions import Rubric, rubric
from hitl.models import User
from queues.models import Case, Slot


class WrongVersion(Exception):
    """The label speaks of a version or a category that the case is not labelled with."""


def version_for(*, newest: Rubric, version_id: int, claimed_at: datetime) -> Rubric:
    """The version that a decision is stamped with: the one on screen, as long as its claim lives.

    A version published after the claim does not reinterpret what the reviewer saw. Raises WrongVersion.
    """
    if newest.id == version_id:
        return newest
    try:
        shown = rubric(version_id)
    except Version.DoesNotExist:
        raise WrongVersion from None
    if shown.codebook_id != newest.codebook_id or newest.published_at < claimed_at:
        raise WrongVersion
    return shown


def give(
    *,
    slot: Slot,
    queue_id: int,
    origin: Case.Origin | str,
    user: User,
    stamp: Rubric,
    verdict: str,
    category_ids: Collection[int],
    now: datetime,
    follows: Label | None = None,
    is_amendment: bool = False,
) -> Label:
    """Step: a person's label with its categories, in the open batch of its queue, version, origin and purpose.

    Raises WrongVersion if a category is not of the version.
    """
    given = set(category_ids)
    if not given <= {category.pk for category in stamp.categories}:
        raise WrongVersion
    label = Label.objects.create(
        slot=slot,
        batch_id=_open_batch(queue_id=queue_id, version_id=stamp.id, origin=origin, purpose=slot.purpose, now=now),
        version_id=stamp.id,
        user=user,
        verdict=verdict,
        created_at=now,
        follows=follows,
        is_amendment=is_amendment,
    )
    LabelCategory.objects.bulk_create(
        LabelCategory(label=label, category_id=category, version_id=stamp.id) for category in sorted(given)
    )
    return label


def _open_batch(*, queue_id: int, version_id: int, origin: str, purpose: str, now: datetime) -> int:
    batch, _ = LabelBatch.objects.only("pk").get_or_create(
        queue_id=queue_id,
        version_id=version_id,
        origin=origin,
        purpose=purpose,
        closed_at=None,
        defaults={"opened_at": now},
    )
    return batch.pk
