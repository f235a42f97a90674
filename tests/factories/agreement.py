"""A report on agreement as it is kept, with the shape that measuring gives it: a test of measuring holds them alike."""

from django.utils import timezone

from codebook.agreement import measured
from codebook.models import AgreementReport
from codebook.standing import standing, words

FIGURE = {"value": 0.5, "low": 0.4, "high": 0.55, "n": 40}
PART = {"alpha": FIGURE, "percent": FIGURE}


def result_of(codebook, *, queues=(), raters=(), figure=FIGURE, confused=()):
    """`raters`: (person, queues) each; the first two are a pair in everything."""
    stands = standing(codebook.pk)
    figures = {"raters_pairs": 1, "percent": figure, "kappa": figure, "ac1": figure, "alpha": figure, "differ": 9}
    pair = [{"a": 0, "b": 1, "agreed": 30, "units": 40}] if len(raters) > 1 else []
    points = [{"until": "2026-10-01", "verdict": figure, "any": figure}]
    months = [{"month": "2026-10", "verdict": figure, "any": figure}]
    return {
        "labels": 80,
        "units": 40,
        "versions": [stands.newest.number],
        "versions_in_words": words(stands),
        "standing": measured.fingerprint(stands),
        "raters": [
            {"user": person.pk, "name": "", "queues": [queue.pk for queue in where], "labels": 40}
            for person, where in raters
        ],
        "verdict": figures | {"ordinal": figure},
        "any": figures,
        "queues": [{"id": one.pk, "name": one.name, "units": 40, "verdict": PART, "any": PART} for one in queues],
        "versions_apart": [{"number": stands.newest.number, "units": 40, "verdict": PART, "any": PART}],
        "pairs": [one | {"verdict": figure, "any": figure} for one in pair],
        "months": months,
        "rolling": points,
        "batches": {},
        "confusion": [],
        "categories": [
            {
                "id": category.pk, "key": category.key, "title": category.title, "versions": [stands.newest.number],
                "quarantined": [], "given": 12, "decided": 80, **figures,
                "months": [{"month": "2026-10", "alpha": figure}],
                "rolling": [{"until": "2026-10-01", "alpha": figure}],
                "pairs": [one | {"kappa": figure} for one in pair], "confused": list(confused),
            }
            for category in stands.newest.categories
        ],
        "disagreements": [],
    }  # fmt: skip


def reported(codebook, *, newest_label=None, at=None, **more):
    result = result_of(codebook, **more)
    newest = measured.newest_label(codebook.pk) if newest_label is None else newest_label
    return AgreementReport.objects.create(
        codebook=codebook,
        newest_label=newest,
        versions=result["versions"],
        result=result,
        computed_at=at or timezone.now(),
    )
