"""What became of a case: recorded once, told to whoever escalated it, taken back only while nobody can know it."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from hitl.models import Endpoint
from hitl.outbox import messages
from queues.models import Case, Outcome

TOPIC: Final = Endpoint.Topic.CASE_DECIDED


class Released(Exception):
    """The verdict may have been told already, so it can only be amended."""


def record_outcome(
    *,
    case: Case,
    verdict: Outcome.Verdict,
    final_answer: str,
    categories: Sequence[str],
    codebook: str,
    codebook_version: int,
    now: datetime,
    undo_seconds: int,
    amend: bool = False,
    judge: str = "",
) -> None:
    """Step: the case is decided; its producer hears of it when the undo window is over. `judge` names whose word it is
    where no person was asked: the case is then labelled by a machine, which the producer is told, and not decided.

    An amendment replaces the outcome under the next revision, and is told as soon as the first might have been. The
    caller holds the case's lock, which keeps the messages of one case in order. What came out of the traffic is waited
    for by nobody: an application would be sent the verdict on a case that it never sent. The tools that hold the trace
    are told all the same.
    """
    if amend:
        messages.cancel(key=key_of(case.pk), topic=TOPIC)
    row: dict[str, str | int | datetime] = {
        "case": case.pk,
        "verdict": verdict,
        "final_answer": final_answer,
        "categories": json.dumps(list(categories)),
        "codebook": codebook,
        "version": codebook_version,
        "now": now,
        "release_at": now + timedelta(seconds=undo_seconds),
        "judge": judge,
        "state": Case.State.MACHINE.value if judge else Case.State.DECIDED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD.format(conflict=_AMEND if amend else ""), row)
        (tenant_id, tenant, external_id, origin, trace_id, received_at, callback_url, revision, release_at) = (
            cursor.fetchone()
        )
    is_awaited = origin != Case.Origin.SAMPLING
    data = {
        "case_id": external_id,
        **({"trace_id": trace_id} if trace_id else {}),
        "tenant": tenant,
        "verdict": verdict,
        "final_answer": final_answer,
        "categories": list(categories),
        "codebook": codebook,
        "codebook_version": codebook_version,
        "received_at": received_at.isoformat(),
        "decided_at": now.isoformat(),
        "decided_by": "judge" if judge else "person",
        **({"judge": judge} if judge else {}),
        "revision": revision,
        "url": f"{settings.HITL_URL}/api/v1/cases/{quote(external_id, safe='')}",
        "truncated": False,
    }
    messages.post(
        tenant_id=tenant_id,
        topic=TOPIC,
        key=key_of(case.pk),
        payload=_fitting({"type": TOPIC, "timestamp": now.isoformat(), "data": data}),
        not_before=release_at,
        extra_urls=[callback_url] if callback_url and is_awaited else [],
        to_tools_alone=not is_awaited,
    )


def withdraw_outcome(*, case: Case) -> None:
    """Step: undoes `record_outcome`; the case waits again. Raises Released when it may be known already.

    A second before the release is too late: a reader must not see a verdict whose withdrawal is still being written.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAW, [case.pk])
        if cursor.fetchone() is None:
            raise Released
    messages.cancel(key=key_of(case.pk), topic=TOPIC)


def key_of(case_id: int) -> str:
    """What orders the messages about one case."""
    return f"case:{case_id}"


def _fitting(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload, its answer cut if it is too long for a webhook: the whole is at the address given in `url`."""
    answer: str = payload["data"]["final_answer"]
    if len(answer) * 6 < messages.LONGEST_BODY // 2 or len(messages.body_of(payload)) < messages.LONGEST_BODY:
        return payload

    def cut(length: int) -> dict[str, Any]:
        return payload | {"data": payload["data"] | {"final_answer": answer[:length], "truncated": True}}

    fits, too_long = 0, len(answer)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if len(messages.body_of(cut(middle))) < messages.LONGEST_BODY:
            fits = middle
        else:
            too_long = middle
    return cut(fits)


_RECORD: Final = """
with told as (
  insert into queues_outcome (case_id, revision, verdict, final_answer, categories, codebook, codebook_version, judge,
                              decided_at, release_at)
  values (%(case)s, 1, %(verdict)s, %(final_answer)s, %(categories)s::jsonb, %(codebook)s, %(version)s, %(judge)s,
          %(now)s, %(release_at)s)
  {conflict}
  returning case_id, revision, release_at)
update queues_case decided set state = %(state)s
from told, hitl_tenant tenant
where decided.id = told.case_id and tenant.id = decided.tenant_id
returning tenant.id, tenant.slug, decided.external_id, decided.origin, decided.trace_id, decided.received_at,
          decided.callback_url, told.revision, told.release_at
"""

_AMEND: Final = """
  on conflict (case_id) do update
  set revision = queues_outcome.revision + 1, verdict = excluded.verdict, final_answer = excluded.final_answer,
      categories = excluded.categories, codebook = excluded.codebook, codebook_version = excluded.codebook_version,
      judge = excluded.judge, decided_at = excluded.decided_at,
      release_at = greatest(queues_outcome.release_at, excluded.decided_at)
"""

_WITHDRAW: Final = """
with gone as (
  delete from queues_outcome
  where case_id = %s and revision = 1 and release_at > clock_timestamp() + interval '1 second'
  returning case_id)
update queues_case waiting set state = 'waiting' from gone where waiting.id = gone.case_id
returning waiting.id
"""
