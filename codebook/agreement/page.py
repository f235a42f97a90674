"""What a person may see of a report on agreement: reviewers by name for the owner and for those who lead them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, Final

from codebook.agreement.reading_figures import LOW, UNSURE, Line, Shown, line, shown
from codebook.models import Codebook, SubjectiveCategory
from hitl.models import User
from queues.doors import LEADS, queues

Json = Mapping[str, Any]
FIGURES: Final = ("percent", "kappa", "ac1", "alpha", "ordinal")


@dataclass(frozen=True, slots=True)
class Reader:
    """`queues` and `led`: those of the codebook that they may see, and that they run; `sees_all`: the owner."""

    user_id: int
    sees_all: bool
    queues: frozenset[int]
    led: frozenset[int]

    @property
    def may_measure(self) -> bool:
        return self.sees_all or bool(self.led)


@dataclass(frozen=True, slots=True)
class CategoryRow:
    key: str
    title: str
    alpha: Shown
    figures: Json
    given: int
    differ: int
    confused: tuple[Json, ...]
    versions: tuple[int, ...]
    quarantined: tuple[int, ...]
    subjective: SubjectiveCategory | None

    @property
    def wants_something(self) -> bool:
        return self.subjective is None and self.alpha.state in (LOW, UNSURE)


@dataclass(frozen=True, slots=True)
class PairRow:
    names: tuple[str, str]
    units: int
    agreed: int
    figures: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class PartRow:
    name: str
    units: int
    verdict: Shown
    anything: Shown


def reader(user: User, codebook: Codebook) -> Reader:
    used = codebook.queue_uses.values("queue")
    seen = frozenset(queues(user).filter(pk__in=used).values_list("pk", flat=True))
    led = frozenset(queues(user, *LEADS).filter(pk__in=used).values_list("pk", flat=True))
    return Reader(user.pk, codebook.owner_id == user.pk or user.is_superuser, seen, led)


def names(result: Json, who: Reader) -> list[str]:
    """Of all raters of a report, by place. Those whom one does not lead are letters."""
    known = dict(User.objects.filter(pk__in=[one["user"] for one in result["raters"]]).values_list("pk", "name"))
    return [_name(place, one, known, who) for place, one in enumerate(result["raters"])]


def _name(place: int, rater: Json, known: Mapping[int, str], who: Reader) -> str:
    if rater["user"] == who.user_id:
        return "You"
    if who.sees_all or who.led & set(rater["queues"]):
        return known.get(rater["user"], "") if rater["user"] else f"{rater['name']} (imported)"
    return f"Reviewer {_letters(place)}"


def _letters(place: int) -> str:
    before, last = divmod(place, 26)
    return (_letters(before - 1) if before else "") + ascii_uppercase[last]


def categories(result: Json, subjective: Mapping[str, SubjectiveCategory]) -> list[CategoryRow]:
    return [
        CategoryRow(
            key=one["key"],
            title=one["title"],
            alpha=shown(one["alpha"]),
            figures={name: shown(one[name]) for name in ("percent", "kappa", "ac1")},
            given=one["given"],
            differ=one["differ"],
            confused=tuple(one["confused"]),
            versions=tuple(one["versions"]),
            quarantined=tuple(one["quarantined"]),
            subjective=subjective.get(one["key"]),
        )
        for one in result["categories"]
    ]


def pairs(rows: list[Json], called: list[str], *measures: str) -> list[PairRow]:
    return [
        PairRow(
            (called[one["a"]], called[one["b"]]), one["units"], one["agreed"],
            tuple(shown(one[name]) for name in measures),
        )
        for one in rows
    ]  # fmt: skip


def parts(result: Json, who: Reader) -> tuple[list[PartRow], int]:
    """By queue: those that the reader may know of, and how many others there are."""
    seen = [one for one in result["queues"] if who.sees_all or one["id"] in who.queues]
    return [_part(one["name"], one) for one in seen], len(result["queues"]) - len(seen)


def editions(result: Json) -> list[PartRow]:
    return [_part(f"Version {one['number']}", one) for one in result["versions_apart"]]


def months(points: list[Json], *measures: str) -> list[tuple[str, list[Shown]]]:
    """Newest first."""
    return [(one["month"], [shown(one[name]) for name in measures]) for one in reversed(points)]


def over_time(points: list[Json], measure: str) -> Line | None:
    return line(points, measure)


def _part(name: str, one: Json) -> PartRow:
    return PartRow(name, one["units"], shown(one["verdict"]["alpha"]), shown(one["any"]["alpha"]))


def told(result: Json, who: Reader) -> dict[str, Any]:
    """The report as it may be taken away: without the numbers of people, and of queues that are not the reader's."""
    called = names(result, who)
    public = {name: value for name, value in result.items() if name not in ("raters", "batches", "standing")}
    public["queues"] = [one for one in result["queues"] if who.sees_all or one["id"] in who.queues]
    public["pairs"] = [_named(one, called) for one in result["pairs"]]
    public["categories"] = [
        {**one, "pairs": [_named(pair, called) for pair in one["pairs"]]} for one in result["categories"]
    ]
    return public


def _named(pair: Json, called: list[str]) -> dict[str, Any]:
    return {**pair, "a": called[pair["a"]], "b": called[pair["b"]]}


def overall(figures: Json) -> dict[str, Any]:
    """The figures of the verdict, or of giving any category at all."""
    return {name: shown(figures[name]) for name in FIGURES if name in figures} | {"differ": figures["differ"]}


def listed(told: Json) -> Iterator[tuple[str, str, str, Json]]:
    """Every figure of a report as (of what, which, name, figure), for a table."""
    for of in ("verdict", "any"):
        yield from ((of, "", name, told[of][name]) for name in FIGURES if name in told[of])
    for one in told["categories"]:
        yield from (("category", one["key"], name, one[name]) for name in FIGURES if name in one)
        yield from (
            ("category by month", f"{one['key']} {point['month']}", "alpha", point["alpha"]) for point in one["months"]
        )
    for of, which, rows in (("queue", "name", told["queues"]), ("version", "number", told["versions_apart"])):
        for one in rows:
            for measure in ("verdict", "any"):
                yield from ((of, str(one[which]), f"{measure} {name}", one[measure][name]) for name in one[measure])
    for point in told["months"]:
        yield from (("month", point["month"], f"{measure} alpha", point[measure]) for measure in ("verdict", "any"))
    for pair in told["pairs"]:
        called = f"{pair['a']} and {pair['b']}"
        yield from (("pair", called, f"{measure} kappa", pair[measure]) for measure in ("verdict", "any"))
