"""How far people agreed before an alignment session and after it. For the worker, as it needs numpy."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone

from codebook.adjudication.disagreement import INDEPENDENT, Said, take_apart
from codebook.agreement.ratings import Rating
from codebook.agreement.statistics import Figure, measure
from codebook.models import AlignmentSession, Disagreement, Label, LabelCategory
from codebook.standing import Standing, standing
from hitl.jobs import progress

CATEGORIES: Final = 5
Item = tuple[int, int]


def run(job_id: int, session_id: int) -> None:
    """The worker's part. What was before is measured once, what came after again and again."""
    session = AlignmentSession.objects.select_related("codebook").get(pk=session_id)
    stands = standing(session.codebook_id)
    categories = _talked_about(session, stands)
    if session.before is None:
        session.before = _figures(stands, categories, session.since, session.until)
    progress.advance(job_id, 1, 2)
    if session.closed_at:
        session.after = _figures(stands, categories, session.closed_at, timezone.now())
    AlignmentSession.objects.filter(pk=session.pk).update(before=session.before, after=session.after)
    url = reverse("codebook_alignment", args=[session.codebook.slug, session.pk])
    progress.finish(job_id, {"sentence": "Measured.", "url": url, "link": "See the session"})


def _talked_about(session: AlignmentSession, stands: Standing) -> list[int]:
    """The categories that the agenda is most about."""
    disputes = take_apart(Disagreement.objects.filter(pk__in=session.agenda), stands)
    often = Counter(category for one in disputes for category in one.categories)
    return [category for category, _ in often.most_common(CATEGORIES)]


def _figures(stands: Standing, categories: list[int], since: datetime, until: datetime) -> dict[str, Any]:
    """Cohen's kappa of the verdict and of each category, over the cases that two or more decided in the period."""
    said = _said(stands, since, until)
    versions = sorted({stands.numbers[one.version_id] for every in said.values() for one in every})
    titles = {category.pk: category.title for category in stands.newest.categories}
    figures = [_figure("Verdict", "", list(_verdicts(said)))]
    for category in categories:
        key = next(iter(stands.newest.keys(frozenset([category]))))
        figures.append(_figure(f"“{titles[category]}”", key, list(_presences(said, stands, category))))
    return {
        "since": since.isoformat(), "until": until.isoformat(), "versions": versions, "cases": len(said),
        "figures": figures,
    }  # fmt: skip


def _figure(of: str, key: str, ratings: list[Rating]) -> dict[str, Any]:
    figure: Figure = measure(ratings).cohen_kappa
    return {
        "of": of, "key": key, "value": figure.value, "low": figure.low, "high": figure.high, "n": figure.n_items,
        "reason": figure.reason,
    }  # fmt: skip


def _said(stands: Standing, since: datetime, until: datetime) -> dict[Item, list[Said]]:
    labels = list(
        Label.objects.filter(
            version__codebook=stands.newest.codebook_id, created_at__gte=since, created_at__lt=until,
            rater=Label.Rater.PERSON, undone_at=None, is_amendment=False, batch__purpose__in=INDEPENDENT,
        ).values_list("pk", "case_id", "round", "version_id", "verdict", "user_id")
    )  # fmt: skip
    by_item: dict[Item, list[tuple[int, int, str, int | None]]] = defaultdict(list)
    for pk, case, round, version, verdict, user in labels:
        by_item[case, round].append((pk, version, verdict, user))
    shared = {item: rows for item, rows in by_item.items() if len(rows) > 1}
    given: dict[int, set[int]] = defaultdict(set)
    wanted = [row[0] for rows in shared.values() for row in rows]
    for label, category in LabelCategory.objects.filter(label__in=wanted).values_list("label_id", "category_id"):
        given[label].add(category)
    return {
        item: [Said(pk, version, verdict, frozenset(given[pk]), user) for pk, version, verdict, user in rows]
        for item, rows in shared.items()
    }


def _verdicts(said: dict[Item, list[Said]]) -> Iterator[Rating]:
    return ((item, one.user_id, one.verdict) for item, every in said.items() for one in every)


def _presences(said: dict[Item, list[Said]], stands: Standing, category: int) -> Iterator[Rating]:
    """Whether each gave the category; only under versions whose labels say so."""
    for item, every in said.items():
        for one in every:
            if one.version_id in stands.judged_under[category]:
                meant = {stands.counts_as.get(given) for given in one.categories}
                yield item, one.user_id, category in meant
