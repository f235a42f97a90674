"""Measures how far people agree on a codebook's cases: all that the pages show. For the worker, as it needs numpy."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from django.urls import reverse
from django.utils import timezone

from codebook import standing
from codebook.agreement import measured, opinions
from codebook.agreement.opinions import VERDICTS, Opinions
from codebook.agreement.ratings import Floats, Ints
from codebook.agreement.short_scale import Bools, Pairs, Values, kappa
from codebook.agreement.statistics import Figure
from codebook.models import Codebook
from codebook.standing import Standing
from codebook.versions import NoCodebook
from hitl.jobs import progress as jobs
from queues.models import Queue

DAY: Final = 86_400
WINDOW_DAYS: Final = 30
WINDOWS_MOST: Final = 53
WINDOW_STEP: Final = 7
MONTHS_MOST: Final = 24
PAIRS_MOST: Final = 30
PAIRS_OF_A_CATEGORY: Final = 10
PARTNERS_MOST: Final = 5
BATCHES_MOST: Final = 500
DECIMALS: Final = 6

Json = dict[str, Any]


def run(job_id: int, codebook_id: int) -> None:
    """The worker's part: measures, and keeps the report."""
    codebook = Codebook.objects.get(pk=codebook_id)
    newest = measured.newest_label(codebook_id)
    try:
        result = report(codebook_id, progress=lambda done, total: jobs.advance(job_id, done, total))
    except NoCodebook:
        raise jobs.JobFailed("Nothing of this codebook is published, so there is nothing to measure.") from None
    measured.keep(codebook=codebook, newest_label=newest, result=result, now=timezone.now())
    jobs.finish(
        job_id,
        {
            "sentence": f"Compared: {result['labels']:,} labels, cases in them: {result['units']:,}.",
            "url": reverse("codebook_agreement", args=[codebook.slug]),
            "link": "See the agreement",
        },
    )


def report(codebook_id: int, *, progress: Callable[[int, int], object] = lambda done, total: None) -> Json:
    """Every figure of the codebook's agreement, as it is kept. Raises NoCodebook."""
    stands = standing.standing(codebook_id)
    found = opinions.read(stands)
    parts = list(_parts(found, stands))
    result: Json = {
        "labels": len(found.unit),
        "units": found.units,
        "versions": _numbers(stands, found.version),
        "versions_in_words": standing.words(stands),
        "standing": measured.fingerprint(stands),
        "raters": [
            {"user": rater.user or None, "name": rater.name, "queues": sorted(rater.queues), "labels": rater.labels}
            for rater in found.raters
        ],
    }
    for done, (name, part) in enumerate(parts):
        progress(done, len(parts))
        if name.startswith("category "):
            result.setdefault("categories", []).append(part())
        else:
            result[name] = part()
    progress(len(parts), len(parts))
    result["disagreements"] = sorted(
        ({"key": one["key"], "title": one["title"], "n": one["differ"]} for one in result.setdefault("categories", [])),
        key=lambda one: -one["n"],
    )
    return result


def _parts(found: Opinions, stands: Standing) -> Iterator[tuple[str, Callable[[], Json | list[Json]]]]:
    """What is measured, in steps that tell how far it is."""
    verdict = Values(found.counts(found.verdict, len(VERDICTS)))
    gave = found.gave_any.astype(np.int64)
    anything = Values(found.counts(gave, 2, found.decides_any))
    both = {"verdict": verdict, "any": anything}
    verdict_pairs, any_pairs = found.pairs(found.verdict), found.pairs(gave, found.decides_any)
    yield "verdict", lambda: _all_figures(verdict, verdict_pairs, len(VERDICTS)) | {"differ": _differ(verdict)}
    yield "any", lambda: _all_figures(anything, any_pairs, 2) | {"differ": _differ(anything)}
    names = dict(Queue.objects.values_list("pk", "name"))
    yield (
        "queues",
        lambda: [
            {"id": pk, "name": names.get(pk, ""), **_of_units(both, found.with_any(found.queue == pk))}
            for pk in np.unique(found.queue).tolist()
        ],
    )
    yield "versions_apart", lambda: [_of_version(found, pk, stands.numbers[pk]) for pk in _present(stands, found)]
    yield "pairs", lambda: _pairs(found, {"verdict": (verdict_pairs, 3), "any": (any_pairs, 2)}, PAIRS_MOST)
    yield "months", lambda: _months(found.when, both)
    yield "rolling", lambda: _rolling(found.when, both)
    yield "batches", lambda: _batches(found, both)
    yield "confusion", lambda: _confusion(found, stands)
    for column, category in enumerate(stands.newest.categories):
        yield f"category {category.key}", lambda column=column: _category(found, stands, column)  # type: ignore[misc]


