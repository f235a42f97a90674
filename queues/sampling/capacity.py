"""What a queue can take: as many cases as its people decide in the time that a sampled case may wait."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

LOOKED_BACK: Final = timedelta(days=14)
# Of fewer decisions a rate says little. Until then a queue is taken for one reviewer with an hour a day, who decides
# some fifty cases in it; a rate that is known is taken as it is.
ENOUGH: Final = 20
UNKNOWN_PER_DAY: Final = 50.0
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Throughput:
    """Cases that people decided in a queue over the last days, and what that makes a day."""

    decided: int
    days: float

    @property
    def is_known(self) -> bool:
        return self.decided >= ENOUGH

    @property
    def per_day(self) -> float:
        return self.decided / self.days if self.is_known else UNKNOWN_PER_DAY

    def holds(self, days: int) -> int:
        """How many cases may wait, for each to be decided within so many days."""
        return int(self.per_day * days)


NOTHING: Final = Throughput(0, LOOKED_BACK / _DAY)


def throughput(queues: Collection[int], now: datetime) -> dict[int, Throughput]:
    """By queue (id). A queue that began lately is measured from its first decision on, over a day at least."""
    with connection.cursor() as cursor:
        cursor.execute(_DECIDED, {"queues": list(queues), "since": now - LOOKED_BACK})
        found = {queue: (count, first) for queue, count, first in cursor.fetchall()}
    return {
        queue: Throughput(found[queue][0], max(1.0, (now - found[queue][1]) / _DAY)) if queue in found else NOTHING
        for queue in queues
    }


_DECIDED: Final = """
select told.queue_id, count(*), min(outcome.decided_at)
from queues_outcome outcome join queues_case told on told.id = outcome.case_id
where outcome.decided_at >= %(since)s and outcome.judge = '' and told.queue_id = any(%(queues)s::bigint[])
group by told.queue_id
"""
