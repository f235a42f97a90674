"""A case that several people decide, one after the other, each on a seat of their own."""

from codebook.models import Disagreement, Label
from queues import claims
from queues.models import Slot
from reviews import deciding
from reviews.given import Given
from tests.factories.codebook import published
from tests.factories.hitl import grant
from tests.factories.queues import CaseFactory, LaneFactory, QueueFactory, SlotFactory, reviewer_of

NAMES = ("Fiona First", "Sven Second", "Tara Third", "Finn Fourth", "Fay Fifth")


class Seats:
    """A queue where every case is decided by more than one, with its people."""

    def __init__(self, raters=2):
        self.lane = LaneFactory(queue=QueueFactory(second_share=1, raters=raters))
        self.version = published(self.lane.queue)
        self.codebook = self.version.codebook
        self.owner = self.codebook.owner
        self.people = [reviewer_of(self.lane, name=name) for name in NAMES[:raters]]
        self.another()

    def another(self, **case):
        """Another case, which the decisions that follow are about."""
        self.case = CaseFactory(tenant=self.lane.tenant, queue=self.lane.queue, language="en", **case)
        SlotFactory(lane=self.lane, case=self.case)
        return self.case

    def disagree(self, **case):
        """Two decided another case differently: the disagreement."""
        self.another(**case)
        self.decide(1, "reject", "tone")
        self.decide(2, "edit", "hallucination")
        return Disagreement.objects.get(case=self.case)

    def owner_works_here(self):
        """The owner may see the cases; deciding them is for others."""
        grant(self.owner, "lead_queue", self.lane.queue)
        return grant(self.owner, "work_in_tenant", self.lane.tenant)

    def decide(self, seat, verdict="accept", *keys, version=None):
        user = self.people[seat - 1]
        slot = self.case.slots.get(round=1, seat=seat)
        Slot.objects.filter(pk=slot.pk).update(reserved_for=user)
        claim = next(claim for claim in claims.hold(user=user) if claim.slot_id == slot.pk)
        version = version or self.version
        given = Given(
            verdict=Label.Verdict(verdict), version_id=version.pk, final_answer="Another answer.",
            category_ids=frozenset(version.categories.get(key=key).pk for key in keys),
        )  # fmt: skip
        deciding.decide(user=user, slot_id=slot.pk, token=claim.token, given=given, painted=None)
        return slot
