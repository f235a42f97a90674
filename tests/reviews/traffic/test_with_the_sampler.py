"""The sampler's own draws, day after day, over traffic whose every answer is known."""

from datetime import UTC, datetime

import numpy as np

from queues.sampling.drawing import Asked, draw
from queues.sampling.mix import DEFAULT
from queues.sampling.policies import Pool
from reviews.traffic.gathering import Gathered, figures
from reviews.traffic.sampled import Row

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SIZE, DAYS, BUDGET = 3000, 3, 120


class Week:
    """Three days of answers. Users complain of the bad ones above all, half of them only on the next day."""

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.high = random.integers(0, 2**63, SIZE * DAYS, dtype=np.uint64)
        self.low = random.integers(0, 2**63, SIZE * DAYS, dtype=np.uint64)
        self.day = np.repeat(np.arange(DAYS), SIZE)
        self.topic = random.choice(4, p=[0.7, 0.2, 0.08, 0.02], size=SIZE * DAYS)
        self.fails = random.random(SIZE * DAYS) < np.array([0.02, 0.06, 0.12, 0.3])[self.topic]
        complains = random.random(SIZE * DAYS) < np.where(self.fails, 0.35, 0.03)
        self.complains_on = np.where(complains, self.day + random.integers(0, 2, SIZE * DAYS), DAYS)
        self.score = np.abs(
            np.where(self.fails, random.normal(0.4, 0.2, SIZE * DAYS), random.normal(0.75, 0.2, SIZE * DAYS)) - 0.5
        )
        self.seed = seed

    def drawn(self):
        """What the sampler makes of it: the stamps and the chance of each case, by its place."""
        cases = {}
        for day in range(DAYS):
            here = np.flatnonzero(self.day <= day)
            is_bad = self.complains_on[here] <= day
            pool = Pool(
                high=self.high[here], low=self.low[here], topic=self.topic[here].astype(np.int64),
                user=np.zeros(len(here), np.int64), weight=np.where(is_bad, -1, 0).astype(np.float32),
                distance=self.score[here].astype(np.float32), slice=np.zeros(len(here), np.int16), is_negative=is_bad,
                is_edited=np.zeros(len(here), bool), is_fresh=self.day[here] == day,
                is_case=np.array([place in cases for place in here.tolist()]),
            )  # fmt: skip
            found = draw(pool, Asked(BUDGET, DEFAULT, per_user=3, width=0.1), seed=self.seed * 10 + day)
            for pick in found.picks:
                cases[int(here[pick.place])] = (pick.policy, dict(pick.policies), pick.probability)
            for again in found.again:
                policy, stamps, chance = cases[int(here[again.place])]
                cases[int(here[again.place])] = (policy, {**again.policies, **stamps}, max(chance, again.probability))
        return cases

    def rates(self):
        found = Gathered()
        for place, (policy, stamps, chance) in self.drawn().items():
            verdict = "reject" if self.fails[place] else "accept"
            row = Row(NOW, str(self.topic[place]), "", "", policy, stamps, chance, False, verdict, 1, [], None)
            found.add(row, lambda verdict, version, given: verdict == "reject")
        return figures(found, {})["estimates"]


def test_the_estimate_is_not_skewed_though_the_sample_looks_where_it_is_bad():
    all_off, random_off, naive_off, held, stands_for = [], [], [], [], []
    for seed in range(60):
        week = Week(seed)
        truth = week.fails.mean()
        whole = week.rates()["whole"]
        all_off.append(whole["rate"]["value"] - truth)
        random_off.append(whole["at_random"]["value"] - truth)
        naive_off.append(whole["rate"]["failures"] / whole["rate"]["labels"] - truth)
        held.append(whole["rate"]["low"] <= truth <= whole["rate"]["high"])
        stands_for.append(whole["rate"]["stands_for"])
    assert abs(np.mean(all_off)) < 3 * np.std(all_off) / len(all_off) ** 0.5
    assert abs(np.mean(random_off)) < 3 * np.std(random_off) / len(random_off) ** 0.5
    assert np.std(all_off) < np.std(random_off), "all labels tell more than those drawn at random"
    assert np.mean(naive_off) > 0.05
    assert np.mean(held) > 0.88
    assert abs(np.mean(stands_for) / (SIZE * DAYS) - 1) < 0.05
