"""What an error analysis shows: the next case to read, the notes, and how often each group of them occurs.

A share is of the random sample alone: cases that were rejected, or sent because something looked wrong, say nothing of
all the traffic.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from codebook import doors
from codebook.models import Codebook, FinalLabel, Label
from hitl.access import doors as access
from hitl.models import User
from hitl.statistics import Interval, wilson
from queues import seconds
from queues.doors import queues
from queues.models import Case
from reviews import similar
from reviews.models import CaseRead, FailureMode, Finding, OpenCode, Review

# Nobody reads further back than this, and no page counts a million decisions.
LATEST: Final = 2_000
SHOWN: Final = 100
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

    `elsewhere`: cases with notes, among the latest, of tenants or queues that the owner does not work in.
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
    found = doors.cases(user, codebook)
    return found.alias(yet_theirs=seconds.yet_theirs(user, OuterRef("pk"))).filter(yet_theirs=None)


def waiting(user: User, codebook: Codebook, *, skipped: Sequence[int] = ()) -> Waiting:
    """The random sample first, then what was rejected or edited; in both the latest first."""
    with connection.cursor() as cursor:
        cursor.execute(_UNREAD, {"codebook": codebook.pk, "latest": LATEST, **_reach(user, codebook)})
        unread = cursor.fetchall()
    kept = _kept_from(user, [case for case, _ in unread])
    found = [(case, is_sampled) for case, is_sampled in unread if case not in kept]
    ahead = sorted((not is_sampled, place, case) for place, (case, is_sampled) in enumerate(found))
    first = next((case for _, _, case in ahead if case not in skipped), None)
    sampled = sum(is_sampled for _, is_sampled in found)
    return Waiting(first, sampled, len(found) - sampled)


def decision(case: Case) -> Label | None:
    """The answer on a case, with what was left beside it."""
    found = FinalLabel.objects.filter(case=case).values("label")
    standing = Label.objects.filter(pk__in=found).select_related("user", "version")
    return standing.prefetch_related("given__category").first()


def answer(label: Label | None) -> str:
    """What was sent instead of the draft, where it was edited."""
    edited = label is not None and label.verdict == Label.Verdict.EDIT
    return Review.objects.filter(label=label).values_list("final_answer", flat=True).first() or "" if edited else ""


def codes(user: User, codebook: Codebook, *, most: int = SHOWN, **which: object) -> list[OpenCode]:
    """Of these notes, latest first, at most so many of those that an owner may read: on cases that they may."""
    fields = ("text", "codebook_id", "case_id", "case__external_id", "author__name")
    near = _near(user, codebook).filter(**which).select_related("case", "author").only(*fields)
    found = list(near.order_by("-pk")[: 2 * most])
    kept = _kept_from(user, [code.case_id for code in found])
    return [code for code in found if code.case_id not in kept][:most]


def standing(codebook: Codebook) -> QuerySet[OpenCode]:
    """All notes but those of decisions that were taken back."""
    # Looked up note by note: joined, the database reads every decision there is.
    finding = Finding.objects.filter(pk=OuterRef("finding"))
    return (
        OpenCode.objects.filter(codebook=codebook)
        .alias(taken_back_at=Subquery(finding.values("review__label__undone_at")[:1]))
        .filter(Q(finding=None) | Q(taken_back_at=None))
    )


def analysis(user: User, codebook: Codebook) -> Analysis:
    read = CaseRead.objects.filter(codebook=codebook).aggregate(
        all=Count("pk"), sampled=Count("pk", filter=Q(in_random_sample=True))
    )
    loose = codes(user, codebook, mode=None)
    return Analysis(
        groups=groups(codebook, read["sampled"]),
        loose=loose,
        loose_in_all=standing(codebook).filter(mode=None).count() if len(loose) == SHOWN else len(loose),
        proposals=_proposals(loose),
        read=read["all"],
        read_sampled=read["sampled"],
        elsewhere=_elsewhere(user, codebook),
    )


def groups(codebook: Codebook, read_sampled: int, *, only: int | None = None) -> list[Group]:
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


def _reach(user: User, codebook: Codebook) -> dict[str, list[int]]:
    """As codebook.doors.cases, by number: the database then looks at the few cases that are asked about, not at all."""
    used = codebook.queue_uses.values("queue")
    return {
        "queues": list(queues(user).filter(pk__in=used).values_list("pk", flat=True)),
        "tenants": list(access.tenants(user).values_list("pk", flat=True)),
        "versions": list(codebook.versions.values_list("pk", flat=True)),
    }


def _near(user: User, codebook: Codebook) -> QuerySet[OpenCode]:
    """The notes on cases of tenants and queues that the person works in, maybe still theirs to decide."""
    case = _cases(user, codebook).filter(pk=OuterRef("case"))
    return standing(codebook).alias(near=Subquery(case.values("pk")[:1])).filter(near__isnull=False)


def _elsewhere(user: User, codebook: Codebook) -> int:
    latest = OpenCode.objects.filter(codebook=codebook).order_by("-pk").values_list("case", flat=True)[:LATEST]
    cases = set(latest)
    return len(cases) - _cases(user, codebook).filter(pk__in=cases).count()


def _cases(user: User, codebook: Codebook) -> QuerySet[Case]:
    reach = _reach(user, codebook)
    return Case.objects.filter(queue__in=reach["queues"], tenant__in=reach["tenants"])


def _kept_from(user: User, cases: Sequence[int]) -> set[int]:
    """Of these, the cases that the person may still have to decide."""
    return set(seconds.undecided(user).filter(case__in=cases).values_list("case", flat=True)) if cases else set()


def _proposals(loose: Sequence[OpenCode]) -> list[Proposal]:
    by_id = {code.pk: code for code in loose}
    found = similar.proposals({code.pk: code.text for code in loose})[:PROPOSED]
    grouped = [[by_id[pk] for pk in ids] for ids in found]
    return [Proposal(min((code.text for code in one), key=len)[:120], one) for one in grouped]


_UNREAD: Final = """
with latest as materialized (
  select id, case_id, slot_id, verdict from codebook_label
  where version_id = any(%(versions)s) and rater = 'person' and undone_at is null and not is_amendment
  order by id desc limit %(latest)s
)
select latest.case_id, lane.stream = 'random'
from latest
join queues_slot slot on slot.id = latest.slot_id and slot.purpose = 'first'
join queues_lane lane on lane.id = slot.lane_id
join queues_case told on told.id = latest.case_id
where (lane.stream = 'random' or latest.verdict in ('reject', 'edit'))
  and told.queue_id = any(%(queues)s) and told.tenant_id = any(%(tenants)s)
  and not exists (
    select from reviews_caseread read where read.codebook_id = %(codebook)s and read.case_id = latest.case_id)
order by latest.id desc
"""
