"""Joins judges' verdicts to cases that came in at the same moment, when neither could see the other."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction

# Of the newest verdicts, how many are looked through: those that wait for a case that never comes may be many.
LATEST: Final = 20_000


@transaction.atomic
def attach(now: datetime) -> int:
    """How many were joined. Of two that a case cannot both have (one by its id, one by its trace), the first is joined
    and the other waits on.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ATTACH, {"latest": LATEST})
        return int(cursor.rowcount)


_ATTACH: Final = """
with newest as (
  select waiting.* from queues_judgeverdict waiting
  where waiting.id > (select coalesce(max(id), 0) - %(latest)s from queues_judgeverdict) and waiting.case_id is null
), found as (
  select newest.id, told.id as case_id, judge, judge_version, prompt, position
  from newest join queues_case told
    on told.tenant_id = newest.tenant_id and told.external_id = newest.external_case_id
  where newest.external_case_id <> ''
  union all
  select newest.id, first.id, judge, judge_version, prompt, position
  from newest cross join lateral (
    select told.id from queues_case told
    where told.tenant_id = newest.tenant_id and told.trace_id = newest.trace_id and told.trace_id <> ''
    order by told.id limit 1) first
  where newest.external_case_id = ''
), once as (
  select distinct on (case_id, judge, judge_version, prompt, position) id, case_id from found
  where not exists (
    select from queues_judgeverdict there
    where there.case_id = found.case_id and there.judge = found.judge and there.judge_version = found.judge_version
      and there.prompt = found.prompt and there.position = found.position)
  order by case_id, judge, judge_version, prompt, position, id
)
update queues_judgeverdict waiting set case_id = once.case_id from once
where waiting.id = once.id and waiting.case_id is null
"""
