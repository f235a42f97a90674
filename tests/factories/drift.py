from datetime import UTC, datetime, time, timedelta

from django.utils import timezone

from codebook.drift import checks as drift
from codebook.models import DriftCheck, DriftReport
from queues import claims
from reviews import deciding
from reviews.given import Given
from tests.factories.codebook import published
from tests.factories.queues import LaneFactory, QueueFactory, SlotFactory, reviewer_of


def friday(weeks: int) -> datetime:
    """The end of a Friday some weeks ahead: by then all that a week's questions wait for has come."""
    later = timezone.now() + timedelta(weeks=weeks)
    return datetime.combine(later.date() + timedelta(days=4 - later.weekday()), time(23), UTC)


class Desk:
    """A reviewer who has decided some cases; that was long ago, once the clock of the test stands weeks ahead."""

    def __init__(self, cases=4):
        self.lane = LaneFactory(queue=QueueFactory(second_share=0))
        self.version = published(self.lane.queue)
        self.codebook = self.version.codebook
        self.reviewer = reviewer_of(self.lane)
        self.cases = [self.decided() for _ in range(cases)]

    def decided(self, verdict="accept", *keys):
        slot = SlotFactory(lane=self.lane, reserved_for=self.reviewer)
        self.answer(slot.pk, verdict, *keys)
        return slot.case

    def answer(self, slot_id, verdict="accept", *keys, by=None):
        user = by or self.reviewer
        claim = next(one for one in claims.hold(user=user, wanted=9) if one.slot_id == slot_id)
        given = Given(
            verdict=verdict,
            version_id=self.codebook.versions.filter(state="published").latest("number").pk,
            category_ids=frozenset(
                self.codebook.versions.filter(state="published")
                .latest("number")
                .categories.filter(key__in=keys)
                .values_list("pk", flat=True)
            ),
            final_answer="Another answer." if verdict == "edit" else "",
        )
        deciding.decide(user=user, slot_id=slot_id, token=claim.token, given=given, painted=None)

    def ask(self, weeks=8):
        """The check that was opened, or None."""
        known = set(DriftCheck.objects.values_list("pk", flat=True))
        drift.ask(codebook=self.codebook, now=friday(weeks))
        return DriftCheck.objects.exclude(pk__in=known).first()


def report_on(codebook, reviewer, *, pairs=12, same=9, kappa=0.5, alarm=False, **category):
    """A report as it is kept, of one category."""
    figure = {"value": kappa, "low": kappa - 0.2, "high": min(kappa + 0.2, 1), "n": pairs, "reason": ""}
    unknown = {"value": None, "low": None, "high": None, "n": 0, "reason": "no old case was decided again yet."}
    percent = {**figure, "value": same / pairs, "low": 0.5, "high": 0.9}
    tone = {"key": "tone", "title": "Tone", "given_then": 0, "given_now": 0, "alarm": False, "kappa": unknown}
    return DriftReport.objects.create(
        codebook=codebook,
        reviewer=reviewer,
        versions=[1],
        alarmed=alarm,
        computed_at=timezone.now(),
        result={
            "pairs": pairs,
            "same": same,
            "newest_label": 1,
            "standing": "",
            "versions": [1],
            "versions_in_words": "version 1",
            "verdict": {"kappa": figure, "percent": percent, "alarm": alarm},
            "categories": [{**tone, "percent": unknown, **category}],
        },
    )
