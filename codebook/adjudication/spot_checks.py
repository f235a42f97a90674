"""Spot checks: each day the owner of a codebook looks at a few decisions of every reviewer, chosen by chance."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet

from codebook.adjudication.adjudicating import NotSettled
from codebook.adjudication.disagreement import INDEPENDENT
from codebook.doors import cases
from codebook.models import Adjudication, Codebook, Label, SpotCheck
from hitl.audit import log
from hitl.models import User
from hitl.statistics import Interval, wilson
from queues import seconds

A_DAY_EACH: Final = 2
OVER: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Figure:
    """How often the owner agreed with a reviewer, of those checked in the last 90 days; and how many are open."""

    reviewer: User
    agreed: Interval | None
    open: int


def draw(now: datetime) -> int:
    """Chore: for each codebook the checks of yesterday (by UTC), where they are not drawn yet; how many were made."""
    day = now.astimezone(UTC).date() - timedelta(days=1)
    drawn = SpotCheck.objects.filter(day=day).values("codebook")
    return sum(_draw(codebook, day) for codebook in Codebook.objects.exclude(pk__in=drawn).select_related("owner"))


def chosen(day: date, labels: list[int]) -> list[int]:
    """The labels to look at: those that come first by the SHA-256 of "spot:<day>:<label>", whoever draws."""
    return sorted(labels, key=lambda label: hashlib.sha256(f"spot:{day}:{label}".encode()).digest())[:A_DAY_EACH]


def visible(user: User, codebook: Codebook) -> QuerySet[SpotCheck]:
    """The checks that the owner may look into: not on cases that they may yet be asked to decide (guarantee 5)."""
    found = SpotCheck.objects.filter(codebook=codebook, label__undone_at=None, label__case__in=cases(user, codebook))
    return found.alias(yet_theirs=seconds.yet_theirs(user, OuterRef("label__case"))).filter(yet_theirs=None)


def figures(codebook: Codebook, shown: QuerySet[SpotCheck], now: datetime) -> list[Figure]:
    """By reviewer, in the order of their names: of all checks, whether the owner still may see the case or not."""
    checked = SpotCheck.objects.filter(codebook=codebook, checked_at__gt=now - OVER)
    counted = {
        row["reviewer"]: wilson(row["agreed"], row["n"])
        for row in checked.values("reviewer").annotate(n=Count("pk"), agreed=Count("pk", filter=Q(agrees=True)))
    }
    waiting = dict(shown.filter(checked_at=None).order_by().values_list("reviewer").annotate(Count("pk")))
    people = User.objects.filter(pk__in={*counted, *waiting}).order_by("name", "pk")
    return [Figure(one, counted.get(one.pk), waiting.get(one.pk, 0)) for one in people]


@transaction.atomic
def check(
    *, spot: SpotCheck, agrees: bool, by: User, now: datetime, adjudication: Adjudication | None = None
) -> SpotCheck:
    """The owner's word on a decision. Raises NotSettled if it was given before, in another tab perhaps."""
    locked = SpotCheck.objects.select_for_update(of=("self",)).select_related("label__case").get(pk=spot.pk)
    if locked.checked_at:
        raise NotSettled("You have checked this decision already. Your first word stands.")
    locked.checked_at, locked.agrees, locked.adjudication = now, agrees, adjudication
    locked.save(update_fields=["checked_at", "agrees", "adjudication"])
    case = locked.label.case
    log.append(
        actor=by, action="case.spot_checked", subject=f"case:{case.pk}", tenant_id=case.tenant_id,
        queue_id=case.queue_id, detail={"agrees": agrees},
    )  # fmt: skip
    return locked


def _draw(codebook: Codebook, day: date) -> int:
    since = datetime.combine(day, time(), UTC)
    decided = Label.objects.filter(
        version__codebook=codebook,
        created_at__gte=since,
        created_at__lt=since + timedelta(days=1),
        rater=Label.Rater.PERSON,
        undone_at=None,
        is_amendment=False,
        batch__purpose__in=INDEPENDENT,
        case__in=cases(codebook.owner, codebook),
        spot_check__isnull=True,
    ).exclude(user=codebook.owner_id)
    by_reviewer: dict[int, list[int]] = defaultdict(list)
    for label, user in decided.values_list("pk", "user_id"):
        if user:
            by_reviewer[user].append(label)
    checks = [
        SpotCheck(label_id=label, codebook=codebook, reviewer_id=reviewer, day=day)
        for reviewer, labels in by_reviewer.items()
        for label in chosen(day, labels)
    ]
    return len(SpotCheck.objects.bulk_create(checks, ignore_conflicts=True))
