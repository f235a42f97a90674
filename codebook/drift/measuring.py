"""Compares what reviewers said of old cases with what they say now. For the worker, as it needs numpy."""

from collections import defaultdict
from collections.abc import Collection

from django.utils import timezone

from codebook.agreement.measured import fingerprint
from codebook.drift import reports as drift_reports
from codebook.drift.figures import Answer, Json, Pair, compare
from codebook.models import Codebook, Label, LabelCategory
from codebook.standing import Standing, standing, words
from codebook.versions import NoCodebook
from hitl.jobs import progress


def run(job_id: int, codebook_id: int) -> None:
    """The worker's part: a new report for each reviewer whose last one is not of today."""
    codebook = Codebook.objects.select_related("owner").get(pk=codebook_id)
    try:
        stands = standing(codebook_id)
    except NoCodebook:
        raise progress.JobFailed("Nothing of this codebook is published, so there is nothing to compare.") from None
    stale = drift_reports.stale(codebook_id, stands)
    pairs = read(codebook_id, stands, stale)
    for done, (reviewer, newest) in enumerate(stale.items(), 1):
        result = report(pairs[reviewer], stands, newest=newest, seed=reviewer)
        drift_reports.keep(codebook=codebook, reviewer_id=reviewer, result=result, now=timezone.now())
        progress.advance(job_id, done, len(stale))
    progress.finish(job_id, {"sentence": f"{len(stale)} reviewer{'s' * (len(stale) != 1)} compared, then and now."})


def report(pairs: Collection[Pair], stands: Standing, *, newest: int, seed: int) -> Json:
    """The figures as they are kept, with what they stand on."""
    figures = compare(sorted(pairs, key=lambda pair: pair.case_id), stands, seed=seed)
    kept = {"newest_label": newest, "standing": fingerprint(stands), "versions_in_words": words(stands)}
    return figures | kept


def read(codebook_id: int, stands: Standing, reviewers: Collection[int]) -> dict[int, list[Pair]]:
    """By reviewer: their answers then and now, as far as both are under a version of this codebook."""
    labels = drift_reports.answers(codebook_id).filter(user__in=reviewers).select_related("slot__drift_check__earlier")
    said = [(label, label.slot.drift_check.earlier) for label in labels if label.slot]
    given: dict[int, set[int]] = defaultdict(set)
    ids = [label.pk for both in said for label in both]
    for label_id, category in LabelCategory.objects.filter(label__in=ids).values_list("label", "category"):
        given[label_id].add(category)
    pairs: dict[int, list[Pair]] = defaultdict(list)
    for now, then in said:
        if now.user_id and {now.version_id, then.version_id} <= stands.numbers.keys():
            pairs[now.user_id].append(Pair(now.case_id, _answer(then, given), _answer(now, given)))
    return pairs


def _answer(label: Label, given: dict[int, set[int]]) -> Answer:
    return Answer(label.verdict, label.version_id, frozenset(given[label.pk]))
