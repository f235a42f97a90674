from django.db import models
from django.db.models import Q

from codebook.models.codebook import Category, Version
from hitl.models import User
from queues.models import Case, Queue, Slot


class LabelBatch(models.Model):
    """What labels are stamped with: codebook version, queue, origin and purpose, over a stretch of time."""

    class Purpose(models.TextChoices):
        """That of its slots; labels that never had a slot came from elsewhere, or from a judge."""

        FIRST = "first", "First decision"
        SECOND = "second", "Second decision"
        RELABEL = "relabel", "Relabel"
        DRIFT = "drift", "Reviewer drift"
        JUDGE_AUDIT = "judge_audit", "Judge audit"
        ADJUDICATION = "adjudication", "Adjudication"
        APPROVAL = "approval", "Approval"
        IMPORTED = "imported", "Imported labels"
        JUDGE = "judge", "Judge labels"

    class Closed(models.TextChoices):
        PUBLISHING = "publishing", "A new version was published"
        HAND = "hand", "Closed by hand"
        AGE = "age", "Closed by age"

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="batches")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="batches")
    origin = models.CharField(max_length=12, choices=Case.Origin)
    purpose = models.CharField(max_length=12, choices=Purpose)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_because = models.CharField(max_length=12, choices=Closed, blank=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_because="")
                | (Q(closed_at__isnull=False) & ~Q(closed_because="")),
                name="batch_closed_has_a_reason",
            ),
            models.UniqueConstraint(
                fields=["queue", "version", "origin", "purpose"],
                condition=Q(closed_at__isnull=True),
                name="batch_one_open",
            ),
            models.UniqueConstraint(fields=["id", "version"], name="batch_with_version"),
        ]

    def __str__(self) -> str:
        return f"{self.queue} {self.version} {self.purpose}"


class Label(models.Model):
    """One rater's answer on one case: a verdict and a set of categories, maybe empty. Never changed, only followed.

    A person answers on a slot; a judge and an imported annotator have none. Labels of one round answer independently.
    """

    class Rater(models.TextChoices):
        PERSON = "person", "Person"
        JUDGE = "judge", "Judge"
        IMPORTED = "imported", "Imported"

    class Verdict(models.TextChoices):
        ACCEPT = "accept", "Accept"
        EDIT = "edit", "Edit"
        REJECT = "reject", "Reject"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="labels")
    round = models.PositiveSmallIntegerField(default=1)
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, null=True, related_name="labels")
    batch = models.ForeignKey(LabelBatch, on_delete=models.PROTECT, related_name="labels")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    rater = models.CharField(max_length=10, choices=Rater, default=Rater.PERSON)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    rater_name = models.CharField(max_length=120, blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict)
    created_at = models.DateTimeField()
    # Undone labels stay on record; a label that follows one names it.
    undone_at = models.DateTimeField(null=True)
    follows = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="followers")
    is_amendment = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["id", "version"], name="label_with_version"),
            models.UniqueConstraint(
                fields=["slot"],
                condition=Q(undone_at__isnull=True, is_amendment=False),
                name="label_one_standing_per_slot",
            ),
            models.CheckConstraint(
                condition=Q(rater="person", user__isnull=False, slot__isnull=False, rater_name="")
                | (Q(rater__in=["judge", "imported"], user__isnull=True, slot__isnull=True) & ~Q(rater_name="")),
                name="label_has_one_rater",
            ),
            models.UniqueConstraint(
                fields=["case", "version", "rater", "rater_name"],
                condition=Q(slot__isnull=True, undone_at__isnull=True),
                name="label_one_standing_per_rater_elsewhere",
            ),
        ]
        indexes = [models.Index(fields=["version", "-id"], name="label_latest_of_version")]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.verdict}"


class LabelCategory(models.Model):
    """A category that a label gives. The database refuses one of another version than the label's."""

    label = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="given")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="+")
    version_id = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["label", "category"], name="label_category_once"),
        ]

    def __str__(self) -> str:
        return f"{self.label_id}: {self.category_id}"


class FinalLabel(models.Model):
    """Which label is the answer on a case: a view, the one place that says so (migration 0006)."""

    case = models.OneToOneField(Case, on_delete=models.DO_NOTHING, primary_key=True, related_name="final_label")
    label = models.ForeignKey(Label, on_delete=models.DO_NOTHING, related_name="+")

    class Meta:
        managed = False
        db_table = "codebook_finallabel"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.case_id}: {self.label_id}"
