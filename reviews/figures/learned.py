"""What became of a person's own decisions where the owner of the codebook had the last word, or looked them over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from codebook.adjudication.disagreement import INDEPENDENT
from codebook.models import Adjudication, Category, Label, SpotCheck
from hitl.access import doors
from hitl.models import User
from queues import seconds
from queues.doors import queues


@dataclass(frozen=True, slots=True)
class Ended:
    """`word` is None where the owner looked at it and agreed. `learn`: categories that one of the two gave."""

    mine: Label
    word: Adjudication | None
    at: datetime
    same: bool
    learn: Sequence[Category]


def ended(user: User) -> QuerySet[Label]:
    """Own standing decisions with a word of the owner's on them, latest first.

    Not on a case that the person may be asked about again: they would know the answer.
    """
    words = Adjudication.objects.filter(case=OuterRef("case"), round=OuterRef("round"))
    checks = SpotCheck.objects.filter(label=OuterRef("pk"), checked_at__isnull=False)
    labels = Label.objects.filter(
        slot__decided_by=user, user=user, undone_at=None, is_amendment=False, batch__purpose__in=INDEPENDENT,
        slot__lane__queue__in=queues(user), slot__lane__tenant__in=doors.tenants(user),
    )  # fmt: skip
    ended_at = Greatest(Subquery(words.values("at")[:1]), Subquery(checks.values("checked_at")[:1]))
    return (
        labels.filter(Exists(words) | Exists(checks))
        .alias(yet_theirs=seconds.yet_theirs(user, OuterRef("case")))
        .filter(yet_theirs=None)
        .annotate(ended_at=Coalesce(ended_at, F("created_at")))
        .select_related("case", "version__codebook", "slot__lane__queue")
        .prefetch_related("given__category")
        .order_by("-ended_at", "-pk")
    )


def lay_out(labels: Iterable[Label]) -> list[Ended]:
    """With the last word on each, in one statement for all."""
    mine = list(labels)
    words = {
        (word.case_id, word.round): word
        for word in Adjudication.objects.filter(case__in={one.case_id for one in mine})
        .select_related("label")
        .prefetch_related("label__given__category")
    }
    return [_ended(one, words.get((one.case_id, one.round))) for one in mine]


def _ended(mine: Label, word: Adjudication | None) -> Ended:
    at: datetime = mine.ended_at  # type: ignore[attr-defined]
    if word is None:
        return Ended(mine, None, at, True, ())
    said = {given.category.key: given.category for given in mine.given.all()}
    final = {given.category.key: given.category for given in word.label.given.all()}
    # In the words of the last word's version where it gave the category, else in those of the person's own.
    learn = [(said | final)[key] for key in sorted(said.keys() ^ final.keys())]
    same = mine.verdict == word.label.verdict and not learn
    return Ended(mine, word, at, same, learn)
