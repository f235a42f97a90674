"""Sums up what was drawn of a period, in one pass: for the rates, for what each policy found, and for the signals.

Pure: rows in, figures out. A case counts by its chance where that is known. One that a lead sent counts nowhere but
where the random draw had picked it too.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from queues.models import Sampled
from reviews.traffic.rates import Rate, State, Tally, rate
from reviews.traffic.sampled import Row, Traffic

DIMENSIONS: Final = ("topic", "release", "prompt_version")
# Of each dimension so many are told of, those with most traffic first.
LISTED: Final = 40
RANDOM: Final = Sampled.Policy.RANDOM.value
BY_HAND: Final = Sampled.Policy.BY_HAND.value

Json = dict[str, Any]
Fails = Callable[[str, int, list[int]], bool | None]


@dataclass(slots=True)
class Both:
    """All that was drawn, and the random draw alone."""

    drawn: Tally = field(default_factory=Tally)
    at_random: Tally = field(default_factory=Tally)


@dataclass(slots=True)
class Gathered:
    """A period's sums; they grow with the topics and releases, not with the cases."""

    whole: Both = field(default_factory=Both)
    parts: dict[tuple[str, str], Both] = field(default_factory=lambda: defaultdict(Both))
    policies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    alone: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_hand: int = 0
    traffic: int = 0
    of_parts: Counter[tuple[str, str]] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    versions: set[int] = field(default_factory=set)

    def add(self, row: Row, fails: Fails) -> None:
        state = self._state(row, fails)
        # Who is asked first, and what is dropped, go by the policy that came first and the stream it waits in.
        group = f"{row.policy}, random" if RANDOM in row.policies else row.policy
        places = [self.whole, *(self.parts[name, getattr(row, name)] for name in DIMENSIONS)]
        if RANDOM in row.policies:
            for place in places:
                place.at_random.add(group, 1 / row.policies[RANDOM], state)
        for policy in row.policies.keys() - {BY_HAND}:
            self.policies[policy].add(group, 1.0, state)
            self.alone[policy] += state is State.FAILS and len(row.policies) == 1
        if row.probability is None:
            self.by_hand += 1
            return
        weight = 1 / row.probability
        for place in places:
            place.drawn.add(group, weight, state)
        for kind in row.kinds or ():
            if kind is not None:
                self.kinds[kind].add(group, weight, state)

    def came_in(self, one: Traffic) -> None:
        self.traffic += one.traces
        for name in DIMENSIONS:
            self.of_parts[name, getattr(one, name)] += one.traces

    def _state(self, row: Row, fails: Fails) -> State:
        if row.verdict is None or row.version_id is None:
            return State.DROPPED if row.is_dropped else State.WAITING
        said = fails(row.verdict, row.version_id, row.given or [])
        if said is None:
            return State.UNCLEAR
        self.versions.add(row.version_id)
        return State.FAILS if said else State.PASSES


def figures(found: Gathered, runs: Mapping[str, Mapping[str, int]]) -> Json:
    """What a report keeps. `runs`: of each policy, how many cases it `wanted` and `picked` in the period."""
    return {
        "traffic": found.traffic,
        "drawn": found.whole.drawn.drawn,
        "by_hand": found.by_hand,
        "estimates": {"whole": _estimate(found.whole, found.traffic), **_by_part(found)},
        "policies": {policy: _policy(policy, found, runs.get(policy, {})) for policy in sorted(found.policies)},
        "base": rate(found.whole.drawn, is_whole=False, fewest=1).to_json(),
        "signals": {
            kind: {
                "came": found.came[kind],
                "precision": rate(found.kinds.get(kind, Tally()), is_whole=False, fewest=1).to_json(),
            }
            for kind in sorted(found.came.keys() | found.kinds.keys())
        },
    }


def rate_of(kept: Json) -> Rate:
    """A rate as a report keeps it."""
    return Rate(**kept)


def _estimate(both: Both, traffic: int) -> Json:
    return {"traffic": traffic, "rate": rate(both.drawn).to_json(), "at_random": rate(both.at_random).to_json()}


def _by_part(found: Gathered) -> Json:
    listed: dict[str, list[Json]] = {name: [] for name in DIMENSIONS}
    for (name, value), both in found.parts.items():
        size = found.of_parts[name, value]
        if value:
            listed[name].append({"name": value, "size": max(size, round(both.drawn.stands_for)), "count": size})
    told: Json = {}
    for name, values in listed.items():
        values.sort(key=lambda one: (-one["size"], one["name"]))
        told[name] = [
            {"name": one["name"], **_estimate(found.parts[name, one["name"]], one["count"])} for one in values[:LISTED]
        ]
        told[f"more_{name}"] = max(0, len(values) - LISTED)
    return told


def _policy(policy: str, found: Gathered, run: Mapping[str, int]) -> Json:
    return {
        "found": rate(found.policies[policy], is_whole=False, fewest=1).to_json(),
        "alone": found.alone[policy],
        "wanted": run.get("wanted", 0),
        "picked": run.get("picked", 0),
    }
