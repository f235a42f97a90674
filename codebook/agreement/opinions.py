"""The labels that can be compared: of cases that two or more people decided in one round. For the worker: needs numpy.

A relabel, a repeated case and the owner's last word each have a round of their own, so they are nobody's second
opinion; a judge's labels are no person's.
"""

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np
from django.db import connection

from codebook.agreement.ratings import Ints
from codebook.agreement.short_scale import Bools, Pairs
from codebook.models import Label
from codebook.standing import Standing

VERDICTS: Final = (Label.Verdict.ACCEPT, Label.Verdict.EDIT, Label.Verdict.REJECT)

_LABELS: Final = """
select label.id, label.case_id, label.round, label.version_id, coalesce(label.user_id, 0), label.rater_name,
       array_position(array['accept', 'edit', 'reject'], label.verdict::text) - 1,
       extract(epoch from label.created_at)::bigint, label.batch_id, batch.queue_id
from (
  select *, count(*) over (partition by case_id, round) as answers from codebook_label
  where version_id = any(%s) and undone_at is null and not is_amendment and rater in ('person', 'imported')
) label
join codebook_labelbatch batch on batch.id = label.batch_id
where label.answers > 1
order by label.case_id, label.round, label.id desc
"""
_GIVEN: Final = """
select given.label_id, given.category_id from codebook_labelcategory given
join unnest(%s::bigint[]) wanted (id) on wanted.id = given.label_id
"""


@dataclass(frozen=True, slots=True)
class Rater:
    """A person of the house, or the name that an import gave; and the queues in which they answered."""

    user: int
    name: str
    queues: frozenset[int]
    labels: int


@dataclass(slots=True)
class Opinions:
    """One entry per label in the first block, per unit (a case in a round) in the second, per pair in the third."""

    version: Ints
    rater: Ints
    verdict: Ints
    batch: Ints
    queue: Ints
    unit: Ints
    at: Ints
    # By category of the newest version, in its order: given; and whether the label says if it was there.
    present: Bools
    decides: Bools
    gave_any: Bools
    decides_any: Bools

    units: int
    # When the last of its labels was given, in seconds.
    when: Ints

    raters: list[Rater] = field(default_factory=list)
    left: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    right: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def counts(self, value: Ints, k: int, part: Bools | None = None) -> Ints:
        """How many labels of each unit have each value."""
        unit, value = (self.unit, value) if part is None else (self.unit[part], value[part])
        return np.bincount(unit * k + value, minlength=self.units * k).reshape(-1, k).astype(np.int64)

    def pairs(self, value: Ints, part: Bools | None = None) -> Pairs:
        """Of labels that both say something."""
        left, right = self.left, self.right
        if part is not None:
            both = part[left] & part[right]
            left, right = left[both], right[both]
        pair = self.rater[left] * len(self.raters) + self.rater[right]
        return Pairs(self.unit[left], pair, value[left], value[right])

    def with_any(self, part: Bools) -> Bools:
        """The units that have a label of this part."""
        return np.bincount(self.unit[part], minlength=self.units) > 0


def read(standing: Standing) -> Opinions:
    """All comparable labels of the codebook's versions, with categories as they count today."""
    with connection.cursor() as cursor:
        cursor.execute(_LABELS, [list(standing.numbers)])
        rows = cursor.fetchall()
        names: dict[tuple[int, str], int] = {}
        kept, raters, seen = [], [], set()
        for row in rows:
            rater = names.setdefault((row[4], row[5]), len(names))
            # An imported rater may have answered in two imports: the later answer is theirs.
            if (key := (row[1], row[2], rater)) not in seen:
                seen.add(key)
                kept.append((row[0], row[1], row[2], row[3], *row[6:]))
                raters.append(rater)
        columns: Ints = np.array(kept, dtype=np.int64).reshape(-1, 8).T
        table, by, unit = _shared(columns, np.array(raters, dtype=np.int64))
        cursor.execute(_GIVEN, [table[0].tolist()])
        given = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    return _opinions(standing, table, by, unit, given, list(names))


def _shared(table: Ints, rater: Ints) -> tuple[Ints, Ints, Ints]:
    """Without the units in which one rater is left."""
    starts = (np.diff(table[1], prepend=-1) != 0) | (np.diff(table[2], prepend=-1) != 0)
    unit = np.cumsum(starts) - 1
    if len(unit):
        shared = np.bincount(unit)[unit] > 1
        table, rater, unit = table[:, shared], rater[shared], unit[shared]
    _, unit = np.unique(unit, return_inverse=True)
    order = np.lexsort((rater, unit))
    return table[:, order], rater[order], unit[order].astype(np.int64)


def _opinions(
    standing: Standing, table: Ints, rater: Ints, unit: Ints, given: Ints, names: list[tuple[int, str]]
) -> Opinions:
    ids, _, _, version, verdict, at, batch, queue = table
    categories = [category.pk for category in standing.newest.categories]
    place = {pk: column for column, pk in enumerate(categories)}
    by_id = np.argsort(ids)
    label = by_id[np.searchsorted(ids[by_id], given[:, 0])] if len(ids) else np.zeros(0, dtype=np.int64)
    column = np.array([place.get(standing.counts_as.get(pk, 0), -1) for pk in given[:, 1].tolist()], dtype=np.int64)
    present = np.zeros((len(ids), len(categories)), dtype=bool)
    present[label[column >= 0], column[column >= 0]] = True
    gave_any = np.zeros(len(ids), dtype=bool)
    gave_any[label] = True
    # Rejecting without a category is not "none of them".
    says = gave_any | (verdict != VERDICTS.index(Label.Verdict.REJECT))
    judged = np.stack(
        [np.isin(version, list(standing.judged_under.get(pk, ()))) & says for pk in categories], axis=1
    ) if categories else np.zeros((len(ids), 0), dtype=bool)  # fmt: skip
    units = int(unit.max(initial=-1)) + 1
    when = np.zeros(units, dtype=np.int64)
    np.maximum.at(when, unit, at)
    left, right = _pairs(unit)
    return Opinions(
        version, rater, verdict, batch, queue, unit, at, present, judged, gave_any, says, units, when,
        _raters(names, rater, queue), left, right,
    )  # fmt: skip


def _raters(names: list[tuple[int, str]], rater: Ints, queue: Ints) -> list[Rater]:
    labels = np.bincount(rater, minlength=len(names))
    queues: dict[int, set[Any]] = {}
    for one, where in set(zip(rater.tolist(), queue.tolist(), strict=True)):
        queues.setdefault(one, set()).add(where)
    return [
        Rater(user, name, frozenset(queues.get(place, ())), int(labels[place]))
        for place, (user, name) in enumerate(names)
    ]


def _pairs(unit: Ints) -> tuple[Ints, Ints]:
    """The labels of each unit two by two, by rater. `unit` is in order."""
    starts = np.flatnonzero(np.diff(unit, prepend=-1))
    sizes = np.diff(starts, append=len(unit))
    left, right = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for size in np.unique(sizes):
        of_size = starts[sizes == size]
        for i, j in combinations(range(size), 2):
            left.append(of_size + i)
            right.append(of_size + j)
    return np.concatenate(left), np.concatenate(right)
