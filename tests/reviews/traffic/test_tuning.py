import pytest

from queues.sampling import mix as sampling_mix
from reviews.traffic.rates import State, Tally, rate
from reviews.traffic.tuning import Yield, propose

SEED = {"random": 0.25, "stratified": 0.25, "negative": 0.30, "uncertain": 0.10, "drift": 0.10}


def found(policy, fails, labels, *, short=0.0):
    tally = Tally()
    for number in range(labels):
        tally.add(policy, 1.0, State.FAILS if number < fails else State.PASSES)
    return Yield(policy, rate(tally, is_whole=False, fewest=1), 0, short)


def shares(proposal):
    return {part.policy: part.proposed for part in proposal.parts}


def why(proposal, policy):
    return next(part.because for part in proposal.parts if part.policy == policy)


EVEN = [found(policy, 30, 100) for policy in SEED]


class TestTheMix:
    def test_the_budget_moves_from_what_finds_less_to_what_finds_more(self):
        # On average .3*.5 + .25*.05*2 + .1*.1 + .1*.2 = 20.5%, of which negative feedback finds 2.4 times as many.
        proposal = propose(SEED, [
            found("negative", 100, 200), found("random", 10, 200), found("stratified", 10, 200),
            found("uncertain", 20, 100), found("drift", 10, 100),
        ])  # fmt: skip
        # What is given: 10 points to negative feedback. What could be taken: 10, 10, and 5 of drift, so 4, 4 and 2.
        assert shares(proposal) == {"drift": 8, "negative": 40, "uncertain": 10, "stratified": 21, "random": 21}
        assert proposal.may_be_taken
        assert "negative feedback 30% to 40%" in proposal.because
        assert why(proposal, "negative").startswith(
            "50% of its labels found a failure (43% to 57%), on average 20% did"
        )
        assert why(proposal, "uncertain").endswith("too near to tell them apart.")
        assert sampling_mix.fault(proposal.mix) == ""

    def test_revision_after_revision_random_and_the_others_keep_their_least(self):
        mix = dict(SEED)
        for _ in range(12):
            mix = propose(mix, [
                found("negative", 180, 200), found("random", 1, 200), found("stratified", 1, 200),
                found("uncertain", 1, 200), found("drift", 1, 200),
            ]).mix  # fmt: skip
            assert sampling_mix.fault(mix) == ""
        assert mix == {"random": 0.1, "stratified": 0.05, "negative": 0.75, "uncertain": 0.05, "drift": 0.05}

    def test_where_nothing_can_be_told_apart_it_stays(self):
        proposal = propose(SEED, EVEN)
        assert shares(proposal) == {policy: round(100 * share) for policy, share in SEED.items()}
        assert not proposal.may_be_taken

    def test_too_little_seen_says_how_much_is_missing(self):
        proposal = propose(SEED, [found("random", 3, 40), found("negative", 5, 12)])
        assert not proposal.may_be_taken
        assert "drift 30, negative feedback 18, uncertain 30, by topic 30" in proposal.because
        assert why(proposal, "negative") == "Too little is labelled: 18 labels more, and it takes part."

    def test_who_cannot_fill_a_share_is_given_no_more(self):
        yields = [found("negative", 100, 200, short=0.4), *(found(one, 10, 200) for one in SEED if one != "negative")]
        proposal = propose(SEED, yields)
        assert shares(proposal)["negative"] == 30
        assert "not enough to fill" in why(proposal, "negative")

    def test_a_policy_that_had_nothing_gets_its_least(self):
        mix = {"random": 0.5, "stratified": 0.2, "negative": 0.3, "uncertain": 0.0, "drift": 0.0}
        proposal = propose(mix, [one for one in EVEN if one.policy in ("random", "stratified", "negative")])
        assert (shares(proposal)["uncertain"], shares(proposal)["drift"]) == (5, 5)
        assert "raised to the least" in why(proposal, "drift")
        assert sum(shares(proposal).values()) == 100


def test_what_a_failure_costs_is_the_yield_turned_over():
    one = found("negative", 25, 100)
    cost, least, most = one.cost
    assert cost == 4
    assert least < 4 < most
    assert (1 / most, 1 / least) == pytest.approx((one.found.low, one.found.high))
    assert found("negative", 0, 100).cost is None
