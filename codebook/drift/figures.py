"""How far a reviewer decides old cases as they did then. Pure: pairs in, figures out. For the worker: needs numpy.

Cohen's kappa of then and now, for the verdict and for each category (given or not), with a bootstrap interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from codebook.agreement.ratings import Rating
from codebook.agreement.statistics import Figure, measure
from codebook.models import Label
from codebook.standing import Standing

LOW: Final = 0.6
# An alarm needs kappa under LOW over so many cases, or, of fewer, an interval that ends below LOW.
MANY: Final = 20
SOME: Final = 10
# And a category that was given so often, then or now: of a rarer one kappa says more of its rarity than of the person.
GIVEN: Final = 5
NONE_YET: Final = "no old case that counts was decided again yet."
ALWAYS_SAME: Final = "every answer was the same, then and now, so agreement cannot be told from chance."
DECIMALS: Final = 6

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict with the categories given, under a version; category ids of that version."""

    verdict: str
    version_id: int
    given: frozenset[int]


@dataclass(frozen=True, slots=True)
class Pair:
    """One case, decided then and again now by the same person."""

    case_id: int
    then: Answer
    now: Answer


def compare(pairs: Sequence[Pair], stands: Standing, *, seed: int = 0) -> Json:
    """All figures of one reviewer. A category is compared where both versions judge it, and neither answer is a
    rejection without a category, which says nothing of the categories.
    """
    verdicts = [(pair.case_id, pair.then.verdict, pair.now.verdict) for pair in pairs]
    categories = []
    for category in stands.newest.categories:
        judged = stands.judged_under[category.pk]
        both = [pair for pair in pairs if _says(pair.then, judged) and _says(pair.now, judged)]
        answers = [
            (pair.case_id, _has(pair.then, category.pk, stands), _has(pair.now, category.pk, stands)) for pair in both
        ]
        given = sum(then or now for _, then, now in answers)
        figures = _figures(answers, seed)
        categories.append(
            {
                "key": category.key,
                "title": category.title,
                "given_then": sum(then for _, then, _ in answers),
                "given_now": sum(now for _, _, now in answers),
                **figures,
                "alarm": given >= GIVEN and is_alarming(figures["kappa"]),
            }
        )
    verdict = _figures(verdicts, seed)
    return {
        "pairs": len(pairs),
        "same": sum(then == now for _, then, now in verdicts),
        "verdict": verdict | {"alarm": is_alarming(verdict["kappa"])},
        "categories": categories,
        "versions": sorted({stands.numbers[one.version_id] for pair in pairs for one in (pair.then, pair.now)}),
    }


def is_alarming(kappa: Json) -> bool:
    """Whether a kappa (value, low, high, n) is too low to be chance, by the rule above."""
    if kappa["value"] is None:
        return False
    surely = kappa["n"] >= SOME and kappa["high"] is not None and kappa["high"] < LOW
    return bool(surely or (kappa["n"] >= MANY and kappa["value"] < LOW))


def _figures(answers: Sequence[tuple[int, object, object]], seed: int) -> Json:
    ratings: list[Rating] = []
    for case_id, then, now in answers:
        ratings += [(case_id, "then", str(then)), (case_id, "now", str(now))]
    found = measure(ratings, seed=seed)
    return {"kappa": _json(found.cohen_kappa), "percent": _json(found.percent_agreement)}


def _says(answer: Answer, judged: frozenset[int]) -> bool:
    return answer.version_id in judged and (bool(answer.given) or answer.verdict != Label.Verdict.REJECT)


def _has(answer: Answer, category_id: int, stands: Standing) -> bool:
    return any(stands.counts_as.get(given) == category_id for given in answer.given)


def _json(figure: Figure) -> Json:
    reason = figure.reason
    if figure.value is None:
        reason = ALWAYS_SAME if figure.n_items else NONE_YET
    return {
        "value": _round(figure.value),
        "low": _round(figure.low),
        "high": _round(figure.high),
        "n": figure.n_items,
        "reason": reason,
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
