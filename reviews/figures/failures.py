"""What an error analysis shows: the next case to read, the notes, and how often each group of them occurs.

A share is of the random sample alone: cases that were rejected, or sent because something looked wrong, say nothing of
all the traffic.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Case as Choice
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from codebook import doors
from codebook.models import Codebook, FinalLabel, Label
from hitl.models import User
from hitl.statistics import Interval, wilson
from queues import seconds
from queues.models import Case, Lane, Slot
from reviews import similar
from reviews.models import CaseRead, FailureMode, OpenCode, Review

# Nobody reads further back than this, and no page counts a million decisions.
LATEST: Final = 5_000
SHOWN: Final = 150
PROPOSED: Final = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """Cases that wait to be read: the first of them, how many of each kind, and among how many decisions was looked."""

    first: int | None
    sampled: int
    failed: int


@dataclass(frozen=True, slots=True)
class Group:
    """A group of notes: how many, of how many cases; `share`: of the cases of the random sample that were read."""

    mode: FailureMode
    codes: int
    cases: int
    share: Interval | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Notes that seem to say the same, under the shortest of them as a name."""

    title: str
    codes: Sequence[OpenCode]


@dataclass(frozen=True, slots=True)
class Analysis:
    """`loose`: notes in no group, latest first, at most SHOWN of `loose_in_all`.

    `elsewhere`: notes on cases that the owner may not open: of other tenants or queues, or still theirs to decide.
    """

    groups: Sequence[Group]
    loose: Sequence[OpenCode]
    loose_in_all: int
    proposals: Sequence[Proposal]
    read: int
    read_sampled: int
    elsewhere: int


def readable(user: User, codebook: Codebook) -> QuerySet[Case]:
    """The cases that an owner may read here: those they may see, but for those they may still have to decide."""
    theirs = seconds.undecided(user).filter(case=OuterRef("pk"))
    return doors.cases(user, codebook).filter(~Exists(theirs))


def waiting(user: User, codebook: Codebook, *, skipped: Sequence[int] = ()) -> Waiting:
    """The random sample first, then what was rejected or edited; in both the latest first."""
    decisions = (
        _decisions(codebook)
        .filter(case__in=readable(user, codebook))
        .exclude(case__in=CaseRead.objects.filter(codebook=codebook).values("case"))
        .annotate(
            rank=Choice(
                When(slot__lane__stream=Lane.Stream.RANDOM, then=Value(0)),
                When(verdict__in=[Label.Verdict.REJECT, Label.Verdict.EDIT], then=Value(1)),
                default=Value(2),
                output_field=IntegerField(),
            )
        )
        .exclude(rank=2)
    )
    first = decisions.exclude(case__in=skipped).order_by("rank", "-pk").values_list("case", flat=True).first()
    counts = decisions.aggregate(sampled=Count("pk", filter=Q(rank=0)), failed=Count("pk", filter=Q(rank=1)))
    return Waiting(first, counts["sampled"], counts["failed"])


def decision(case: Case) -> Label | None:
    """The answer on a case, with what was left beside it."""
    found = FinalLabel.objects.filter(case=case).values("label")
    standing = Label.objects.filter(pk__in=found).select_related("user", "version")
    return standing.prefetch_related("given__category").first()


def answer(label: Label | None) -> str:
    """What was sent instead of the draft, where it was edited."""
    edited = label is not None and label.verdict == Label.Verdict.EDIT
    return Review.objects.filter(label=label).values_list("final_answer", flat=True).first() or "" if edited else ""


def codes(user: User, codebook: Codebook) -> QuerySet[OpenCode]:
    """Of these notes, those that an owner may read: on cases that they may."""
    return standing(codebook).filter(case__in=readable(user, codebook))


def standing(codebook: Codebook) -> QuerySet[OpenCode]:
    """All notes but those of decisions that were taken back."""
    taken_back = Q(finding__isnull=False, finding__review__label__undone_at__isnull=False)
    return OpenCode.objects.filter(codebook=codebook).exclude(taken_back)


def analysis(user: User, codebook: Codebook) -> Analysis:
    mine = codes(user, codebook)
    read = CaseRead.objects.filter(codebook=codebook).aggregate(
        all=Count("pk"), sampled=Count("pk", filter=Q(in_random_sample=True))
    )
    loose_codes = mine.filter(mode=None)
    loose = list(loose_codes.select_related("case", "author").order_by("-pk")[:SHOWN])
    return Analysis(
        groups=groups(user, codebook, read["sampled"]),
        loose=loose,
        loose_in_all=loose_codes.count() if len(loose) == SHOWN else len(loose),
        proposals=_proposals(loose),
        read=read["all"],
        read_sampled=read["sampled"],
        elsewhere=standing(codebook).count() - mine.count(),
    )


def groups(user: User, codebook: Codebook, read_sampled: int, *, only: int | None = None) -> list[Group]:
    """The groups, the largest first. What is elsewhere counts in the share, which is of everything that was read."""
    sampled = CaseRead.objects.filter(codebook=codebook, in_random_sample=True).values("case")
    modes = FailureMode.objects.filter(codebook=codebook).select_related("promoted_to__version")
    if only:
        modes = modes.filter(pk=only)
    counted = {
        row["mode"]: row
        for row in standing(codebook)
        .filter(mode__in=modes.values("pk"))
        .values("mode")
        .annotate(
            codes=Count("pk"),
            cases=Count("case", distinct=True),
            sampled=Count("case", distinct=True, filter=Q(case__in=sampled)),
        )
    }
    none = {"codes": 0, "cases": 0, "sampled": 0}
    found = [
        Group(mode, row["codes"], row["cases"], wilson(row["sampled"], read_sampled))
        for mode in modes
        for row in [counted.get(mode.pk, none)]
    ]
    return sorted(found, key=lambda one: (-one.cases, one.mode.title))


def _decisions(codebook: Codebook) -> QuerySet[Label]:
    first = Label.objects.filter(
        version__in=codebook.versions.values("pk"),
        rater=Label.Rater.PERSON,
        undone_at=None,
        is_amendment=False,
        slot__purpose=Slot.Purpose.FIRST,
    )
    return Label.objects.filter(pk__in=first.order_by("-pk").values("pk")[:LATEST])


def _proposals(loose: Sequence[OpenCode]) -> list[Proposal]:
    by_id = {code.pk: code for code in loose}
    found = similar.proposals({code.pk: code.text for code in loose})[:PROPOSED]
    grouped = [[by_id[pk] for pk in ids] for ids in found]
    return [Proposal(min((code.text for code in one), key=len)[:120], one) for one in grouped]
