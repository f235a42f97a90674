"""Gives labels. Every label is stamped with the version that was on the rater's screen, through its batch."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import connection

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
    row: dict[str, str | int | bool | datetime | None] = {
        "case": slot.case_id,
        "round": slot.round,
        "slot": slot.pk,
        "queue": queue_id,
        "version": stamp.id,
        "origin": str(origin),
        "purpose": str(slot.purpose),
        "user": user.pk,
        "verdict": str(verdict),
        "now": now,
        "follows": follows.pk if follows else None,
        "amends": is_amendment,
    }
    label = _insert(row)
    if label is None:
        _open_batch(queue_id=queue_id, version_id=stamp.id, origin=origin, purpose=slot.purpose, now=now)
        label = _insert(row)
    assert label
    LabelCategory.objects.bulk_create(
        LabelCategory(label=label, category_id=category, version_id=stamp.id) for category in sorted(given)
    )
    return label


def _insert(row: dict[str, str | int | bool | datetime | None]) -> Label | None:
    """The label in the open batch it belongs to, in one statement; None if no such batch is open."""
    with connection.cursor() as cursor:
        cursor.execute(_LABEL, row)
        found = cursor.fetchone()
    return (
        Label.from_db(connection.alias, ["id", "case_id", "slot_id", "batch_id", "version_id", "verdict"], found)
        if found
        else None
    )


# The batch is locked as its foreign key would anyway, but before it is read: whoever closes it waits for its labels,
# and who comes then finds it closed.
_LABEL: Final = """
insert into codebook_label (case_id, round, slot_id, batch_id, version_id, rater, user_id, rater_name, verdict,
                            created_at, follows_id, is_amendment)
select %(case)s::bigint, %(round)s, %(slot)s::bigint, batch.id, batch.version_id, 'person', %(user)s::bigint, '',
       %(verdict)s, %(now)s, %(follows)s::bigint, %(amends)s
from codebook_labelbatch batch
where batch.queue_id = %(queue)s and batch.version_id = %(version)s and batch.origin = %(origin)s
  and batch.purpose = %(purpose)s and batch.closed_at is null
for key share of batch
returning id, case_id, slot_id, batch_id, version_id, verdict
"""


def _open_batch(*, queue_id: int, version_id: int, origin: str, purpose: str, now: datetime) -> None:
    LabelBatch.objects.get_or_create(
        queue_id=queue_id,
        version_id=version_id,
        origin=origin,
        purpose=purpose,
        closed_at=None,
        defaults={"opened_at": now},
    )
