"""The verb that shows the values behind the masks of one case or trace: for a reason, once, on record."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from hitl.audit import log
from hitl.models import Tenant, User
from queues.masks import vault
from queues.masks.vault import Refused, Value
from queues.models import Case, IntakeSettings, Trace
from queues.scrub.reading import PSEUDONYM
from queues.scrubbing import scrubbed

SHORTEST, LONGEST = 8, 300
# What a case or a trace shows of itself: its own columns, and what is on record of it beside them.
_OF_A_CASE = "select row_to_json(one)::text from queues_case one where id = %s"
_OF_A_TRACE = "select row_to_json(one)::text from queues_trace one where tenant_id = %s and id = %s"


@dataclass(frozen=True, slots=True)
class Revealed:
    """`masked` is how many different masks there are; `values` are those that the vault holds."""

    masked: int
    values: Sequence[Value]


@transaction.atomic
def of_case(*, case: Case, by: User, reason: str) -> Revealed:
    """The caller has seen to it that the person may: `reveal_tenant`, and this case. Raises Refused."""
    return _reveal(case.tenant, _tokens(_OF_A_CASE, [case.pk]), by, reason, f"case:{case.pk}", case.queue_id)


@transaction.atomic
def of_trace(*, trace: Trace, by: User, reason: str) -> Revealed:
    """The caller has seen to it that the person may: `reveal_tenant`, and this trace. Raises Refused."""
    tokens = _tokens(_OF_A_TRACE, [trace.tenant_id, trace.pk])
    return _reveal(trace.tenant, tokens, by, reason, f"trace:{trace.pk}", None)


def in_case(case: Case) -> int:
    """How many different masks stand in a case."""
    return len(_tokens(_OF_A_CASE, [case.pk]))


def in_trace(trace: Trace) -> int:
    return len(_tokens(_OF_A_TRACE, [trace.tenant_id, trace.pk]))


def has_vault(tenant: Tenant) -> bool:
    """Whether anything can be there: values are kept, or were and have not been forgotten."""
    kept = IntakeSettings.objects.filter(tenant=tenant, keeps_vault=True).exists()
    return kept or vault.size(tenant) > 0


def _reveal(
    tenant: Tenant, tokens: Sequence[str], by: User, reason: str, subject: str, queue_id: int | None
) -> Revealed:
    said = " ".join(reason.replace("\x00", "").split())
    if len(said) < SHORTEST:
        raise Refused("Say why you need to see it, in a few words: that is on record. Nothing was shown.")
    values = vault.opened(tenant_id=tenant.pk, tokens=tokens)
    log.append(
        actor=by, action="pii.revealed", subject=subject, tenant_id=tenant.pk, queue_id=queue_id,
        detail={
            "kinds": dict(Counter(value.kind for value in values)),
            "masks": len(tokens),
            "reason": scrubbed(said[:LONGEST], tenant),
        },
    )  # fmt: skip
    return Revealed(len(tokens), values)


def _tokens(statement: str, parameters: list[int | UUID]) -> list[str]:
    """The masks in a row, in the order in which they stand there, each once."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = cursor.fetchone()
    return list(dict.fromkeys(PSEUDONYM.findall(json.dumps(json.loads(found[0]), ensure_ascii=False)))) if found else []
