"""What was drawn from a tenant's traffic, what people said of it, and which signals it carries; row by row."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from hitl.database.uuid7 import floor
from hitl.models import Tenant
from queues.models import Signal
from queues.traces.weights import DOWN, DWELL, EDITS, RATING, UP


class Row(NamedTuple):
    """A trace that became a case. `probability` is None where a lead sent it; `kinds`: of the signals it carries."""

    at: datetime
    topic: str
    release: str
    prompt_version: str
    policy: str
    policies: dict[str, float]
    probability: float | None
    is_dropped: bool
    verdict: str | None
    version_id: int | None
    given: list[int] | None
    kinds: list[str] | None


class Traffic(NamedTuple):
    """How many traces of one kind came on a day."""

    day: date
    topic: str
    release: str
    prompt_version: str
    traces: int


def rows(tenant: Tenant, since: datetime) -> Iterator[Row]:
    """By a cursor of the server's: of a million cases only some thousand are here at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SAMPLED, _asked(tenant, since))
        for row in cursor:
            yield Row(*row)._replace(policies=json.loads(row[5]))


def traffic(tenant: Tenant, since: datetime) -> Iterator[Traffic]:
    """The traces that are kept, by day (UTC)."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_TRAFFIC, _asked(tenant, since))
        for row in cursor:
            yield Traffic(*row)


def signals(tenant: Tenant, since: datetime) -> list[tuple[date, str, int]]:
    """How often each kind of signal came, by day (UTC)."""
    with connection.cursor() as cursor:
        cursor.execute(_SIGNALS, _asked(tenant, since))
        return list(cursor.fetchall())


def _asked(tenant: Tenant, since: datetime) -> dict[str, Any]:
    return {
        "tenant": tenant.pk, "since": since, "floor": floor(since), "rating": RATING, "dwell": DWELL,
        "edits": sorted(EDITS), "reason": Signal.Type.USER_REASON.value, "down": f"{RATING}:{DOWN}",
        "up": f"{RATING}:{UP}",
    }  # fmt: skip


# As queues.traces.weights.kind names it; null where it says nothing: the middle of a scale, an edit of nothing.
_KIND: Final = """
case when signal.type = %(rating)s
    then case when signal.value < 3 then %(down)s when signal.value > 3 then %(up)s end
  when signal.type = %(reason)s and signal.reason <> '' then signal.type || ':' || signal.reason
  when signal.type = any(%(edits)s) and signal.value = 0 then null
  else signal.type end
"""
# Of dwelling only the unusual: more than twice or less than half of what is usual in the topic.
_SAMPLED: Final = f"""
with carried as materialized (
  select signal.trace_id, array_agg(distinct {_KIND}) as kinds
  from queues_signal signal
  join queues_sampled drawn on drawn.tenant_id = %(tenant)s and drawn.trace_id = signal.trace_id
  left join queues_topicdwell usual
    on signal.type = %(dwell)s and usual.tenant_id = %(tenant)s and usual.topic = drawn.topic
  where signal.tenant_id = %(tenant)s and signal.id >= %(floor)s and signal.withdrawn_at is null
    and (signal.type <> %(dwell)s
      or (signal.value > 0 and usual.median > 0 and abs(ln(signal.value / usual.median)) > ln(2.0)))
  group by signal.trace_id
)
select drawn.trace_at, drawn.topic, drawn.release, drawn.prompt_version, drawn.policy, drawn.policies::text,
  drawn.probability, drawn.dropped_at is not null, label.verdict, label.version_id, given.ids, carried.kinds
from queues_sampled drawn
left join carried on carried.trace_id = drawn.trace_id
left join lateral (
  select final.label_id from codebook_finallabel final where final.case_id = drawn.case_id) final on true
left join codebook_label label on label.id = final.label_id
left join lateral (
  select array_agg(given.category_id) as ids from codebook_labelcategory given where given.label_id = label.id
) given on true
where drawn.tenant_id = %(tenant)s and drawn.trace_at >= %(since)s
"""  # noqa: S608 -- an expression of ours
_TRAFFIC: Final = """
select (at at time zone 'UTC')::date, topic, release, prompt_version, count(*) from queues_trace
where tenant_id = %(tenant)s and id >= %(floor)s group by 1, 2, 3, 4
"""
_SIGNALS: Final = f"""
select (signal.at at time zone 'UTC')::date, {_KIND} as kind, count(*) from queues_signal signal
where signal.tenant_id = %(tenant)s and signal.id >= %(floor)s and signal.withdrawn_at is null
group by 1, 2 having {_KIND} is not null
"""  # noqa: S608 -- an expression of ours
