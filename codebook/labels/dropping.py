"""Lets a file of earlier labels go that nobody wants taken in. Apart from what reads files: the tick loads this."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from codebook.models import LabelFile
from hitl.audit import log
from hitl.models import User

ABANDONED_AFTER: Final = timedelta(days=7)


@transaction.atomic
def drop(*, file: LabelFile, by: User | None) -> bool:
    """Let a file go that was not confirmed. False: the worker has it."""
    found = LabelFile.objects.select_for_update(of=("self",)).filter(pk=file.pk, job=None).first()
    if found is None:
        return False
    record("label_file.dropped", found, by)
    found.delete()
    return True


def forget_abandoned(now: datetime) -> int:
    """A chore: drops the files that nobody confirmed for a week; how many."""
    old = LabelFile.objects.filter(job=None, brought_at__lt=now - ABANDONED_AFTER).defer("rows")
    return sum(drop(file=file, by=None) for file in old)


def record(action: str, file: LabelFile, by: User | None, **detail: int) -> None:
    """A step: what became of the file, on the codebook's record."""
    log.append(
        actor=by,
        action=action,
        subject=f"codebook:{file.codebook_id}",
        tenant_id=file.tenant_id,
        detail={"file": file.pk, **detail},
        actor_name="" if by else "hitl",
    )
