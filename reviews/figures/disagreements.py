"""The disagreements of a codebook as its owner goes through them: what is confused, in which order, how many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final
from urllib.parse import urlencode

from django.db.models import Prefetch, prefetch_related_objects

from codebook.adjudication.disagreement import Dispute, confusions, most_confused, take_apart, visible
from codebook.doors import cases
from codebook.models import Codebook, Disagreement
from codebook.standing import Standing
from hitl.models import User
from queues.models import Case, Queue

# So many of the oldest are looked into at once; what is settled makes room.
LOOKED_INTO: Final = 500
COUNTED: Final = 1000
KINDS: Final = 8
KEPT: Final = ("category", "queue", "pair", "order", "state")
VERDICTS: Final = {"accept": "accepted", "edit": "edited", "reject": "rejected"}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the page's address asks for; whatever it names that is not there finds nothing."""

    category: str = ""
    queue: str = ""
    pair: str = ""
    order: str = ""
    state: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        return cls(**{name: query.get(name, "")[:120] for name in KEPT})

    @property
    def query(self) -> str:
        """As it goes into an address, with the question mark; empty where nothing is asked for."""
        asked = urlencode({name: value for name in KEPT if (value := getattr(self, name))})
        return f"?{asked}" if asked else ""


@dataclass(frozen=True, slots=True)
class Row:
    """A disagreement in a list. `about`: what it is about, in words."""

    dispute: Dispute
    disagreement: Disagreement
    about: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of disagreement: what is confused, how often, and the category to filter by, if it is one."""

    about: str
    times: int
    category: str


@dataclass(frozen=True, slots=True)
class Counts:
    """`elsewhere` lie in tenants or queues that the owner may not see; `later` are the owner's own to decide yet.

    Counted up to COUNTED: `many` says that there are more.
    """

    open: int
    shown: int
    elsewhere: int
    later: int
    many: bool = False


def about(verdicts: Sequence[str], categories: frozenset[int], titles: Mapping[int, str]) -> str:
    """“Tone” or not; “Tone” and “Hallucination” confused; or the verdict: accepted or rejected."""
    named = [f"“{titles[pk]}”" for pk in sorted(categories) if pk in titles]
    if len(named) == 1:
        return f"{named[0]} or not"
    if named:
        return f"{', '.join(named[:-1])} or {named[-1]}"
    return " or ".join(VERDICTS[verdict] for verdict in verdicts)


def rows(user: User, codebook: Codebook, stands: Standing, filters: Filters) -> tuple[list[Row], list[Kind]]:
    """The disagreements asked for, in the order asked for, and the kinds of all that are open."""
    found = visible(user, codebook)
    if filters.state == "settled":
        found = found.exclude(settled_at=None).order_by("-opened_at")
    else:
        found = found.filter(settled_at=None).order_by("opened_at", "pk")
    disputes = take_apart(found[:LOOKED_INTO], stands)
    titles = {category.pk: category.title for category in stands.newest.categories}
    queue = Queue.objects.filter(slug=filters.queue).values_list("pk", flat=True).first() if filters.queue else None
    wanted = [one for one in disputes if _fits(one, filters, stands, queue)]
    if filters.order == "confused":
        wanted = most_confused(wanted)
    return [_row(one, titles) for one in wanted], _kinds(disputes, stands, titles)


def with_cases(rows: Iterable[Row]) -> None:
    """Fills in the case and the queue of rows that are shown, in two statements."""
    prefetch_related_objects(
        [row.disagreement for row in rows],
        Prefetch("case", Case.objects.only("external_id", "question")),
        "queue",
    )


def agenda(disagreements: Sequence[Disagreement], stands: Standing) -> list[Row]:
    """These, the most confused first."""
    titles = {category.pk: category.title for category in stands.newest.categories}
    return [_row(one, titles) for one in most_confused(take_apart(disagreements, stands))]


def counts(user: User, codebook: Codebook) -> Counts:
    of_all = Disagreement.objects.filter(codebook=codebook, settled_at=None)
    seen = visible(user, codebook).filter(settled_at=None)
    every, shown = of_all.count(), len(seen.order_by("opened_at").values_list("pk")[: COUNTED + 1])
    if every == shown or shown > COUNTED:
        return Counts(every, min(shown, COUNTED), 0, 0, many=shown > COUNTED)
    within = of_all.filter(case__in=cases(user, codebook)).count()
    return Counts(every, shown, every - within, within - shown)


def people(disputes: Sequence[Row]) -> list[tuple[str, str, int]]:
    """The pairs who differ, most often first: (as it goes into an address, their names, how often)."""
    often: dict[tuple[int, int], int] = {}
    for row in disputes:
        for pair in combinations(sorted(row.dispute.people), 2):
            often[pair] = often.get(pair, 0) + 1
    names = dict(User.objects.filter(pk__in={pk for pair in often for pk in pair}).values_list("pk", "name"))
    ordered = sorted(often.items(), key=lambda one: (-one[1], one[0]))
    return [(f"{a}-{b}", f"{names[a]} and {names[b]}", times) for (a, b), times in ordered]


def _fits(dispute: Dispute, filters: Filters, stands: Standing, queue: int | None) -> bool:
    if filters.queue and dispute.disagreement.queue_id != queue:
        return False
    if filters.category and filters.category not in stands.newest.keys(dispute.categories):
        return False
    return not filters.pair or set(filters.pair.split("-")) <= {str(pk) for pk in dispute.people}


def _row(dispute: Dispute, titles: Mapping[int, str]) -> Row:
    return Row(dispute, dispute.disagreement, about(dispute.verdicts, dispute.categories, titles))


def _kinds(disputes: Sequence[Dispute], stands: Standing, titles: Mapping[int, str]) -> list[Kind]:
    return [
        Kind(
            about(one.verdicts, one.categories, titles),
            one.times,
            next(iter(stands.newest.keys(one.categories)), ""),
        )
        for one in confusions(disputes)[:KINDS]
    ]
