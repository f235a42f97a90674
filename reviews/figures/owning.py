"""What waits for the owner of a codebook: differences to settle, decisions to look at, and what raised an alarm."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from codebook.doors import owned
from codebook.models import Codebook, Comment, Disagreement, DriftReport, JudgeReport, SpotCheck
from hitl.models import User

# Of each judge and of each reviewer the latest report says whether there is an alarm.
_JUDGE: Final = ("codebook", "judge", "judge_version", "prompt")
_REVIEWER: Final = ("codebook", "reviewer")


@dataclass(frozen=True, slots=True)
class Owned:
    codebook: Codebook
    disagreements: int
    spot_checks: int
    comments: int
    judges_alarmed: int
    reviewers_alarmed: int


def codebooks(user: User) -> Sequence[Owned]:
    """One row for each codebook that is theirs, by title; counts are of all tenants, what is behind them may not be."""
    counts = {
        "disagreements_now": _count(Disagreement.objects.filter(codebook=OuterRef("pk"), settled_at=None), "codebook"),
        "spot_checks_now": _count(SpotCheck.objects.filter(codebook=OuterRef("pk"), checked_at=None), "codebook"),
        "comments_now": _count(
            Comment.objects.filter(version__codebook=OuterRef("pk"), resolved_at=None, version__state="draft"),
            "version__codebook",
        ),
        "judges_alarmed_now": _count(_alarmed(JudgeReport.objects.filter(codebook=OuterRef("pk")), _JUDGE), "codebook"),
        "reviewers_alarmed_now": _count(
            _alarmed(DriftReport.objects.filter(codebook=OuterRef("pk")), _REVIEWER), "codebook"
        ),
    }
    found = owned(user).annotate(**counts).order_by("title")
    return [Owned(one, *(getattr(one, name) for name in counts)) for one in found]


def _count(rows: QuerySet, per: str) -> Coalesce:
    counted = rows.order_by().values(per).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _alarmed(reports: QuerySet, same: Sequence[str]) -> QuerySet:
    later = reports.model.objects.filter(pk__gt=OuterRef("pk"), **{name: OuterRef(name) for name in same})
    return reports.filter(~Exists(later), alarmed=True)
