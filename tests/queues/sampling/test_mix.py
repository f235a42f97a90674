import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.sampling import mix

SHARES = st.lists(st.integers(0, 100), min_size=4, max_size=4).filter(lambda cuts: sum(cuts) > 0)


def shares(weights, random=0.1):
    """A mix with at least this much drawn at random."""
    others = [policy.value for policy in mix.POLICIES if policy != "random"]
    rest = {name: (1 - random) * weight / sum(weights) for name, weight in zip(others, weights, strict=True)}
    return {**rest, "random": random}


class TestAMix:
    def test_the_default_is_one(self):
        assert mix.fault(mix.DEFAULT) == ""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"negative": 0.2}, "The shares come to 90%, not to 100%."),
            ({"negative": 0.4}, "The shares come to 110%, not to 100%."),
            ({"random": 0.05, "negative": 0.5}, "At least 10% is drawn at random, not 5%"),
            ({"negative": -0.1, "drift": 0.5}, "Each share is from 0 to 100%."),
            ({"loudest": 0.1}, "There is no sampling policy “loudest”"),
        ],
    )
    def test_one_that_is_none_is_refused_with_the_reason(self, change, said):
        assert mix.fault({**mix.DEFAULT, **change}).startswith(said)
        with pytest.raises(ValueError, match=r"."):
            mix.split(80, {**mix.DEFAULT, **change})

    def test_random_alone_is_one(self):
        assert mix.split(80, {"random": 1.0})["random"] == 80


class TestTheBudget:
    def test_the_days_eighty_by_the_default(self):
        assert mix.split(80, mix.DEFAULT) == {
            "drift": 8, "negative": 24, "uncertain": 8, "stratified": 20, "random": 20,
        }  # fmt: skip

    @given(budget=st.integers(0, 5000), weights=SHARES, random=st.integers(10, 100))
    def test_is_given_out_whole_and_a_tenth_of_it_at_random(self, budget, weights, random):
        split = mix.split(budget, shares(weights, random / 100))
        assert sum(split.values()) == budget
        assert all(share >= 0 for share in split.values())
        assert split["random"] >= budget * 0.1 - 1e-9

    @given(budget=st.integers(0, 5000), weights=SHARES)
    def test_is_given_out_to_within_one_of_what_the_mix_says(self, budget, weights):
        wanted = shares(weights)
        for name, share in mix.split(budget, wanted).items():
            assert abs(share - budget * wanted[name]) < 2


class TestEqualShares:
    @given(rooms=st.lists(st.integers(0, 50), max_size=12), total=st.integers(0, 300))
    def test_fill_what_there_is_and_nobody_has_less_than_another_with_room(self, rooms, total):
        level = mix.level(rooms, total)
        given_out = [min(room, level.height) for room in rooms]
        assert sum(given_out) == pytest.approx(min(total, sum(rooms)))
        whole = sum(min(room, int(level.height)) for room in rooms) + level.extra
        assert whole == min(total, sum(rooms))

    def test_what_small_ones_leave_goes_to_the_others(self):
        assert mix.level([1, 100, 100], 21) == mix.Level(10.0, 0)
        assert mix.level([100, 100, 100], 20) == mix.Level(20 / 3, 2)
