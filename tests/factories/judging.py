"""Cases that a judge spoke of and that people decided, without walking through the screens."""

from datetime import timedelta

from django.utils import timezone

from codebook.judges import measuring as judge_measuring
from codebook.judges import reports as judges
from codebook.models import JudgeReport, Label, LabelBatch, LabelCategory
from tests.factories.codebook import published
from tests.factories.queues import CaseFactory, JudgeVerdictFactory, LaneFactory, SlotFactory, reviewer_of


class Bench:
    """A queue with its codebook and one reviewer."""

    def __init__(self, keys=("tone", "source"), lane=None, version=None):
        self.lane = lane or LaneFactory()
        self.version = version or published(self.lane.queue, keys=keys)
        self.codebook = self.version.codebook
        self.user = reviewer_of(self.lane)

    def case(self, **fields):
        return CaseFactory(tenant=self.lane.tenant, queue=self.lane.queue, **fields)

    def judged(self, case=None, verdict="accept", **fields):
        fields.setdefault("given_at", timezone.now() - timedelta(minutes=5))
        case = case or self.case()
        JudgeVerdictFactory(case=case, verdict=verdict, **fields)
        return case

    def decided(self, case, verdict="accept", *keys, purpose="first", at=None, version=None):
        at, version = at or timezone.now(), version or self.version
        slot = SlotFactory(
            lane=self.lane, case=case, purpose=purpose, state="decided", decided_by=self.user, decided_at=at,
            round=case.slots.count() + 1,
        )  # fmt: skip
        batch, _ = LabelBatch.objects.get_or_create(
            queue=self.lane.queue, version=version, origin="escalation", purpose=purpose, closed_at=None,
            defaults={"opened_at": at},
        )  # fmt: skip
        label = Label.objects.create(
            case=case, round=slot.round, slot=slot, batch=batch, version=version, user=self.user, verdict=verdict,
            created_at=at,
        )  # fmt: skip
        for category in version.categories.filter(key__in=keys):
            LabelCategory.objects.create(label=label, category=category, version_id=version.pk)
        return label

    def both(self, judge, human, /, *keys, times=1, **fields):
        """Cases that the judge and a person decided."""
        for _ in range(times):
            self.decided(self.judged(verdict=judge, **fields), human, *keys)

    def measure(self, now=None):
        """The reports, as the worker would keep them."""
        now = now or timezone.now()
        judges.keep(codebook=self.codebook, found=judge_measuring.measure(self.codebook, now=now), now=now)
        return list(JudgeReport.objects.filter(codebook=self.codebook).order_by("pk"))

    def result(self):
        (report,) = self.measure()
        return report.result