def _category(found: Opinions, stands: Standing, column: int) -> Json:
    category = stands.newest.categories[column]
    decides = found.decides[:, column]
    given = found.present[:, column].astype(np.int64)
    values, pairs = Values(found.counts(given, 2, decides)), found.pairs(given, decides)
    out = stands.quarantined.get(category.pk, frozenset())
    return {
        "id": category.pk,
        "key": category.key,
        "title": category.title,
        "versions": _numbers(stands, found.version[decides]),
        "quarantined": sorted(stands.numbers[pk] for pk in out),
        "given": int((found.present[:, column] & decides).sum()),
        "decided": int(decides.sum()),
        "differ": _differ(values),
        **_all_figures(values, pairs, 2, ordinal=False),
        "months": _months(found.when, {"alpha": values}),
        "rolling": _rolling(found.when, {"alpha": values}),
        "pairs": _pairs(found, {"kappa": (pairs, 2)}, PAIRS_OF_A_CATEGORY),
        "confused": _partners(found, stands, column),
    }


def _all_figures(values: Values, pairs: Pairs, k: int, *, ordinal: bool = True) -> Json:
    counted = values.figures()
    how_many, light = kappa(pairs, k)
    figures = {
        "percent": counted.percent,
        "kappa": light,
        "ac1": counted.ac1,
        "alpha": counted.nominal,
        **({"ordinal": counted.ordinal} if ordinal and k > 2 else {}),
    }
    return {"raters_pairs": how_many} | {name: _json(figure) for name, figure in figures.items()}


def _of_units(measures: dict[str, Values], part: Bools) -> Json:
    """Alpha and percent agreement of some of the units, by what is measured."""
    said: Json = {"units": int(part.sum())}
    for name, values in measures.items():
        counted = values.figures(part)
        said[name] = {"alpha": _json(counted.nominal), "percent": _json(counted.percent)}
    return said


def _of_version(found: Opinions, version: int, number: int) -> Json:
    """Of the labels given under this version alone: a unit may have labels of two."""
    own = found.version == version
    gave = found.gave_any.astype(np.int64)
    measures = {
        "verdict": Values(found.counts(found.verdict, len(VERDICTS), own)),
        "any": Values(found.counts(gave, 2, own & found.decides_any)),
    }
    return {"number": number, **_of_units(measures, found.with_any(own))}


