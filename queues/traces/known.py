"""Which trace a producer means: by the name it gave, through the receipts that its traces left."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from hitl.database import arrays
from hitl.models import Tenant

KIND = "trace"


def ids(tenant: Tenant, refs: Sequence[str]) -> dict[str, UUID]:
    """The ids of those of these traces that are here, by the producer's name for them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select external_id, object_uuid from queues_receipt"
            " where tenant_id = %s and kind = %s and external_id = any(%s::text[]) and object_uuid is not null",
            [tenant.pk, KIND, arrays.texts(dict.fromkeys(refs))],
        )
        return dict(cursor.fetchall())
