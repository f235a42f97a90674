"""That a row was taken in, by its tenant, kind and id: what makes every door idempotent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from hitl.database import arrays
from hitl.models import Tenant

# Of a row that was taken in so long ago that it is forgotten while it comes again.
JUST_FORGOTTEN: Final = "It was here before, and is being forgotten at this moment. Send it again."


@dataclass(frozen=True, slots=True)
class Known:
    """The receipt of an id that was taken in before."""

    digest: bytes
    received_at: datetime


def take(named: Mapping[int, tuple[str, bytes]], *, kind: str, tenant: Tenant, now: datetime) -> set[int]:
    """Step: receipts for rows by their number in the database: (id, digest). Returns those whose id nobody had before.

    They are made in the order of their ids, so that two requests with the same rows wait for each other and never both
    for the other.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into queues_receipt (tenant_id, kind, external_id, digest, object_id, received_at)"
            " select %s, %s, external_id, digest, object_id, %s"
            " from unnest(%s::text[], %s::bytea[], %s::bigint[]) as wanted (external_id, digest, object_id)"
            " order by external_id on conflict (tenant_id, kind, external_id) do nothing returning object_id",
            [
                tenant.pk,
                kind,
                now,
                [name for name, _ in named.values()],
                [digest for _, digest in named.values()],
                list(named),
            ],
        )
        return {number for (number,) in cursor.fetchall()}


def take_ids(named: Mapping[str, tuple[bytes, UUID]], *, kind: str, tenant: Tenant, now: datetime) -> set[str]:
    """Step: the same for rows whose ids are made of their time: by name, the digest and the id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into queues_receipt (tenant_id, kind, external_id, digest, object_uuid, received_at)"
            " select %s, %s, external_id, digest, object_uuid, %s"
            " from unnest(%s::text[], %s::bytea[], %s::uuid[]) as wanted (external_id, digest, object_uuid)"
            " order by external_id on conflict (tenant_id, kind, external_id) do nothing returning external_id",
            [
                tenant.pk,
                kind,
                now,
                arrays.texts(named),
                arrays.blobs(digest for digest, _ in named.values()),
                arrays.uuids(object_uuid for _, object_uuid in named.values()),
            ],
        )
        return {name for (name,) in cursor.fetchall()}


def known(names: Sequence[str], *, kind: str, tenant: Tenant) -> dict[str, Known]:
    """The receipts there are for these ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select external_id, digest, received_at from queues_receipt"
            " where tenant_id = %s and kind = %s and external_id = any(%s)",
            [tenant.pk, kind, list(names)],
        )
        return {name: Known(bytes(digest), at) for name, digest, at in cursor.fetchall()}


def forget(names: Sequence[str], *, kind: str, tenant: Tenant) -> None:
    """Step: what was not stored after all has no receipt, or sent again it would count as taken in."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from queues_receipt where tenant_id = %s and kind = %s and external_id = any(%s)",
            [tenant.pk, kind, list(names)],
        )
