from django.db import models
from django.db.models import Q

from codebook.models import Label
from hitl.models import User
from queues.models import Slot


class Review(models.Model):
    """What else a person left with a label: the edited text, the time it took, and what a retry is answered with."""

    label = models.OneToOneField(Label, on_delete=models.PROTECT, related_name="review")
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="reviews")
    lease_token = models.BigIntegerField()
    final_answer = models.TextField(blank=True)
    edit_ratio = models.FloatField(null=True, help_text="0: as drafted; 1: nothing of the draft is left.")
    seen_at = models.DateTimeField()
    handling_ms = models.PositiveIntegerField(help_text="From painting on the screen to the decision.")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # A retry after a lost reply carries the same token and gets the stored result.
            models.UniqueConstraint(fields=["slot", "lease_token"], name="review_once_per_lease"),
            models.CheckConstraint(
                condition=Q(edit_ratio__isnull=True) | Q(edit_ratio__gte=0, edit_ratio__lte=1),
                name="review_edit_is_a_ratio",
            ),
        ]

    def __str__(self) -> str:
        return f"review of {self.slot_id}"


class Finding(models.Model):
    """What a reviewer found wrong or missing, beside the categories."""

    class Kind(models.TextChoices):
        INCORRECT_EVIDENCE = "incorrect_evidence", "Incorrect evidence"
        MISSING_EVIDENCE = "missing_evidence", "Missing evidence"
        BETTER_QUERY = "better_query", "Better retrieval query"
        POLICY_REASON = "policy_reason", "Policy reason"
        NEW_FAILURE_MODE = "new_failure_mode", "New failure mode"
        NOTE = "note", "Note"

    class Indexed(models.TextChoices):
        UNKNOWN = "", "Not known"
        YES = "yes", "It was in the index"
        NO = "no", "It was not in the index"

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=20, choices=Kind)
    document_id = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    indexed = models.CharField(max_length=3, choices=Indexed, default=Indexed.UNKNOWN, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~Q(document_id="") | ~Q(text=""), name="finding_says_something"),
        ]
        indexes = [models.Index(fields=["kind", "-id"], name="finding_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text or self.document_id}"


class SavedDraft(models.Model):
    """What a reviewer has half written on a slot: there again after a crash, theirs alone after a lost claim."""

    slot = models.ForeignKey(Slot, on_delete=models.PROTECT)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    content = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["slot", "user"], name="saved_draft_once")]

    def __str__(self) -> str:
        return f"draft of {self.user} on {self.slot_id}"
