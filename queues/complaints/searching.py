"""Looking for the trace of a complaint by hand, where it is not among those proposed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.utils import timezone

from hitl.models import Tenant
from queues.models import Complaint, Trace
from queues.traces import consent, known, listing
from queues.traces.listing import BY_TIME, Page, Wanted

AROUND: Final = timedelta(days=3)
BEFORE: Final = timedelta(days=30)
SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. `whole`: it went through all of the time that it names."""

    rows: Sequence[listing.Row]
    since: datetime
    until: datetime
    whole: bool


def search(
    complaint: Complaint, tenant: Tenant, *, words: str = "", user_key: str = "", trace_id: str = "",
    around: date | None = None,
) -> Found:  # fmt: skip
    """The newest first. Without a day it looks through the month before the complaint."""
    since, until = complaint.at - BEFORE, complaint.at + timedelta(minutes=10)
    if around is not None:
        noon = timezone.make_aware(datetime.combine(around, time(12))).astimezone(UTC)
        since, until = noon - AROUND, noon + AROUND
    if trace_id:
        trace = _named(tenant, trace_id.strip())
        if trace is not None:
            since, until = trace.at - timedelta(seconds=1), trace.at + timedelta(seconds=1)
        page = Page()
        if trace is not None:
            every = listing.page(Wanted(tenant.pk, since, until, BY_TIME))
            page = Page([row for row in every.rows if row.id == trace.pk])
        return Found(page.rows, since, until, True)
    key = consent.cleaned_key(user_key, tenant)
    page = listing.page(Wanted(tenant.pk, since, until, BY_TIME, user_key=key, words=words))
    return Found(page.rows[:SHOWN], since, until, not page.after and len(page.rows) <= SHOWN)


def _named(tenant: Tenant, name: str) -> Trace | None:
    found = known.ids(tenant, [name])
    return Trace.objects.filter(tenant=tenant, pk=found[name]).first() if name in found else None
