"""Measures what labels say of a tenant's traffic, for all periods in one pass. In the worker: it may take minutes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.urls import reverse
from django.utils import timezone

from codebook import standing
from codebook.judges.measuring import human_fails
from codebook.models import Codebook, Version
from codebook.standing import Standing
from codebook.versions import NoCodebook
from hitl.jobs import progress as jobs
from hitl.models import Tenant
from queues.models import SamplingRun
from queues.sampling import dropping
from reviews.traffic import reports, sampled, waiting
from reviews.traffic.gathering import Gathered, Json, figures
from reviews.traffic.periods import Period, periods

# How many rows are read between two words of progress.
AT_A_TIME: Final = 20_000


def run(job_id: int, tenant_id: int) -> None:
    """The worker's part: measures, and keeps the reports."""
    tenant = Tenant.objects.get(pk=tenant_id)
    now = timezone.now()
    found = measure(tenant, now=now, job_id=job_id)
    reports.keep(tenant=tenant, found=found, now=now)
    drawn = max((result["drawn"] for _, result in found), default=0)
    said = f"{drawn:,} sampled cases were looked through." if drawn else "Nothing was sampled in this time."
    url = reverse("estimates", args=[tenant.slug])
    jobs.finish(job_id, {"sentence": said, "url": url, "link": "See the estimates"})


def measure(tenant: Tenant, *, now: datetime, job_id: int | None = None) -> list[tuple[Period, Json]]:
    """Each period with its figures."""
    newest = reports.newest(tenant)
    spans = list(periods(now))
    since = min(one.since for one in spans)
    found = {one.key: Gathered() for one in spans}
    words = _Words()
    for number, row in enumerate(sampled.rows(tenant, since)):
        for one in spans:
            if one.holds(row.at):
                found[one.key].add(row, words.fails)
        if job_id is not None and number % AT_A_TIME == 0:
            jobs.advance(job_id, number)
    for traffic in sampled.traffic(tenant, since):
        for one in spans:
            if one.since.date() <= traffic.day < one.until.date():
                found[one.key].came_in(traffic)
    for day, kind, count in sampled.signals(tenant, since):
        for one in spans:
            if one.since.date() <= day < one.until.date():
                found[one.key].came[kind] += count
    waits = waiting.all_waiting(tenant, now)
    ran = list(SamplingRun.objects.filter(tenant=tenant, at__gte=since).values_list("at", "counts"))
    told = []
    for one in spans:
        sums = found[one.key]
        counts = _runs([kept for at, kept in ran if one.holds(at)])
        about: Json = {"newest": newest, "waiting": waits, "versions": words.of(sums.versions)}
        about["limitations"] = [lost.sentence for lost in dropping.limitations(tenant, one.since, one.until)]
        told.append((one, {**figures(sums, counts), **about}))
    return told


class _Words:
    """What labels mean today, by the version they were given under."""

    def __init__(self) -> None:
        self._of_version: dict[int, Standing | None] = {}

    def fails(self, verdict: str, version_id: int, given: Sequence[int]) -> bool | None:
        if version_id not in self._of_version:
            self._learn(version_id)
        stands = self._of_version[version_id]
        return human_fails(verdict, given, stands) if stands and version_id in stands.numbers else None

    def of(self, versions: set[int]) -> list[str]:
        """`Support answers: versions 2 and 3`, for each codebook that is in it."""
        by_book: dict[int, Standing] = {
            stands.newest.codebook_id: stands for pk in versions if (stands := self._of_version.get(pk))
        }
        titles = Codebook.objects.in_bulk(list(by_book))
        return sorted(f"{titles[pk].title}: {standing.words(stands)}" for pk, stands in by_book.items())

    def _learn(self, version_id: int) -> None:
        codebook_id = Version.objects.values_list("codebook", flat=True).get(pk=version_id)
        try:
            stands = standing.standing(codebook_id)
        except NoCodebook:
            self._of_version[version_id] = None
            return
        self._of_version |= dict.fromkeys({version_id, *stands.numbers}, stands)


def _runs(kept: Sequence[Json]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in kept:
        for policy, numbers in one.items():
            for name in ("wanted", "picked"):
                counts[policy][name] += numbers.get(name, 0)
    return counts
