"""The one door that cases come in by: checked, received once, scrubbed, weighed, routed and stored."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction

from hitl.audit import log
from hitl.models import Tenant, User
from queues import terms
from queues.intake import checking, cleaning, storing
from queues.intake.received import ROWS_MOST, Part, Received
from queues.intake.storing import Ready
from queues.weighing import Terms, Weighed, Weigher

SHOWN: Final = 10


@dataclass(slots=True)
class Looked(Received):
    """What would become of rows: `accepted` would be taken, and `shown` are the first of them, scrubbed and weighed."""

    shown: list[tuple[Ready, Weighed]] = field(default_factory=list)


def cases(
    incoming: Iterable[object],
    *,
    tenant: Tenant,
    now: datetime,
    source: str,
    actor: User | None = None,
    most: int | None = ROWS_MOST,
    progress: Callable[[Received], object] | None = None,
) -> Received:
    """Take rows in: what JSON gives, or `Unreadable`. Good rows are kept whatever the others are.

    Rows are taken in parts of some thousand, each its own transaction with its own audit record, so a part that was
    taken in stays when a later one fails; sending everything again is safe. `source` names the door and the token.
    `incoming` must not use the database: it is read in a thread of its own.
    """
    received = Received()
    standing = terms.of(tenant)
    reading = checking.parts(incoming, tenant, most)
    part = next(reading, None)
    with ThreadPoolExecutor(1, thread_name_prefix="intake") as ahead:
        while part is not None:
            # Storing finds out by itself who came before; it is asked first where scrubbing in vain would cost more.
            known = storing.known_of(tenant, part.ready) if tenant.scrubs else {}
            fresh = [_cleaned(ready, tenant) for ready in checking.fresh(part, known)]
            following = None
            with transaction.atomic():
                accepted = _take(fresh, part, tenant=tenant, standing=standing, now=now, source=source, actor=actor)
                if part.is_full:
                    # The next rows are checked while the database commits these: neither needs the other.
                    following = ahead.submit(next, reading, None)
            received.add(accepted, part)
            if progress:
                progress(received)
            part = following.result() if following else None
    return received


def look(incoming: Iterable[object], *, tenant: Tenant, now: datetime) -> Looked:
    """What `cases` would do with these rows, of which nothing is stored."""
    looked = Looked()
    weigher = Weigher(terms.of(tenant), now)
    seen: checking.Seen = {}
    for part in checking.parts(incoming, tenant):
        ready = checking.fresh(part, storing.known_of(tenant, part.ready), seen)
        looked.add(len(ready), part)
        for one in ready[: SHOWN - len(looked.shown)]:
            clean = _cleaned(one, tenant)
            looked.shown.append((clean, weigher.weigh(storing.answer(clean.case, clean.language), sent=True)))
    return looked


def _cleaned(ready: Ready, tenant: Tenant) -> Ready:
    return ready._replace(case=cleaning.clean(ready.case, tenant)) if tenant.scrubs else ready


def _take(
    fresh: list[Ready],
    part: Part[Ready],
    *,
    tenant: Tenant,
    standing: Terms,
    now: datetime,
    source: str,
    actor: User | None,
) -> int:
    """A step: store a part and record it; how many were stored. The others were taken in before, or by one quicker."""
    won = storing.store(fresh, tenant=tenant, terms=standing, now=now) if fresh else []
    if len(won) < len(fresh):
        first = {ready.at for ready in won}
        late = [ready for ready in fresh if ready.at not in first]
        quicker = storing.known_of(tenant, late)
        for ready in late:
            checking.settle(ready, quicker[ready.case.case_id], part)
    counts = {"accepted": len(won), "duplicates": part.duplicates, "rejected": len(part.rejected)}
    log.append(
        actor=actor,
        action="cases.received",
        subject=f"tenant:{tenant.pk}",
        tenant_id=tenant.pk,
        detail={**counts, "source": source},
        actor_name="" if actor else source,
    )
    return len(won)
