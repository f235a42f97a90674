"""How often people accept the drafts of a route: what a new case of the same route can be trusted by."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

LOOKED_BACK: Final = timedelta(days=90)


@transaction.atomic
def refresh(now: datetime) -> int:
    """Counts anew, per tenant, domain and topic, the drafts accepted of the escalations decided; returns how many
    routes. What a sample picked because users complained would speak ill of its whole route.

    A route that nobody decided for so long is forgotten. One statement each, for once an hour.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": now, "since": now - LOOKED_BACK})
        routes: int = cursor.rowcount
        cursor.execute(_FORGET, {"now": now})
    return routes


# Leads who refresh at the same moment take the routes in one order, and never wait for each other both ways.
_COUNT: Final = """
insert into queues_routequality as known (tenant_id, domain, topic, accepted, decided, at)
select decided.tenant_id, decided.domain, decided.topic,
  count(*) filter (where outcome.verdict = 'accept'), count(*), %(now)s
from queues_outcome outcome join queues_case decided on decided.id = outcome.case_id
where outcome.decided_at >= %(since)s and outcome.judge = '' and decided.origin = 'escalation'
group by 1, 2, 3 order by 1, 2, 3
on conflict on constraint route_once do update
set accepted = excluded.accepted, decided = excluded.decided, at = excluded.at
"""

_FORGET: Final = "delete from queues_routequality where at < %(now)s"
