from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from hitl.models import User
from queues.models.case import Case
from queues.models.queue import Lane


class Slot(models.Model):
    """One decision wanted on a case: the queue entry, with the lease of whoever holds it."""

    class Purpose(models.TextChoices):
        FIRST = "first", "First decision"
        SECOND = "second", "Second decision"
        RELABEL = "relabel", "Relabel"
        DRIFT = "drift", "Reviewer drift"
        JUDGE_AUDIT = "judge_audit", "Judge audit"
        ADJUDICATION = "adjudication", "Adjudication"
        APPROVAL = "approval", "Approval"

    class State(models.TextChoices):
        OPEN = "open", "Waiting"
        HELD = "held", "With a reviewer"
        DEFERRED = "deferred", "Deferred"
        DECIDED = "decided", "Decided"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="slots", db_index=False)
    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="slots")
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.FIRST)
    round = models.PositiveSmallIntegerField(default=1)
    seat = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    priority = models.PositiveSmallIntegerField(default=50)
    due_at = models.DateTimeField(null=True)
    overdue = models.BooleanField(default=False)
    barred = ArrayField(models.BigIntegerField(), default=list)
    created_at = models.DateTimeField()

    reserved_for = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    deferred_until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was deferred, passed on or handed up.")

    # The lease. In no index and no predicate, so that a heartbeat stays a HOT update; the state is.
    holder = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    lease_token = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["case", "round", "seat"], name="slot_seat_once"),
            models.UniqueConstraint(
                fields=["case", "round", "decided_by"], condition=Q(decided_by__isnull=False), name="slot_decider_once"
            ),
            models.CheckConstraint(
                condition=Q(state="held", holder__isnull=False, lease_until__isnull=False)
                | (~Q(state="held") & Q(holder__isnull=True, lease_until__isnull=True)),
                name="slot_held_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state="decided", decided_by__isnull=False, decided_at__isnull=False)
                | (~Q(state="decided") & Q(decided_by__isnull=True, decided_at__isnull=True)),
                name="slot_decided_has_a_decider",
            ),
            models.CheckConstraint(
                condition=Q(state="deferred", deferred_until__isnull=False)
                | (~Q(state="deferred") & Q(deferred_until__isnull=True)),
                name="slot_deferred_has_a_time",
            ),
        ]
        indexes = [
            models.Index(
                "lane",
                F("overdue").desc(),
                "priority",
                "due_at",
                "id",
                condition=Q(state="open", reserved_for__isnull=True),
                name="slot_head",
            ),
            models.Index(
                fields=["reserved_for"], condition=Q(state="open", reserved_for__isnull=False), name="slot_reserved"
            ),
            models.Index(fields=["lane", "holder"], condition=Q(state="held"), name="slot_held_in_lane"),
            models.Index(fields=["holder", "id"], condition=Q(state="held"), name="slot_held_by"),
            models.Index(fields=["deferred_until"], condition=Q(state="deferred"), name="slot_deferred"),
            models.Index(
                fields=["due_at"], condition=Q(state__in=["open", "held", "deferred"], overdue=False), name="slot_due"
            ),
            models.Index(
                fields=["decided_by", "-decided_at"], condition=Q(decided_by__isnull=False), name="slot_decided"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.round}/{self.seat}"


class Breach(models.Model):
    """A deadline that passed before the decision, recorded when it happened."""

    slot = models.OneToOneField(Slot, on_delete=models.PROTECT, primary_key=True)
    due_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.slot_id}: due {self.due_at}"
