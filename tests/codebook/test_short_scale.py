"""The figures of many parts at once are those of `agreement.measure`, which the oracles hold."""

import numpy as np
import pytest

from codebook.agreement.short_scale import Pairs, Values, kappa
from codebook.agreement.statistics import measure


def drawn(seed, *, items=240, raters=4, k=3, missing=0.4, skill=0.6):
    rng = np.random.default_rng(seed)
    truth = rng.integers(k, size=items)
    value = np.where(rng.random((raters, items)) < skill, truth, rng.integers(k, size=(raters, items)))
    return np.where(rng.random((raters, items)) < missing, -1, value)


def ratings(table):
    """Without the items that have one rating alone, as the report leaves them out."""
    shared = (table >= 0).sum(axis=0) >= 2
    return [
        (item, rater, int(value))
        for rater, row in enumerate(table)
        for item, value in enumerate(row)
        if value >= 0 and shared[item]
    ]


def counts(table, k):
    return np.stack([(table == value).sum(axis=0) for value in range(k)], axis=1)


def pairs(table):
    found = [
        (item, a * 100 + b, table[a, item], table[b, item])
        for item in range(table.shape[1])
        for a in range(len(table))
        for b in range(a + 1, len(table))
        if table[a, item] >= 0 and table[b, item] >= 0
    ]
    return Pairs(*np.array(found, dtype=np.int64).reshape(-1, 4).T)


def both(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.value == pytest.approx(other.value, abs=1e-12)
        assert mine.n_items == other.n_items
        # Another stream of resamples: the ends agree as far as a thousand of them can tell.
        assert mine.low == pytest.approx(other.low, abs=0.05)
        assert mine.high == pytest.approx(other.high, abs=0.05)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_the_figures_are_those_of_measure(seed, k):
    table = drawn(seed, k=k, raters=2 + seed % 4, missing=0.0 if seed % 2 else 0.4)
    found = measure(ratings(table), order=range(k))
    ours = Values(counts(table, k)).figures()
    alpha = found.krippendorff_alpha
    both(
        (ours.percent, ours.ac1, ours.nominal, ours.ordinal),
        (found.percent_agreement, found.gwet_ac1, alpha.nominal, alpha.ordinal),
    )
    n, light = kappa(pairs(table), k)
    assert n == found.pairs
    both([light], [found.cohen_kappa])


def test_a_part_is_measured_as_if_it_were_all():
    table = drawn(3)
    first = np.arange(table.shape[1]) < 30
    whole, part = Values(counts(table, 3)), Values(counts(table[:, :30], 3))
    assert whole.figures(first) == part.figures()
    assert whole.figures() != part.figures()


def test_blocks_of_resamples_give_what_all_at_once_gives(monkeypatch):
    table = drawn(5)
    whole = kappa(pairs(table), 3), Values(counts(table, 3)).figures()
    monkeypatch.setattr("codebook.agreement.short_scale.BLOCK", 1000)
    assert (kappa(pairs(table), 3), Values(counts(table, 3)).figures()) == whole


def test_one_value_throughout_tells_nothing():
    same = np.zeros((3, 10), dtype=np.int64)
    found = Values(counts(same, 2)).figures()
    assert found.percent.value == 1
    assert found.nominal.value is None
    assert found.ac1.value is None
    assert found.nominal.reason
    assert kappa(pairs(same), 2)[1].value is None


def test_no_shared_item_gives_no_figure():
    alone = np.array([[0, 1, -1, -1], [-1, -1, 1, 0]])
    found = Values(counts(alone, 2)).figures()
    assert (found.percent.value, found.nominal.value, found.percent.n_items) == (None, None, 0)
    assert kappa(pairs(alone), 2) == (0, found.percent)
