"""The floor: the statements of one decision and the next claim, in raw SQL over one connection, without any page."""

import json
import time
from statistics import quantiles

from django.conf import settings
from django.db import connections
from psycopg import connect

DECIDE = "select case_id, claimed_at, decided_at from decide_slot(%s, %s, %s)"
CASE = "select tenant_id, queue_id, draft from queues_case where id = %s for no key update"
BATCH = """
select id from codebook_labelbatch where queue_id = %s and version_id = %s and origin = 'escalation'
  and purpose = 'first' and closed_at is null
"""
NEW_BATCH = """
insert into codebook_labelbatch (version_id, queue_id, origin, purpose, opened_at, closed_because)
values (%s, %s, 'escalation', 'first', now(), '') returning id
"""
LABEL = """
insert into codebook_label
  (case_id, round, slot_id, batch_id, version_id, rater, user_id, rater_name, verdict, created_at, is_amendment)
values (%s, 1, %s, %s, %s, 'person', %s, '', 'accept', now(), false) returning id
"""
REVIEW = """
insert into reviews_review (label_id, slot_id, lease_token, final_answer, seen_at, handling_ms, created_at)
values (%s, %s, %s, %s, now(), 4000, now())
"""
OUTCOME = """
insert into queues_outcome
  (case_id, revision, verdict, final_answer, categories, codebook, codebook_version, decided_at, release_at)
 values (%s, 1, 'accept', %s, '[]', 'bench', 1, now(), now() + interval '5 min')
"""
STATE = "update queues_case set state = 'decided' where id = %s"
SEEN = """
update queues_slot set seen_at = clock_timestamp(), lease_until = clock_timestamp() + interval '10 min'
where id = %s and holder_id = %s and lease_token = %s and state = 'held'
"""
HEADS = "select lane_id, reserved from lane_heads(%s, null)"
TAKE = "select slot_id, case_id, token from take_head(%s, %s, %s)"
LOAD = "select * from queues_case where id = %s"
AUDIT = "select audit_append(%s)"


def decisions(user_id: int, version_id: int, wanted: int) -> dict[str, float]:
    """p50, p95 in ms and decisions a second of one raw connection deciding and claiming ahead."""
    parameters = {**connections["default"].get_connection_params(), "prepare_threshold": 5}
    parameters.pop("cursor_factory", None), parameters.pop("context", None)
    times = []
    with connect(**parameters) as raw:
        held = [_claim(raw, user_id), _claim(raw, user_id)]
        raw.commit()
        began = time.perf_counter()
        for _ in range(wanted):
            start = time.perf_counter()
            current, ahead = held
            _decide(raw, user_id, version_id, *current)
            raw.execute(SEEN, [ahead[0], user_id, ahead[2]])
            held = [ahead, _claim(raw, user_id)]
            raw.execute(LOAD, [held[1][1]]).fetchone()
            raw.commit()
            times.append((time.perf_counter() - start) * 1000)
        seconds = time.perf_counter() - began
    cuts = quantiles(times, n=100, method="inclusive")
    return {"p50": cuts[49], "p95": cuts[94], "rate": wanted / seconds}


def _decide(raw, user_id: int, version_id: int, slot: int, case: int, token: int) -> None:  # type: ignore[no-untyped-def]
    raw.execute(DECIDE, [user_id, slot, token]).fetchone()
    tenant, queue, draft = raw.execute(CASE, [case]).fetchone()
    batch = raw.execute(BATCH, [queue, version_id]).fetchone() or raw.execute(NEW_BATCH, [version_id, queue]).fetchone()
    label = raw.execute(LABEL, [case, slot, batch[0], version_id, user_id]).fetchone()
    raw.execute(REVIEW, [label[0], slot, token, draft])
    raw.execute(OUTCOME, [case, draft])
    raw.execute(STATE, [case])
    entries = [
        {
            "action": action,
            "subject": f"case:{case}",
            "actor_id": user_id,
            "tenant_id": tenant,
            "detail": {"slot": slot},
        }
        for action in ("case.decided", "case.seen")
    ]
    raw.execute(AUDIT, [json.dumps(entries)])


def _claim(raw, user_id: int) -> tuple[int, int, int]:  # type: ignore[no-untyped-def]
    lanes = raw.execute(HEADS, [user_id]).fetchall()
    for lane, reserved in lanes:
        if row := raw.execute(TAKE, [user_id, lane, reserved]).fetchone():
            return row
    raise RuntimeError(f"Nothing is left to claim in {settings.DATA_DIR}.")