def _pairs(found: Opinions, measures: dict[str, tuple[Pairs, int]], most: int) -> list[Json]:
    """Kappa of the pairs of raters who share most cases; raters by their place in the list of them."""
    first, _ = next(iter(measures.values()))
    named, counts = np.unique(first.pair, return_counts=True)
    biggest = named[np.argsort(-counts, kind="stable")][:most]
    said = []
    for pair in biggest.tolist():
        one: Json = {"a": pair // len(found.raters), "b": pair % len(found.raters)}
        for name, (pairs, k) in measures.items():
            own = pairs.of(pairs.pair == pair)
            one[name] = _json(kappa(own, k)[1])
            one.setdefault("agreed", int((own.left == own.right).sum()))
            one.setdefault("units", len(own.item))
        said.append(one)
    return said


def _months(when: Ints, measures: dict[str, Values]) -> list[Json]:
    month = when.astype("datetime64[s]").astype("datetime64[M]")
    return [{"month": str(one), **_points(measures, month == one)} for one in np.unique(month)[-MONTHS_MOST:]]


def _rolling(when: Ints, measures: dict[str, Values]) -> list[Json]:
    """The thirty days up to each seventh day, of a year at most; those without anything to compare are left out."""
    if not len(when):
        return []
    last, first = int(when.max()) // DAY + 1, int(when.min()) // DAY + 1
    ends = [last - WINDOW_STEP * back for back in range(WINDOWS_MOST) if last - WINDOW_STEP * back >= first]
    said = []
    for end in reversed(ends):
        part = (when < end * DAY) & (when >= (end - WINDOW_DAYS) * DAY)
        if part.any():
            said.append({"until": str(np.datetime64(end - 1, "D")), **_points(measures, part)})
    return said


def _points(measures: dict[str, Values], part: Bools) -> Json:
    return {name: _json(values.figures(part).nominal) for name, values in measures.items()}


def _batches(found: Opinions, measures: dict[str, Values]) -> Json:
    """By batch: of the cases that have a label in it, the newest batches."""
    newest = np.unique(found.batch)[-BATCHES_MOST:].tolist()
    return {str(pk): _of_units(measures, found.with_any(found.batch == pk)) for pk in newest}


def _crossed(found: Opinions) -> Floats:
    """How often one of two raters gave the first category and not the second, and the other the reverse."""
    left, right = found.left, found.right
    both = found.decides[left] & found.decides[right]
    only_left = (found.present[left] & ~found.present[right] & both).astype(np.float32)
    only_right = (found.present[right] & ~found.present[left] & both).astype(np.float32)
    crossed = only_left.T @ only_right
    return np.asarray(crossed + crossed.T, dtype=np.float64)


def _confusion(found: Opinions, stands: Standing) -> list[Json]:
    """The pairs of categories that are taken for each other, most often first."""
    crossed, categories = _crossed(found), stands.newest.categories
    pairs = [
        {"a": categories[i].key, "b": categories[j].key, "titles": [categories[i].title, categories[j].title],
         "n": int(crossed[i, j])}
        for i in range(len(categories)) for j in range(i) if crossed[i, j]
    ]  # fmt: skip
    return sorted(pairs, key=lambda pair: -pair["n"])


def _partners(found: Opinions, stands: Standing, column: int) -> list[Json]:
    """What the other rater gave instead, where one gave this category and the other did not."""
    left, right = found.left, found.right
    said: dict[str, Json] = {}
    counts = np.zeros(len(stands.newest.categories), dtype=np.int64)
    nothing = 0
    for one, other in ((left, right), (right, left)):
        both = found.decides[one, column] & found.decides[other, column]
        missed = both & found.present[one, column] & ~found.present[other, column]
        one, other = one[missed], other[missed]
        counts += (found.present[other] & ~found.present[one]).sum(axis=0)
        nothing += int((~found.gave_any[other]).sum())
    for place, category in enumerate(stands.newest.categories):
        if counts[place]:
            said[category.key] = {"key": category.key, "title": category.title, "n": int(counts[place])}
    if nothing:
        said[""] = {"key": "", "title": "no category at all", "n": nothing}
    return sorted(said.values(), key=lambda one: -one["n"])[:PARTNERS_MOST]


def _differ(values: Values) -> int:
    """Units in which not all gave the same value."""
    mixed = (values.rows > 0).sum(axis=1) > 1
    return int(mixed[values.pattern].sum())


def _present(stands: Standing, found: Opinions) -> list[int]:
    return sorted(np.unique(found.version).tolist(), key=lambda pk: stands.numbers[pk])


def _numbers(stands: Standing, versions: Ints) -> list[int]:
    return sorted(stands.numbers[pk] for pk in np.unique(versions).tolist())


def _json(figure: Figure) -> Json:
    said: Json = {"value": _round(figure.value), "low": _round(figure.low), "high": _round(figure.high)}
    return said | {"n": figure.n_items} | ({"reason": figure.reason} if figure.reason else {})


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
