"""When a queue showed its reviewers what the judge said. Whoever saw it is no measure of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from queues.models import Queue


@dataclass(frozen=True, slots=True)
class Shown:
    """By queue that ever showed the judge: whether it does now, and when that changed, latest first."""

    now: Mapping[int, bool]
    changes: Mapping[int, Sequence[datetime]]

    @property
    def queues(self) -> list[int]:
        return list(self.now)

    def at(self, queue_id: int, moment: datetime) -> bool:
        """Whether the queue showed it then: from what it does now, back through the changes since."""
        since = sum(change > moment for change in self.changes.get(queue_id, ()))
        return self.now.get(queue_id, False) != bool(since % 2)


def when_shown(queues: Iterable[Queue]) -> Shown:
    """From the audit record, which names the fields of each change."""
    now = {queue.pk: queue.shows_judge for queue in queues}
    changes: dict[int, list[datetime]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "select queue_id, at from audit_event"
            " where subject = any(%s) and action = 'queue.changed' and detail -> 'fields' ? 'shows_judge'"
            " order by at desc",
            [[f"queue:{pk}" for pk in now]],
        )
        for queue_id, at in cursor.fetchall():
            changes[queue_id].append(at)
    return Shown({pk: shows for pk, shows in now.items() if shows or pk in changes}, changes)
