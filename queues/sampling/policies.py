"""The five sampling policies, over columns of traces. Pure: values in, places out.

Drift, negative and uncertain pick by rank, with no chance in it: whatever they pick, they pick with probability 1,
whatever the seed. Stratified and random draw, each from what came in since the last draw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from queues.sampling.chance import Numbers, Words, chances
from queues.sampling.mix import level

Places = NDArray[np.intp]
Flags = NDArray[np.bool_]

STRATIFIED: Final = 1
STRATIFIED_EXTRA: Final = 2
RANDOM: Final = 3
NO_USER: Final = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """Traces, one a place in every column.

    `high`, `low`: the halves of the id; the higher sorts by time. `topic`, `user`: numbers that stand for them; 0: no
    user known. `distance`: of a judge's score from the threshold, infinite without a score. `slice`: which of the
    reported slices it is of, counted from 1, else 0. `is_fresh`: came in since the last draw. `is_case`: was sampled
    before.
    """

    high: Words
    low: Words
    topic: NDArray[np.int64]
    user: NDArray[np.int64]
    weight: NDArray[np.float32]
    distance: NDArray[np.float32]
    slice: NDArray[np.int16]
    is_negative: Flags
    is_edited: Flags
    is_fresh: Flags
    is_case: Flags

    def __len__(self) -> int:
        return len(self.low)


@dataclass(slots=True)
class Chosen:
    """What a policy picks by rank: new cases, and `also` what it would have picked were it not a case already."""

    picked: list[int] = field(default_factory=list)
    also: list[int] = field(default_factory=list)
    eligible: int = 0


@dataclass(frozen=True, slots=True)
class Shares:
    """A draw: what was drawn, and of every trace of the pool the probability that it is."""

    picked: Places
    also: Places
    probability: Numbers
    eligible: int


def drift(pool: Pool, taken: Flags, wanted: int, slices: Sequence[int]) -> Chosen:
    """An equal share of `wanted` for each reported slice, up to the traces that are still wanted of it (`slices`).

    Within a slice in the order of the id's random half: neither the newest nor the loudest, and the same for any seed.
    """
    found = Chosen()
    inside = [np.flatnonzero(pool.slice == number) for number in range(1, len(slices) + 1)]
    free = [int(np.count_nonzero(~taken[places])) for places in inside]
    rooms = [min(room, most) for room, most in zip(free, slices, strict=True)]
    share = level(rooms, wanted)
    extra = share.extra
    found.eligible = sum(free)
    for places, room in zip(inside, rooms, strict=True):
        mine = min(room, floor(share.height))
        if room > share.height and extra:
            mine, extra = mine + 1, extra - 1
        if mine:
            _walk(places[np.lexsort((pool.high[places], pool.low[places]))], taken, mine, found)
    return found


def negative(pool: Pool, taken: Flags, wanted: int, per_user: int) -> Chosen:
    """Users' edits first, then by weight, the worst first, then the newest; of one user at most `per_user`."""
    places = np.flatnonzero(pool.is_negative | pool.is_edited)
    found = Chosen(eligible=int(np.count_nonzero(~taken[places])))
    order = places[np.lexsort((*_latest(pool, places), pool.weight[places], ~pool.is_edited[places]))]
    given: dict[int, int] = {}

    def admits(place: int) -> bool:
        user = int(pool.user[place])
        return user == NO_USER or given.get(user, 0) < per_user

    def count(place: int) -> None:
        user = int(pool.user[place])
        given[user] = given.get(user, 0) + 1

    _walk(order, taken, wanted, found, admits, count)
    return found


def uncertain(pool: Pool, taken: Flags, wanted: int, width: float) -> Chosen:
    """Where a judge's score is at most `width` from the threshold: the nearest first, then the newest."""
    places = np.flatnonzero(pool.distance <= np.float32(width))
    found = Chosen(eligible=int(np.count_nonzero(~taken[places])))
    order = places[np.lexsort((*_latest(pool, places), pool.distance[places]))]
    _walk(order, taken, wanted, found)
    return found


