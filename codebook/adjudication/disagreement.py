"""Where people who decided a case independently did not say the same: a row, from the decision that made it so."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import OuterRef, QuerySet

from codebook.doors import cases
from codebook.models import Codebook, Disagreement, LabelBatch
from codebook.standing import Standing, standing
from hitl.models import User
from queues import seconds

INDEPENDENT: Final = (LabelBatch.Purpose.FIRST, LabelBatch.Purpose.SECOND)


@dataclass(frozen=True, slots=True)
class Said:
    """What one label says, as far as it is compared."""

    label_id: int
    version_id: int
    verdict: str
    categories: frozenset[int]
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A disagreement taken apart: the verdicts, and the categories of the newest version that not all of them gave."""

    disagreement: Disagreement
    said: Sequence[Said]
    verdicts: tuple[str, ...]
    categories: frozenset[int]

    @property
    def kind(self) -> tuple[tuple[str, ...], frozenset[int]]:
        """What disagreements of one kind have in common: the categories that are confused, else the verdicts."""
        return ((), self.categories) if self.categories else (self.verdicts, frozenset())

    @property
    def people(self) -> frozenset[int]:
        return frozenset(one.user_id for one in self.said if one.user_id)


def compare(*, case_id: int, round: int, codebook_id: int, queue_id: int, now: datetime) -> None:
    """Step: opens or closes the disagreement of a round after one of its labels was given or taken back.

    Amendments stay outside; so do labels of another codebook. What the owner has settled stays settled.
    """
    said = _said([(case_id, round)], codebook_id).get((case_id, round), [])
    if differ(said, codebook_id):
        Disagreement.objects.get_or_create(
            case_id=case_id,
            round=round,
            defaults={"codebook_id": codebook_id, "queue_id": queue_id, "opened_at": now},
        )
    else:
        Disagreement.objects.filter(case=case_id, round=round, settled_at=None).delete()


def differ(said: Sequence[Said], codebook_id: int) -> bool:
    """Whether labels of one round differ in their verdict or their categories.

    Under different versions only those categories are compared whose words are the same in all of them.
    """
    if len({one.verdict for one in said}) > 1:
        return True
    if len({one.version_id for one in said}) > 1:
        return bool(disputed(said, standing(codebook_id)))
    return len({one.categories for one in said}) > 1


def disputed(said: Sequence[Said], stands: Standing) -> frozenset[int]:
    """The categories of the newest version that some of these labels give and some do not."""
    versions = {one.version_id for one in said}
    given: list[set[int]] = [
        {stands.counts_as[category] for category in one.categories & stands.counts_as.keys()} for one in said
    ]
    if not given:
        return frozenset()
    some = given[0].union(*given) - given[0].intersection(*given)
    return frozenset(category for category in some if versions <= stands.judged_under[category])


def take_apart(disagreements: Iterable[Disagreement], stands: Standing) -> list[Dispute]:
    """Each with what was said in it, in one statement for all."""
    found = list(disagreements)
    said = _said([(one.case_id, one.round) for one in found], stands.newest.codebook_id)
    return [
        Dispute(
            disagreement=one,
            said=(spoken := said.get((one.case_id, one.round), [])),
            verdicts=tuple(sorted({label.verdict for label in spoken})),
            categories=disputed(spoken, stands),
        )
        for one in found
    ]


def most_confused(disputes: Sequence[Dispute]) -> list[Dispute]:
    """The most frequent kind of disagreement first, together; among equals, and within a kind, the oldest."""
    often = Counter(one.kind for one in disputes)
    oldest_first = sorted(disputes, key=lambda one: (one.disagreement.opened_at, one.disagreement.pk))
    place = {kind: at for at, kind in enumerate(dict.fromkeys(one.kind for one in oldest_first))}
    return sorted(oldest_first, key=lambda one: (-often[one.kind], place[one.kind]))


@dataclass(frozen=True, slots=True)
class Confusion:
    """A kind of disagreement: the categories that some gave and some did not, else the verdicts; and how often."""

    categories: frozenset[int]
    verdicts: tuple[str, ...]
    times: int


def confusions(disputes: Sequence[Dispute]) -> list[Confusion]:
    """The kinds of disagreement there are, the most frequent first."""
    often = Counter(one.kind for one in disputes)
    kinds = [Confusion(categories, verdicts, times) for (verdicts, categories), times in often.items()]
    return sorted(kinds, key=lambda one: (-one.times, one.verdicts, sorted(one.categories)))


def _said(rounds: Sequence[tuple[int, int]], codebook_id: int) -> dict[tuple[int, int], list[Said]]:
    said: dict[tuple[int, int], list[Said]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            _SAID,
            {
                "cases": [case for case, _ in rounds],
                "rounds": [round for _, round in rounds],
                "purposes": list(INDEPENDENT),
                "codebook": codebook_id,
            },
        )
        for case, round, label, version, verdict, user, given in cursor.fetchall():
            said[case, round].append(Said(label, version, verdict, frozenset(given), user))
    return said


# In plain SQL: every second decision comes by here.
_SAID: Final = """
select label.case_id, label.round, label.id, label.version_id, label.verdict, label.user_id,
  array(select given.category_id from codebook_labelcategory given where given.label_id = label.id)
from unnest(%(cases)s::bigint[], %(rounds)s::smallint[]) wanted (case_id, round)
join codebook_label label on label.case_id = wanted.case_id and label.round = wanted.round
join codebook_labelbatch batch on batch.id = label.batch_id
join codebook_version version on version.id = label.version_id
join queues_slot slot on slot.id = label.slot_id
where label.undone_at is null and not label.is_amendment and label.rater = 'person'
  and batch.purpose = any(%(purposes)s) and version.codebook_id = %(codebook)s
order by slot.seat
"""


def visible(user: User, codebook: Codebook) -> QuerySet[Disagreement]:
    """The disagreements on a codebook's cases that a person may look into.

    Not where they may yet be asked to decide the case themselves (guarantee 5), nor in a tenant they do not work in.
    """
    found = Disagreement.objects.filter(codebook=codebook, case__in=cases(user, codebook))
    return found.alias(yet_theirs=seconds.yet_theirs(user, OuterRef("case"))).filter(yet_theirs=None)
