"""Looking through the audit record: filters, pages, and how far it is sealed."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from hitl.access.models import Tenant, User
from hitl.audit.models import AuditCheckpoint, AuditEvent
from hitl.audit.reading import LINE, Sealed
from hitl.database.uuid7 import floor

PAGE = 50
CHUNK = 2_000
LATE = timedelta(minutes=1)


@dataclass(frozen=True)
class Wanted:
    """Filters; what is None or empty does not filter. Times are instants: from `since` on, before `until`."""

    person: User | None = None
    action: str = ""
    subjects: Sequence[str] = ()
    tenant: Tenant | None = None
    since: datetime | None = None
    until: datetime | None = None

    def among(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        equal: dict[str, Any] = {
            "actor": self.person,
            "action": self.action,
            "subject__in": self.subjects,
            "tenant_id": self.tenant and self.tenant.pk,
        }
        found = events.filter(**{name: value for name, value in equal.items() if value})
        if self.since:
            found = found.filter(pk__gte=floor(self.since))
        return found.filter(pk__lt=floor(self.until)) if self.until else found

    def as_detail(self) -> dict[str, Any]:
        """For the record: what was looked for."""
        said = {
            "person": self.person and self.person.pk,
            "action": self.action,
            "subject": ", ".join(self.subjects),
            "tenant": self.tenant and self.tenant.pk,
            "since": self.since and self.since.astimezone(UTC).isoformat(),
            "until": self.until and self.until.astimezone(UTC).isoformat(),
        }
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True)
class State:
    """How far the record is sealed: the last checkpoint, and what waits since when."""

    size: int = 0
    at: datetime | None = None
    waiting: int = 0
    since: datetime | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_late(self) -> bool:
        return self.since is not None and self.now - self.since > LATE


def page(found: QuerySet[AuditEvent], before: uuid.UUID | None) -> tuple[list[AuditEvent], uuid.UUID | None]:
    """The newest events, or those older than `before`; and before which the next page begins, if there is one."""
    if before:
        found = found.filter(pk__lt=before)
    events = list(found.select_related("actor").order_by("-pk")[: PAGE + 1])
    return events[:PAGE], events[PAGE - 1].pk if len(events) > PAGE else None


def state() -> State:
    last = AuditCheckpoint.objects.order_by("-size").first()
    with connection.cursor() as cursor:
        # As a value of its own: a plan that does not know it reads every leaf.
        cursor.execute("select low::text from audit_tree")
        cursor.execute(
            """
            select count(*), min(at), clock_timestamp() from audit_event
            where tx >= %s::xid8 and not exists (select from audit_leaf where event_id = id)
            """,
            cursor.fetchone(),
        )
        waiting, since, now = cursor.fetchone()
    return State(last.size if last else 0, last.at if last else None, waiting, since, now)


def lines(found: QuerySet[AuditEvent]) -> Iterator[Sealed]:
    """The events, oldest first, as an export has them; read a piece at a time. What is not sealed has place -1."""
    found = found.order_by("pk").annotate(
        line=RawSQL(LINE, []),  # noqa: S611 -- a constant
        place=RawSQL("select position from audit_leaf where event_id = audit_event.id", []),
    )
    after: uuid.UUID | None = None
    while True:
        part = found.filter(pk__gt=after) if after else found
        rows = list(part.values_list("pk", "place", "digest", "line")[:CHUNK])
        for pk, place, digest, line in rows:
            yield Sealed(-1 if place is None else place, str(pk), bytes(digest), line.encode())
        if len(rows) < CHUNK:
            return
        after = rows[-1][0]