def stratified(pool: Pool, taken: Flags, wanted: int, seed: int) -> Shares:
    """An equal share of `wanted` for each topic; what small topics leave goes to the others.

    Of the free traces of a topic, so many are drawn that the number wanted is met: m of N, each with m / N. Where the
    share is no whole number, or there are more topics than cases, it is drawn which topics get one more, and m counts
    for what it is on average. What is a case already is drawn with the same probability, beside the number.
    """
    probability = np.zeros(len(pool))
    fresh = np.flatnonzero(pool.is_fresh)
    free = fresh[~taken[fresh]]
    if not len(free) or wanted <= 0:
        return Shares(free[:0], free[:0], probability, len(free))
    names, topic, sizes = np.unique(pool.topic[free], return_inverse=True, return_counts=True)
    share = level(sizes.tolist(), wanted)
    mine = np.minimum(sizes, floor(share.height))
    open_ = np.flatnonzero(sizes > share.height)
    lots = chances(names[open_].view(np.uint64), names[open_].view(np.uint64), seed=seed, purpose=STRATIFIED_EXTRA)
    mine[open_[np.argsort(lots, kind="stable")[: share.extra]]] += 1
    rates = np.minimum(sizes, share.height) / sizes

    numbers = chances(pool.high[fresh], pool.low[fresh], seed=seed, purpose=STRATIFIED)
    free_numbers = numbers[~taken[fresh]]
    order = np.lexsort((free_numbers, topic))
    begins = np.cumsum(sizes) - sizes
    rank = np.arange(len(free)) - begins[topic[order]]
    picked = free[order[rank < mine[topic[order]]]]

    held = fresh[taken[fresh]]
    where = np.minimum(np.searchsorted(names, pool.topic[held]), len(names) - 1)
    known = names[where] == pool.topic[held]
    probability[free] = rates[topic]
    probability[held[known]] = rates[where[known]]
    also = held[numbers[taken[fresh]] < probability[held]]
    return Shares(picked, also, probability, len(free))


def at_random(pool: Pool, taken: Flags, wanted: int, seed: int) -> Shares:
    """So many of the free traces, each with the same probability; and each of the others with that probability too.

    So every trace that came in since the last draw is in the random sample with one probability, whether or not another
    policy picks it, and the number of new cases is known beforehand.
    """
    probability = np.zeros(len(pool))
    fresh = np.flatnonzero(pool.is_fresh)
    is_free = ~taken[fresh]
    free = fresh[is_free]
    many = min(max(wanted, 0), len(free))
    rate = many / len(free) if len(free) else float(wanted > 0)
    probability[fresh] = rate
    numbers = chances(pool.high[fresh], pool.low[fresh], seed=seed, purpose=RANDOM)
    picked = free[np.argsort(numbers[is_free], kind="stable")[:many]]
    also = fresh[~is_free][numbers[~is_free] < rate]
    return Shares(picked, also, probability, len(fresh))


def _walk(
    order: Places,
    taken: Flags,
    wanted: int,
    found: Chosen,
    admits: Callable[[int], bool] = lambda place: True,
    count: Callable[[int], None] = lambda place: None,
) -> None:
    """Picks by rank until there are as many as wanted. What is taken is passed with a note, and takes nobody's room."""
    if wanted <= 0:
        return
    room = wanted
    for place in order.tolist():
        if not admits(place):
            continue
        if taken[place]:
            found.also.append(place)
            continue
        found.picked.append(place)
        count(place)
        room -= 1
        if not room:
            return


def _latest(pool: Pool, places: Places) -> tuple[Words, Words]:
    """Sorts the newest first; the less telling key comes first, as lexsort wants it."""
    return pool.low[places], np.iinfo(np.uint64).max - pool.high[places]
