"""Which notes seem to say the same: groups to propose, never to make. Pure: texts in, groups out."""

from collections.abc import Mapping
from typing import Final

from rapidfuzz import fuzz, utils

ALIKE: Final = 70.0
# Of a text this short every longer one with the same word is a superset, so the order-free comparison alone speaks.
SHORT: Final = 2


def similarity(one: str, other: str) -> float:
    """0 to 100, by the words that two texts share, whatever their order and repetition."""
    return _similarity(_prepared(one), _prepared(other))


def proposals(texts: Mapping[int, str], *, alike: float = ALIKE) -> list[tuple[int, ...]]:
    """Groups of two or more ids whose texts are all alike, the largest first; each id is in one group at most.

    The most similar pairs are joined first, and two groups only if every text of one is like every text of the other,
    so that no chain of small steps joins what has nothing in common. Takes time with the square of the texts.
    """
    prepared = {key: words for key, text in texts.items() if (words := _prepared(text))}
    keys = list(prepared)
    scores: dict[tuple[int, int], float] = {}
    for place, one in enumerate(keys):
        for other in keys[place + 1 :]:
            if (score := _similarity(prepared[one], prepared[other])) >= alike:
                scores[one, other] = scores[other, one] = score
    group_of = {key: [key] for key in keys}
    for one, other in sorted(scores, key=lambda pair: -scores[pair]):
        left, right = group_of[one], group_of[other]
        if left is not right and all((a, b) in scores for a in left for b in right):
            left += right
            for key in right:
                group_of[key] = left
    groups = {id(group): tuple(group) for group in group_of.values() if len(group) > 1}
    return sorted(groups.values(), key=len, reverse=True)


def _prepared(text: str) -> str:
    return " ".join(utils.default_process(text).split())


def _similarity(one: str, other: str) -> float:
    if min(one.count(" "), other.count(" ")) < SHORT:
        return float(fuzz.token_sort_ratio(one, other))
    return float(fuzz.token_set_ratio(one, other))
