"""How long users usually stay on answers of a topic: what a dwell signal is held against."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from hitl.database.uuid7 import floor
from hitl.models import Tenant
from queues.models import TopicDwell

LOOKED_BACK: Final = timedelta(days=14)
# A median of fewer says little of what is usual.
FEWEST: Final = 20


def medians(tenant: Tenant, topics: Iterable[str]) -> dict[str, float]:
    """The median in seconds of those topics that have one."""
    wanted = set(topics)
    if not wanted:
        return {}
    return dict(TopicDwell.objects.filter(tenant=tenant, topic__in=wanted).values_list("topic", "median"))


@transaction.atomic
def refresh(now: datetime) -> int:
    """The medians of the last two weeks, of topics that enough users stayed on; how many. A topic that nobody stays on
    any more keeps the last one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, {"since": floor(now - LOOKED_BACK), "now": now, "fewest": FEWEST})
        return int(cursor.rowcount)


_REFRESH: Final = """
insert into queues_topicdwell (tenant_id, topic, median, count, at)
select trace.tenant_id, trace.topic, percentile_cont(0.5) within group (order by signal.value), count(*), %(now)s
from queues_signal signal join queues_trace trace on trace.id = signal.trace_id
where signal.type = 'implicit_dwell' and signal.id >= %(since)s and signal.value > 0 and signal.withdrawn_at is null
group by trace.tenant_id, trace.topic having count(*) >= %(fewest)s
order by trace.tenant_id, trace.topic
on conflict on constraint topic_dwell_once do update
  set median = excluded.median, count = excluded.count, at = excluded.at
"""
