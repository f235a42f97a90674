"""What a label of each sampling policy is worth, and a budget that leans toward the better ones. Pure.

**Yield.** Of the labels that a policy asked for, how many found a failure: that is what its part of the budget buys.
Every policy is credited with each case that it picked, also where another came first: left to the first alone, a policy
that stands late in the order would seem poor, since the best of its picks are gone. By selection probability: a case
that the policy picks with the chance p stands for 1/p like it, each of which it would pick with p, so that each of its
picks counts once; what differs is how many of them are labelled, and the labelled count for those of their kind that
are not (see `reviews.traffic.rates`: by the policy that came first, and the stream the case waits in). Counting each
pick 1/p times instead would say how much of the traffic it draws from fails. For a draw by topic that is the rate of
all traffic, though a label by topic may find twice as much as a random one; it is no measure of what a label buys.

**Mix.** Each share times its yield over the average yield (the multiplicative weights update: S. Arora, E. Hazan,
S. Kale, "The multiplicative weights update method", Theory of Computing 8 (2012), 121-164), where the yield's interval
leaves the average out; others keep theirs. No share moves by more than STEP, none falls under its floor, and all are
scaled to make a whole. A policy that could not fill its share is not given more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from queues.models import Sampled
from queues.sampling.mix import POLICIES, RANDOM_LEAST
from reviews.traffic.rates import Rate

ORDER: Final = tuple(policy.value for policy in POLICIES)
FLOOR: Final = 0.05
STEP: Final = 0.10
ENOUGH: Final = 30
SHORT: Final = 0.10


@dataclass(frozen=True, slots=True)
class Yield:
    """What came of a policy's picks. `alone`: failures that no other policy picked. `short`: the share of what it was
    to pick that was not there.
    """

    policy: str
    found: Rate
    alone: int = 0
    short: float = 0.0

    @property
    def cost(self) -> tuple[float, float, float] | None:
        """Labels for each failure, with its interval; None where no failure was found yet."""
        value, low, high = self.found.value, self.found.low, self.found.high
        if not value or low is None or high is None:
            return None
        return 1 / value, 1 / high, 1 / low if low else float("inf")


@dataclass(frozen=True, slots=True)
class Part:
    """A policy's share now and as proposed, in whole percent, and why."""

    policy: str
    now: int
    proposed: int
    because: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A new mix, or None of it where too little is seen; then `because` says how much is missing."""

    parts: Sequence[Part]
    because: str
    may_be_taken: bool

    @property
    def mix(self) -> dict[str, float]:
        return {part.policy: part.proposed / 100 for part in self.parts}


def propose(mix: Mapping[str, float], yields: Sequence[Yield]) -> Proposal:
    """From the mix as it stands (shares that make 1) and what each policy's labels found."""
    known = {one.policy: one for one in yields}
    shares = {policy: mix.get(policy, 0.0) for policy in ORDER}
    whole = sum(shares.values()) or 1.0
    shares = {policy: share / whole for policy, share in shares.items()}
    now = _percents(shares)
    missing = {
        policy: ENOUGH - (known[policy].found.labels if policy in known else 0)
        for policy in ORDER
        if policy not in known or known[policy].found.labels < ENOUGH
    }
    seen = [policy for policy in ORDER if policy not in missing and known[policy].found.value is not None]
    if len(seen) < 2:
        parts = [Part(policy, now[policy], now[policy], _too_little(policy, missing)) for policy in ORDER]
        return Proposal(parts, _says_missing(missing), False)
    average = _average(shares, {policy: known[policy] for policy in seen})
    wanted: dict[str, float] = {}
    why: dict[str, str] = {}
    for policy in ORDER:
        if policy in seen:
            wanted[policy], why[policy] = _lean(shares[policy], known[policy], average)
        else:
            wanted[policy], why[policy] = shares[policy], _too_little(policy, missing)
    found = _percents(_balanced(shares, wanted, no_more={policy for policy in seen if known[policy].short > SHORT}))
    parts = [
        Part(policy, now[policy], found[policy], why[policy] + _with_the_others(shares, wanted, now, found, policy))
        for policy in ORDER
    ]
    moved = [part for part in parts if part.proposed != part.now]
    if not moved:
        return Proposal(parts, "No policy finds clearly more or less than the others: the mix stays as it is.", False)
    said = ", ".join(f"{_name(part.policy)} {part.now}% to {part.proposed}%" for part in moved)
    return Proposal(parts, f"By what the labels found, {average:.0%} on average: {said}.", True)


