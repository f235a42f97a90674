"""A file of cases that a lead brings: looked at, confirmed, and taken in by the worker."""

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath
from typing import Any, BinaryIO, Final

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from hitl.jobs import progress
from hitl.models import Job, Tenant, User
from queues.intake import cleaning, reading, receive, vault
from queues.intake.body import BLOCK, JSON_BYTES
from queues.intake.dropping import Refused, record
from queues.intake.reading import Broken
from queues.intake.received import Rejection
from queues.models import Upload
from queues.scrubbing import scrubbed

FILE_BYTES: Final = 50 * 1024 * 1024
PROBLEMS_KEPT: Final = 1000
LONGEST_SHOWN: Final = 400
FORMATS: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv"}
TAKE_IN: Final = "queues.intake.uploads.take_in"


def bring(*, tenant: Tenant, by: User, name: str, content: bytes, now: datetime) -> Upload:
    """Look at a file and keep it for the person to confirm. Raises Refused where nothing in it can be read."""
    kind = check(name, len(content))
    try:
        looked = receive.look(rows_of(io.BytesIO(content), kind), tenant=tenant, now=now)
    except Broken as broken:
        raise Refused(str(broken)) from None
    if not looked.rows:
        raise Refused("The file holds no case.")
    shown = [
        {
            "case_id": ready.case.case_id,
            "question": ready.case.user_question[:LONGEST_SHOWN],
            "draft": ready.case.model_draft[:LONGEST_SHOWN],
            "risk": weighed.assessment.risk.label,
            "domain": ready.case.domain,
            "language": weighed.language,
            "queue": weighed.placement.routed.rule.queue_name if weighed.placement.routed.rule else "",
        }
        for ready, weighed in looked.shown
    ]
    with transaction.atomic():
        upload = Upload.objects.create(
            tenant=tenant,
            uploaded_by=by,
            name=_short(name, tenant),
            rows=vault.lock(kind.encode() + b"\n" + content),
            total=looked.rows,
            preview={**_counts(looked), "rows": shown},
            problems=_problems(looked.rejected, tenant),
        )
        counts = {"rows": looked.rows, "rejected": len(looked.rejected)}
        record("upload.brought", upload, by, counts)
    return upload


@transaction.atomic
def confirm(*, upload: Upload, by: User) -> Job:
    """Hand a file to the worker; confirming it twice is the same as once. Raises Refused for one that was dropped."""
    locked = Upload.objects.select_for_update(of=("self",)).select_related("job", "tenant").get(pk=upload.pk)
    if locked.job:
        return locked.job
    if locked.dropped_at:
        raise Refused("The file was dropped, so it is not here any more. Upload it again.")
    locked.job = progress.start(
        kind="upload",
        title=f"Taking in {locked.name}",
        tenant=locked.tenant,
        user=by,
        task=TAKE_IN,
        args=[locked.pk],
    )
    progress.advance(locked.job.pk, 0, locked.total)
    locked.save(update_fields=["job"])
    record("upload.confirmed", locked, by, {"job": locked.job.pk})
    return locked.job


def take_in(job_id: int, upload_id: int) -> None:
    """The worker's part. Run twice, it finds what it took in the first time as duplicates."""
    upload = Upload.objects.select_related("tenant", "uploaded_by").get(pk=upload_id)
    try:
        kind, _, content = vault.unlock(bytes(upload.rows)).partition(b"\n")
    except vault.Unreadable as unreadable:
        raise progress.JobFailed(str(unreadable)) from None
    received = receive.cases(
        rows_of(io.BytesIO(content), kind.decode()),
        tenant=upload.tenant,
        now=timezone.now(),
        source=f"upload {upload.pk}",
        actor=upload.uploaded_by,
        most=None,
        progress=lambda so_far: progress.advance(job_id, so_far.rows),
    )
    with transaction.atomic():
        # What was shown of it, and the file itself, are not needed any more: the cases are there.
        upload.rows, upload.preview = b"", _counts(received)
        upload.total, upload.problems = received.rows, _problems(received.rejected, upload.tenant)
        upload.save(update_fields=["rows", "preview", "total", "problems"])
        progress.finish(
            job_id,
            {
                "sentence": sentence(received),
                "url": reverse("upload", args=[upload.tenant.slug, upload.pk]),
                "link": "What became of it",
            },
        )


def rows_of(file: BinaryIO, kind: str) -> Iterator[object]:
    """The rows of a file. Raises Broken where the whole cannot be read."""
    if kind == "json":
        content = file.read(JSON_BYTES + 1)
        if len(content) > JSON_BYTES:
            most = f"{JSON_BYTES // 1024 // 1024} MB"
            raise Broken(f"A JSON file may have at most {most}. One case a line (JSONL) may have more.")
        return iter(reading.document(content))
    if kind == "csv":
        return reading.table(_text(file))
    return reading.lines(iter(lambda: file.read(BLOCK), b""))


def check(name: str, size: int) -> str:
    """How to read a file, by its name's end. Raises Refused for one that is not known, or too large."""
    kind = FORMATS.get(PurePath(name).suffix.lower())
    if kind is None:
        raise Refused(f"The file's name must end in {', '.join(FORMATS)}, so that it is clear how to read it.")
    if size > FILE_BYTES:
        most = f"{FILE_BYTES // 1024 // 1024} MB"
        raise Refused(f"The file is larger than {most}. Split it, or let an administrator run import_cases.")
    return kind


def sentence(received: receive.Received) -> str:
    taken = "1 case was taken in" if received.accepted == 1 else f"{received.accepted:,} cases were taken in"
    more = []
    if received.duplicates:
        more.append(f"{received.duplicates:,} had been taken in before")
    if received.rejected:
        more.append(f"{len(received.rejected):,} of {received.rows:,} rows were refused")
    return f"{taken}{'; ' if more else ''}{', '.join(more)}."


def _counts(received: receive.Received) -> dict[str, int]:
    return {
        "accepted": received.accepted,
        "duplicates": received.duplicates,
        "rejected": len(received.rejected),
    }


def _text(file: BinaryIO) -> Iterator[str]:
    try:
        for line in file:
            yield line.decode()
    except UnicodeDecodeError:
        raise Broken("The file is not in UTF-8. Save it as CSV UTF-8, and try again.") from None


def _problems(rejected: list[Rejection], tenant: Tenant) -> list[dict[str, Any]]:
    """The first of them, as they may be stored: an id, or a field's name, may be somebody's address."""
    return [
        {
            "row": one.index + 1,
            "case_id": _storable(cleaning.clean_name(one.name, tenant) if one.name else ""),
            "error": _storable(scrubbed(one.error, tenant)),
        }
        for one in rejected[:PROBLEMS_KEPT]
    ]


def _storable(text: str) -> str:
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def _short(name: str, tenant: Tenant) -> str:
    """A file's name as it may be stored: people name files after people."""
    return _storable(scrubbed(PurePath(name).name, tenant))[-200:]
