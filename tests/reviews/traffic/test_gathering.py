from datetime import UTC, date, datetime
from random import Random

from reviews.traffic.gathering import Gathered, figures
from reviews.traffic.sampled import Row, Traffic

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def row(policy, policies, chance, fails, topic="refund", **fields):
    verdict = None if fails is None else "reject" if fails else "accept"
    kept = {
        "at": NOW, "topic": topic, "release": "r", "prompt_version": "p", "policy": policy, "policies": policies,
        "probability": chance, "is_dropped": False, "verdict": verdict,
        "version_id": None if fails is None else 1, "given": None, "kinds": None,
    }  # fmt: skip
    return Row(**{**kept, **fields})


def fails(verdict, version_id, given):
    return verdict == "reject"


def test_a_policy_that_stands_late_is_not_poor_because_others_took_its_best():
    """Known truth: users complain of 5% of answers, of which 60% fail; drift covers half of the failures."""
    random = Random(5)
    found, first = Gathered(), []
    for _ in range(4000):
        complains = random.random() < 0.05
        fails_ = random.random() < (0.6 if complains else 0.04)
        drifts = complains and fails_ and random.random() < 0.5
        picked = {"drift": drifts, "negative": complains, "random": random.random() < 0.1}
        policies = {name: (1.0 if name != "random" else 0.1) for name, is_in in picked.items() if is_in}
        if policies:
            one = row(next(iter(policies)), policies, 1.0 if complains else 0.1, fails_)
            found.add(one, fails)
            first.append((one.policy, fails_))
    kept = figures(found, {})["policies"]
    negative = kept["negative"]["found"]
    assert negative["low"] < 0.6 < negative["high"]
    of_first = [bad for policy, bad in first if policy == "negative"]
    assert sum(of_first) / len(of_first) < 0.48
    assert kept["drift"]["found"]["value"] == 1
    assert kept["random"]["found"]["low"] < 0.05 * 0.6 + 0.95 * 0.04 < kept["random"]["found"]["high"]


def test_labelled_picks_stand_in_for_their_kind_where_one_kind_is_read_sooner():
    """Of what negative feedback picked, what drift picked too is read at once and fails; half of the rest waits."""
    found = Gathered()
    for _ in range(20):
        found.add(row("drift", {"drift": 1.0, "negative": 1.0}, 1.0, True), fails)
    for number in range(80):
        found.add(row("negative", {"negative": 1.0}, 1.0, None if number < 60 else number % 4 == 0), fails)
    negative = figures(found, {})["policies"]["negative"]["found"]
    assert negative["value"] == (20 + 80 * 0.25) / 100
    assert (negative["labels"], negative["waiting"]) == (40, 60)


def test_it_grows_with_the_topics_and_not_with_the_cases():
    few, many = Gathered(), Gathered()
    for found, times in ((few, 10), (many, 1000)):
        for number in range(times):
            found.add(row("random", {"random": 0.1}, 0.1, number % 3 == 0, topic=f"topic {number % 5}"), fails)
    assert len(few.parts) == len(many.parts) == 7
    assert len(many.whole.drawn.strata()) == len(few.whole.drawn.strata())


def test_only_so_many_parts_are_listed_those_with_most_traffic():
    found = Gathered()
    for number in range(60):
        found.add(row("random", {"random": 0.1}, 0.1, False, topic=f"topic {number}"), fails)
        found.came_in(Traffic(date(2026, 11, 20), f"topic {number}", "r", "p", number + 20))
    kept = figures(found, {})["estimates"]
    assert (len(kept["topic"]), kept["more_topic"]) == (40, 20)
    assert kept["topic"][0]["name"] == "topic 59"
