"""Lets go of files that nobody took in. Apart from what reads them, which the tick need not load."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from hitl.audit import log
from hitl.models import User
from queues.models import Upload

ABANDONED_AFTER: Final = timedelta(days=7)


class Refused(Exception):
    """The file, or what was asked of it, is not taken; the message is the sentence to show."""


@transaction.atomic
def drop(*, upload: Upload, by: User | None, now: datetime) -> None:
    """Let a file go that nobody wants taken in. Raises Refused once the worker has it."""
    if not Upload.objects.filter(pk=upload.pk, job=None, dropped_at=None).update(rows=b"", preview={}, dropped_at=now):
        raise Refused("The file was confirmed or dropped in the meantime.")
    record("upload.dropped", upload, by, {})


def forget_abandoned(now: datetime) -> int:
    """Drop the files that were neither confirmed nor dropped for a week; how many."""
    old = list(Upload.objects.filter(job=None, dropped_at=None, created_at__lt=now - ABANDONED_AFTER).defer("rows"))
    for upload in old:
        drop(upload=upload, by=None, now=now)
    return len(old)


def record(action: str, upload: Upload, by: User | None, detail: dict[str, Any]) -> None:
    """Step: what somebody did with a file, on the audit record."""
    log.append(
        actor=by,
        action=action,
        subject=f"upload:{upload.pk}",
        tenant_id=upload.tenant_id,
        detail=detail,
        actor_name="" if by else "hitl",
    )
