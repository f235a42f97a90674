"""Until when users took back what they had allowed: apart from the verb, so that the tick need not load all of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from hitl.models import Tenant


def withdrawn(tenant: Tenant, user_keys: Iterable[str]) -> dict[str, datetime]:
    """Step: until when each of these users has taken back their consent, for those who have.

    A signal given up to then may be used for nothing. Holds off withdrawals until the transaction ends, so that none
    slips between this look and the signals it is about: ask before any row of a signal is locked.
    """
    keys = sorted({key for key in user_keys if key})
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock_shared(hashtext('consent'), %s)", [tenant.pk])
        cursor.execute(
            "select user_key, max(at) from queues_consentwithdrawal"
            " where tenant_id = %s and user_key = any(%s) group by user_key",
            [tenant.pk, keys],
        )
        return dict(cursor.fetchall())


# Of a signal that came without the user's key, the trace knows whose it is.
_TAKE_BACK: Final = """
update queues_signal as signal
set may_evaluate = false, may_retrieve = false, may_train = false, withdrawn_at = withdrawal.at
from queues_trace as trace, queues_consentwithdrawal as withdrawal
where trace.id = any(%s) and signal.trace_id = trace.id and signal.user_key = '' and signal.withdrawn_at is null
  and withdrawal.tenant_id = trace.tenant_id and withdrawal.user_key = trace.user_key and signal.at <= withdrawal.at
"""


def held_to(trace_ids: Sequence[UUID]) -> int:
    """Step: signals without a user's key, whose traces have just come, are held to what their trace's user took back.

    Returns how many that changed.
    """
    if not trace_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK, [list(trace_ids)])
        return cursor.rowcount
