from django.utils import timezone

from queues import claims
from queues.models import Lane
from reviews import coding, deciding
from reviews.figures import failures
from reviews.given import Found, Given
from reviews.models import CaseRead, Finding
from tests.factories.codebook import published
from tests.factories.hitl import TenantFactory, grant
from tests.factories.queues import LaneFactory, QueueFactory, SlotFactory, reviewer_of

NOW = timezone.now()


class Reading:
    """A codebook whose owner works in the queue as a lead, and a reviewer who decides what they are to read."""

    def __init__(self):
        self.queue, self.tenant = QueueFactory(), TenantFactory()
        self.version = published(self.queue)
        self.codebook = self.version.codebook
        self.owner = grant(self.codebook.owner, "lead_queue", self.queue)
        grant(self.owner, "work_in_tenant", self.tenant)
        self.sampled = LaneFactory(queue=self.queue, tenant=self.tenant, stream=Lane.Stream.RANDOM)
        self.escalated = LaneFactory(queue=self.queue, tenant=self.tenant)
        self.reviewer = reviewer_of(self.sampled)

    def decided(self, verdict="reject", *, lane=None, named="", reviewer=None):
        reviewer = reviewer or self.reviewer
        slot = SlotFactory(lane=lane or self.escalated, reserved_for=reviewer)
        claim = next(one for one in claims.hold(user=reviewer, wanted=9) if one.slot_id == slot.pk)
        found = (Found(Finding.Kind.NEW_FAILURE_MODE, named),) if named else ()
        given = Given(
            verdict=verdict,
            version_id=self.version.pk,
            findings=found,
            final_answer="Another answer." if verdict == "edit" else "",
        )
        deciding.decide(user=reviewer, slot_id=slot.pk, token=claim.token, given=given, painted=None)
        return slot.case

    def note(self, text, case=None):
        case = case or self.decided()
        return coding.write_code(codebook=self.codebook, case=case, text=text, by=self.owner, now=NOW)

    def group(self, title, *codes):
        return coding.group(
            codebook=self.codebook, codes=[code.pk for code in codes], title=title, by=self.owner, now=NOW
        )

    def groups(self):
        read = CaseRead.objects.filter(in_random_sample=True).count()
        return {one.mode.title: one for one in failures.groups(self.codebook, read)}
