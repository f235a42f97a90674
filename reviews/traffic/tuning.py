"""What a label of each sampling policy is worth, and a budget that leans toward the better ones. Pure.

**Yield.** Of the labels that a policy asked for, how many found a failure: that is what its part of the budget buys.
Every policy is credited with each case that it picked, also where another came first: left to the first alone, a policy
that stands late in the order would seem poor, since the best of its picks are gone. By selection probability: a case
that the policy picks with the chance p stands for 1/p like it, each of which it would pick with p, so that each of its
picks counts once; what differs is how many of them are labelled, and the labelled count for those of their kind that
are not (see `reviews.traffic.rates`: by the policy that came first, and the stream the case waits in). Counting each
pick 1/p times instead would say how much of the traffic it draws from fails. For a draw by topic that is the rate of
all traffic, though a label by topic may find twice as much as a random one; it is no measure of what a label buys.

**Mix.** Where a yield's interval leaves the average out, the share is drawn toward the share times the yield over the
average yield (the multiplicative weights update: S. Arora, E. Hazan, S. Kale, "The multiplicative weights update
method", Theory of Computing 8 (2012), 121-164); the others stay. What is taken makes what is given: of the two, the
smaller counts, and each takes its part of it. No share moves by more than STEP, none falls under its floor, and a
policy that could not fill its share is not given more.
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
    """A new mix. Where too little is seen to compare the policies, `because` says how much is missing."""

    parts: Sequence[Part]
    because: str
    may_be_taken: bool
    is_compared: bool = True

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
        return Proposal(parts, _says_missing(missing), may_be_taken=False, is_compared=False)
    average = _average(shares, {policy: known[policy] for policy in seen})
    found = _raised(shares)
    wants = {policy: _lean(found[policy], known[policy], average) for policy in seen}
    why = {
        policy: _reason(known[policy], average) if policy in wants else _too_little(policy, missing) for policy in ORDER
    }
    found = _moved(found, wants)
    proposed = _percents(found)
    parts = [
        Part(policy, now[policy], proposed[policy], why[policy] + _is_raised(shares[policy], policy))
        for policy in ORDER
    ]
    moved = [part for part in parts if part.proposed != part.now]
    if not moved:
        return Proposal(parts, "No policy clearly finds more, with another that clearly finds less.", False)
    said = ", ".join(f"{_name(part.policy)} {part.now}% to {part.proposed}%" for part in moved)
    return Proposal(parts, f"By what the labels found, {average:.0%} on average: {said}.", True)


def _lean(share: float, one: Yield, average: float) -> float:
    """By how much the share would move on its own; 0 where the yield cannot be told from the average."""
    value, low, high = one.found.value or 0.0, one.found.low or 0.0, one.found.high or 0.0
    if low <= average <= high or (value > average and one.short > SHORT):
        return 0.0
    wanted = max(_floor(one.policy), share * value / average)
    return max(-STEP, min(STEP, wanted - share))


def _reason(one: Yield, average: float) -> str:
    value, low, high = one.found.value or 0.0, one.found.low or 0.0, one.found.high or 0.0
    said = f"{value:.0%} of its labels found a failure ({low:.0%} to {high:.0%}), on average {average:.0%} did: "
    if low <= average <= high:
        return said + "too near to tell them apart."
    if value > average:
        return said + ("more, but there was not enough to fill its share." if one.short > SHORT else "it finds more.")
    return said + "it finds less."


def _moved(shares: Mapping[str, float], wants: Mapping[str, float]) -> dict[str, float]:
    """What some give up is what others get: the smaller of the two sums, each by its part."""
    more = sum(by for by in wants.values() if by > 0)
    less = -sum(by for by in wants.values() if by < 0)
    both = min(more, less)
    if not both:
        return dict(shares)
    return {
        policy: share + wants.get(policy, 0.0) * both / (more if wants.get(policy, 0.0) > 0 else less)
        for policy, share in shares.items()
    }


def _raised(shares: Mapping[str, float]) -> dict[str, float]:
    """No share under its floor: what is missing is taken from the others, by how far they are above theirs."""
    lacking = {policy: max(0.0, _floor(policy) - share) for policy, share in shares.items()}
    above = {policy: max(0.0, share - _floor(policy)) for policy, share in shares.items()}
    whole = sum(above.values())
    part = sum(lacking.values()) / whole if whole else 0.0
    return {policy: share + lacking[policy] - above[policy] * part for policy, share in shares.items()}


def _average(shares: Mapping[str, float], seen: Mapping[str, Yield]) -> float:
    """What a label of the budget finds as it is spent now."""
    whole = sum(shares[policy] for policy in seen)
    if not whole:
        return sum(one.found.value or 0.0 for one in seen.values()) / len(seen)
    return sum(shares[policy] * (one.found.value or 0.0) for policy, one in seen.items()) / whole


def _percents(shares: Mapping[str, float]) -> dict[str, int]:
    """Whole percent that make 100: the rest goes to those that lost most by rounding down."""
    whole = sum(shares.values())
    exact = {policy: 100 * share / whole for policy, share in shares.items()} if whole else dict.fromkeys(shares, 0.0)
    found = {policy: int(share + 1e-9) for policy, share in exact.items()}
    rest = sorted(exact, key=lambda policy: found[policy] - exact[policy])
    for policy in rest[: 100 - sum(found.values())]:
        found[policy] += 1
    return found


def _is_raised(share: float, policy: str) -> str:
    return " It is raised to the least that it must have." if share < _floor(policy) - 1e-9 else ""


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
