"""How a day's budget is split among the sampling policies. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from queues.models import Sampled

# In the order in which they pick: each trace counts for the first of them that picks it.
POLICIES: Final = (
    Sampled.Policy.DRIFT,
    Sampled.Policy.NEGATIVE,
    Sampled.Policy.UNCERTAIN,
    Sampled.Policy.STRATIFIED,
    Sampled.Policy.RANDOM,
)
DEFAULT: Final[Mapping[str, float]] = {
    Sampled.Policy.RANDOM.value: 0.25,
    Sampled.Policy.STRATIFIED.value: 0.25,
    Sampled.Policy.NEGATIVE.value: 0.30,
    Sampled.Policy.UNCERTAIN.value: 0.10,
    Sampled.Policy.DRIFT.value: 0.10,
}
# Every other policy looks where something is known to be wrong; only this one finds what nobody thought of.
RANDOM_LEAST: Final = 0.10
_NEARLY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Level:
    """An equal share of `total` for each of several groups, none with more than it has room for.

    Those with room for more than `height` get `floor(height)`, and `extra` of them one more; the others all they have.
    """

    height: float
    extra: int


def fault(mix: Mapping[str, float]) -> str:
    """What is wrong with a mix of shares from 0 to 1, as a sentence; empty where nothing is."""
    if unknown := sorted(set(mix) - set(POLICIES)):
        return f"There is no sampling policy “{unknown[0]}”; there are {', '.join(POLICIES)}."
    if any(not 0 <= share <= 1 for share in mix.values()):
        return "Each share is from 0 to 100%."
    total = sum(mix.values())
    if abs(total - 1) > _NEARLY:
        return f"The shares come to {_percent(total)}, not to 100%."
    at_random = mix.get(Sampled.Policy.RANDOM, 0.0)
    if at_random < RANDOM_LEAST - _NEARLY:
        return (
            f"At least {_percent(RANDOM_LEAST)} is drawn at random, not {_percent(at_random)}: "
            "the other policies only look where something is known to be wrong."
        )
    return ""


def split(budget: int, mix: Mapping[str, float]) -> dict[str, int]:
    """Cases for each policy, together the budget, by largest remainders; random gets at least RANDOM_LEAST of it.

    Raises ValueError for a mix with a fault.
    """
    if wrong := fault(mix):
        raise ValueError(wrong)
    least = ceil(budget * RANDOM_LEAST - _NEARLY)
    exact = {policy.value: budget * mix.get(policy, 0.0) for policy in POLICIES}
    shares = {policy: floor(share + _NEARLY) for policy, share in exact.items()}
    ordered = sorted(exact, key=lambda policy: shares[policy] - exact[policy])
    for policy in ordered[: budget - sum(shares.values())]:
        shares[policy] += 1
    random = Sampled.Policy.RANDOM.value
    while shares[random] < least:
        richest = max((policy for policy in shares if policy != random), key=lambda policy: shares[policy])
        shares[richest] -= 1
        shares[random] += 1
    return shares


def level(rooms: Sequence[int], total: int) -> Level:
    """The equal share of each group where none takes more than its room; what small ones leave goes to the others."""
    left, groups = min(total, sum(rooms)), len(rooms)
    for room in sorted(rooms):
        if room * groups >= left:
            break
        left -= room
        groups -= 1
    if not groups or not left:
        return Level(0.0, 0)
    return Level(left / groups, left - groups * (left // groups))


def _percent(share: float) -> str:
    return f"{round(share * 100, 2):g}%"
