"""The owner accepts that people differ on a category: on record, and weighed in the datasets, until it is withdrawn."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from codebook.models import Codebook, SubjectiveCategory
from hitl.audit import log
from hitl.models import User

WEIGHT: Final = Decimal("0.5")


class NotTheOwner(Exception):
    """Only the owner has this word."""


@transaction.atomic
def accept(
    *, codebook: Codebook, key: str, because: str, by: User, now: datetime, weight: Decimal = WEIGHT
) -> SubjectiveCategory:
    """From now on labels of this category count `weight` in datasets. Said again, the new reason and weight hold.

    Raises NotTheOwner.
    """
    _of_the_owner(codebook, by)
    _standing(codebook, key).update(withdrawn_at=now, withdrawn_by=by)
    accepted = SubjectiveCategory.objects.create(
        codebook=codebook, key=key, because=because, by=by, at=now, weight=weight
    )
    _record("category.accepted_as_subjective", codebook, key, by, weight=float(weight))
    return accepted


@transaction.atomic
def withdraw(*, codebook: Codebook, key: str, by: User, now: datetime) -> bool:
    """Labels of the category count in full again. False: it was not accepted as subjective. Raises NotTheOwner."""
    _of_the_owner(codebook, by)
    if not _standing(codebook, key).update(withdrawn_at=now, withdrawn_by=by):
        return False
    _record("category.not_subjective", codebook, key, by)
    return True


def standing(codebook: Codebook) -> dict[str, SubjectiveCategory]:
    """What is accepted as subjective now, by key."""
    found = SubjectiveCategory.objects.filter(codebook=codebook, withdrawn_at=None).select_related("by")
    return {one.key: one for one in found}


def _standing(codebook: Codebook, key: str) -> QuerySet[SubjectiveCategory]:
    Codebook.objects.select_for_update(no_key=True).get(pk=codebook.pk)
    return SubjectiveCategory.objects.filter(codebook=codebook, key=key, withdrawn_at=None)


def _of_the_owner(codebook: Codebook, by: User) -> None:
    if codebook.owner_id != by.pk:
        raise NotTheOwner


def _record(action: str, codebook: Codebook, key: str, by: User, **detail: float) -> None:
    log.append(
        actor=by,
        action=action,
        subject=f"codebook:{codebook.pk}",
        tenant_id=None,
        detail={"category": key, **detail},
    )