def _lean(share: float, one: Yield, average: float) -> tuple[float, str]:
    value, low, high = one.found.value or 0.0, one.found.low or 0.0, one.found.high or 0.0
    said = f"{value:.0%} of its labels found a failure ({low:.0%} to {high:.0%}), on average {average:.0%} did: "
    if low <= average <= high:
        return share, said + "too near to tell them apart."
    if value > average and one.short > SHORT:
        return share, said + "more, but there was not enough to fill the share it has."
    return share * value / average, said + ("it finds more." if value > average else "it finds less.")


def _average(shares: Mapping[str, float], seen: Mapping[str, Yield]) -> float:
    """What a label of the budget finds as it is spent now."""
    whole = sum(shares[policy] for policy in seen)
    if not whole:
        return sum(one.found.value or 0.0 for one in seen.values()) / len(seen)
    return sum(shares[policy] * (one.found.value or 0.0) for policy, one in seen.items()) / whole


def _balanced(shares: Mapping[str, float], wanted: Mapping[str, float], no_more: set[str]) -> dict[str, float]:
    """The wanted shares, scaled to make 1 within their bounds: each no further than STEP, none under its floor."""
    low = {policy: max(_floor(policy), share - STEP) for policy, share in shares.items()}
    high = {policy: max(_floor(policy), share + (0 if policy in no_more else STEP)) for policy, share in shares.items()}
    if sum(low.values()) > 1:
        low = {policy: _floor(policy) for policy in shares}
    if sum(high.values()) < 1:
        high = dict.fromkeys(shares, 1.0)
    few, many = 0.0, 1e6
    for _ in range(200):
        scale = (few + many) / 2
        whole = sum(min(high[policy], max(low[policy], scale * share)) for policy, share in wanted.items())
        few, many = (scale, many) if whole < 1 else (few, scale)
    return {policy: min(high[policy], max(low[policy], many * share)) for policy, share in wanted.items()}


def _percents(shares: Mapping[str, float]) -> dict[str, int]:
    """Whole percent that make 100: the rest goes to those that lost most by rounding down."""
    whole = sum(shares.values())
    exact = {policy: 100 * share / whole for policy, share in shares.items()} if whole else dict.fromkeys(shares, 0.0)
    found = {policy: int(share + 1e-9) for policy, share in exact.items()}
    rest = sorted(exact, key=lambda policy: found[policy] - exact[policy])
    for policy in rest[: 100 - sum(found.values())]:
        found[policy] += 1
    return found


def _with_the_others(
    shares: Mapping[str, float],
    wanted: Mapping[str, float],
    now: Mapping[str, int],
    found: Mapping[str, int],
    name: str,
) -> str:
    """What is said of a share that moves though it was not meant to."""
    if wanted[name] != shares[name] or found[name] == now[name]:
        return ""
    if now[name] < found[name] == round(100 * _floor(name)):
        return " It is raised to the least that it must have."
    return " It moves with the others, so that they make a whole."


def _floor(policy: str) -> float:
    return RANDOM_LEAST if policy == Sampled.Policy.RANDOM else FLOOR


def _name(policy: str) -> str:
    return str(Sampled.Policy(policy).label).lower()


def _too_little(policy: str, missing: Mapping[str, int]) -> str:
    count = missing.get(policy, 0)
    return f"Too little is labelled: {count:,} label{'' if count == 1 else 's'} more, and it takes part."


def _says_missing(missing: Mapping[str, int]) -> str:
    few = [f"{_name(policy)} {count:,}" for policy, count in missing.items()]
    return f"Too little is labelled to compare them. Missing labels, of {ENOUGH} each: {', '.join(few)}."
