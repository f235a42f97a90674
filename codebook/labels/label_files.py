"""A file of earlier labels that an owner brings: looked at, confirmed, and taken in by the worker."""

import io
from datetime import datetime
from pathlib import PurePath
from typing import Any, BinaryIO, Final

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from codebook.doors import cases
from codebook.labels import importing
from codebook.labels.dropping import record
from codebook.labels.import_schema import from_table
from codebook.labels.importing import Import, Received
from codebook.models import Codebook, LabelFile
from hitl.jobs import progress
from hitl.models import Job, Tenant, User
from queues.intake import reading, vault
from queues.intake.body import BLOCK, JSON_BYTES
from queues.intake.cleaning import clean_name
from queues.intake.received import Rejection
from queues.scrubbing import scrubbed

FILE_BYTES: Final = 5 * 1024 * 1024
FORMATS: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv"}
TAKE_IN: Final = "codebook.labels.label_files.take_in"
PROBLEMS_KEPT: Final = 200


class Refused(Exception):
    """The file is not taken; the message is the sentence to show."""


def bring(
    *, codebook: Codebook, tenant: Tenant, title: str, by: User, name: str, content: bytes, now: datetime
) -> LabelFile:
    """Look at a file, and keep it for the owner to confirm. Raises Refused where nothing in it can be read."""
    kind = kind_of(name)
    if len(content) > FILE_BYTES:
        raise Refused(
            f"The file is larger than {FILE_BYTES // 1024 // 1024} MB. Let an administrator run import_labels."
        )
    into = Import(tenant, codebook, title, by=by, cases=cases(by, codebook))
    rows = rows_of(io.BytesIO(content), kind)
    if not rows:
        raise Refused("The file holds no label.")
    looked = importing.look(rows, into=into, now=now)
    with transaction.atomic():
        file = LabelFile.objects.create(
            codebook=codebook,
            tenant=tenant,
            brought_by=by,
            brought_at=now,
            name=scrubbed(PurePath(name).name, tenant).replace("\x00", "")[-200:],
            version_title=title,
            rows=vault.lock(kind.encode() + b"\n" + content),
            looked=_told(looked, tenant),
        )
        record("label_file.brought", file, by, rows=looked.rows, rejected=len(looked.rejected))
    return file


@transaction.atomic
def confirm(*, file: LabelFile, by: User) -> Job:
    """Hand a file to the worker; confirming it twice is the same as once."""
    locked = LabelFile.objects.select_for_update(of=("self",)).select_related("codebook", "job").get(pk=file.pk)
    if locked.job is None:
        locked.job = progress.start(
            kind="label_file", title=f"Taking in {locked.name}", tenant=None, user=by, task=TAKE_IN, args=[locked.pk]
        )
        locked.save(update_fields=["job"])
        record("label_file.confirmed", locked, by, job=locked.job.pk)
    return locked.job


def take_in(job_id: int, file_id: int) -> None:
    """The worker's part. Run twice, it finds what it took in the first time as duplicates."""
    file = LabelFile.objects.select_related("codebook", "tenant", "brought_by").get(pk=file_id)
    try:
        kind, _, content = vault.unlock(bytes(file.rows)).partition(b"\n")
    except vault.Unreadable as unreadable:
        raise progress.JobFailed(str(unreadable)) from None
    rows = rows_of(io.BytesIO(content), kind.decode())
    into = Import(
        file.tenant, file.codebook, file.version_title, by=file.brought_by, source=f"file {file.pk}",
        cases=cases(file.brought_by, file.codebook),
    )  # fmt: skip
    received = importing.receive(
        rows,
        into=into,
        now=timezone.now(),
        progress=lambda so_far: progress.advance(job_id, so_far.rows, len(rows)),
    )
    with transaction.atomic():
        file.rows, file.looked = b"", _told(received, file.tenant)
        file.save(update_fields=["rows", "looked"])
        url = reverse("codebook_labels_file", args=[file.codebook.slug, file.pk])
        progress.finish(job_id, {"sentence": sentence(received), "url": url, "link": "What became of it"})


def rows_of(file: BinaryIO, kind: str) -> list[object]:
    """The rows of a file. Raises Refused where the whole cannot be read."""
    try:
        if kind == "json":
            content = file.read(JSON_BYTES + 1)
            if len(content) > JSON_BYTES:
                raise Refused("A JSON file may have at most 32 MB. One label a line (JSONL) may have more.")
            return list(reading.document(content))
        if kind == "csv":
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            return [
                from_table(row) if isinstance(row, dict) else row for row in reading.cells(text, "item, rater, verdict")
            ]
        return list(reading.lines(iter(lambda: file.read(BLOCK), b"")))
    except reading.Broken as broken:
        raise Refused(str(broken)) from None
    except UnicodeDecodeError:
        raise Refused("The file is not in UTF-8. Save it as CSV UTF-8, and try again.") from None


def kind_of(name: str) -> str:
    """How to read a file, by its name's end. Raises Refused."""
    kind = FORMATS.get(PurePath(name).suffix.lower())
    if kind is None:
        raise Refused(f"The file's name must end in {', '.join(FORMATS)}, so that it is clear how to read it.")
    return kind


def sentence(received: Received) -> str:
    taken = "1 label was taken in" if received.accepted == 1 else f"{received.accepted:,} labels were taken in"
    more = []
    if received.duplicates:
        more.append(f"{received.duplicates:,} had been taken in before")
    if received.rejected:
        more.append(f"{len(received.rejected):,} of {received.rows:,} rows were refused")
    return f"{taken}{'; ' if more else ''}{', '.join(more)}."


def _told(received: Received, tenant: Tenant) -> dict[str, Any]:
    """As it may be stored: an id or a field's name may be somebody's address."""
    return {
        "accepted": received.accepted,
        "duplicates": received.duplicates,
        "rejected": len(received.rejected),
        "version": received.version,
        "problems": [_problem(one, tenant) for one in received.rejected[:PROBLEMS_KEPT]],
    }


def _problem(one: Rejection, tenant: Tenant) -> dict[str, Any]:
    item = clean_name(one.name, tenant) if one.name else ""
    return {"row": one.index + 1, "item": _storable(item), "error": _storable(scrubbed(one.error, tenant))}


def _storable(text: str) -> str:
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()
