"""Draws a day's sample: every policy in its order, each trace once, with the probability that it is picked. Pure.

What drift, negative and uncertain pick is certain, given the traffic: probability 1. Stratified and random are drawn
independently of each other and of those, so that a trace which none of those picks comes in with
1 - (1 - p_stratified) (1 - p_random). An estimate that counts each case 1 / probability times is unbiased (D. G.
Horvitz, D. J. Thompson, "A generalization of sampling without replacement from a finite universe", Journal of the
American Statistical Association 47 (1952), 663-685).

That holds over many draws because each trace can be drawn once: stratified and random take what came in since the last
draw. A trace that they had drawn before users complained of it would have been picked for certain later; it is stamped
so when that happens (`again`). What is assumed: that a few drawn traces fewer among the complaints don't move where the
ranks are cut.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from queues.sampling import policies
from queues.sampling.mix import POLICIES, split
from queues.sampling.policies import Chosen, Pool, Shares

DRIFT, NEGATIVE, UNCERTAIN, STRATIFIED, RANDOM = (policy.value for policy in POLICIES)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan asks for: `budget` cases in the shares of `mix`; `slices`: what is still wanted of each report."""

    budget: int
    mix: Mapping[str, float]
    per_user: int
    width: float
    slices: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """A trace (by its place) to make a case of. `policy`: the first that picked it; `policies`: all that did, each with
    its probability. `probability`: that any policy picks it, those that happened not to among them.
    """

    place: int
    policy: str
    policies: Mapping[str, float]
    probability: float


@dataclass(frozen=True, slots=True)
class Again:
    """A trace that is a case already, and would have been picked by these policies."""

    place: int
    policies: Mapping[str, float]
    probability: float


@dataclass(frozen=True, slots=True)
class Count:
    """What a policy did: of `eligible` traces it picked `picked` of the `wanted`. `also`: it would have picked so many
    that an earlier policy, or an earlier sample, had.
    """

    eligible: int
    wanted: int
    picked: int
    also: int

    @property
    def short(self) -> int:
        return self.wanted - self.picked


@dataclass(frozen=True, slots=True)
class Drawn:
    """`population`: the traces that came in since the last draw, which the random sample speaks for."""

    picks: Sequence[Pick]
    again: Sequence[Again]
    counts: Mapping[str, Count]
    population: int


@dataclass(slots=True)
class _Hand:
    """What is picked so far, in order, and every policy that picked it."""

    taken: policies.Flags
    first: dict[int, str] = field(default_factory=dict)
    stamps: dict[int, dict[str, float]] = field(default_factory=dict)

    def take(self, policy: str, picked: Iterable[int], also: Iterable[int], chance: policies.Numbers | None) -> None:
        for place in picked:
            self.first[place] = policy
            self.taken[place] = True
            self._stamp(place, policy, chance)
        for place in also:
            self._stamp(place, policy, chance)

    def _stamp(self, place: int, policy: str, chance: policies.Numbers | None) -> None:
        self.stamps.setdefault(place, {})[policy] = 1.0 if chance is None else float(chance[place])


def draw(pool: Pool, asked: Asked, *, seed: int) -> Drawn:
    """The same for the same traces, plan and seed. Never more than the budget; what a policy lacks is drawn at random.

    Raises ValueError for a mix that is none.
    """
    share = split(asked.budget, asked.mix)
    hand = _Hand(pool.is_case.copy())
    counts: dict[str, Count] = {}

    def by_rank(policy: str, found: Chosen) -> None:
        hand.take(policy, found.picked, found.also, None)
        counts[policy] = Count(found.eligible, share[policy], len(found.picked), len(found.also))

    def by_chance(policy: str, found: Shares, wanted: int) -> None:
        hand.take(policy, found.picked.tolist(), found.also.tolist(), found.probability)
        counts[policy] = Count(found.eligible, wanted, len(found.picked), len(found.also))

    by_rank(DRIFT, policies.drift(pool, hand.taken, share[DRIFT], asked.slices))
    by_rank(NEGATIVE, policies.negative(pool, hand.taken, share[NEGATIVE], asked.per_user))
    by_rank(UNCERTAIN, policies.uncertain(pool, hand.taken, share[UNCERTAIN], asked.width))
    by_strata = policies.stratified(pool, hand.taken, share[STRATIFIED], seed)
    by_chance(STRATIFIED, by_strata, share[STRATIFIED])
    left = asked.budget - len(hand.first)
    even = policies.at_random(pool, hand.taken, left, seed)
    by_chance(RANDOM, even, left)

    either = 1 - (1 - by_strata.probability) * (1 - even.probability)

    def overall(place: int) -> float:
        is_certain = not hand.stamps[place].keys().isdisjoint((DRIFT, NEGATIVE, UNCERTAIN))
        return 1.0 if is_certain else float(either[place])

    picks = [Pick(place, policy, hand.stamps[place], overall(place)) for place, policy in hand.first.items()]
    again = [Again(place, stamps, overall(place)) for place, stamps in hand.stamps.items() if place not in hand.first]
    return Drawn(picks, again, counts, int(np.count_nonzero(pool.is_fresh)))
