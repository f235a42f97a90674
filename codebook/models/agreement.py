from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from codebook.models.codebook import Codebook
from codebook.models.label import Label
from hitl.models import User
from queues.models import Case, Queue


class AgreementReport(models.Model):
    """Agreement as it was measured once, over all labels up to `newest_label`: shown until new labels come."""

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="agreement_reports")
    newest_label = models.BigIntegerField()
    versions = ArrayField(models.PositiveIntegerField(), help_text="The numbers of the versions in it.")
    result = models.JSONField()
    computed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["codebook", "-id"], name="agreement_latest")]

    def __str__(self) -> str:
        return f"agreement of {self.codebook} at {self.computed_at}"


class Disagreement(models.Model):
    """A case that two or more people decided differently in one round. Settled by the owner's word."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="disagreements")
    round = models.PositiveSmallIntegerField()
    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="disagreements")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["case", "round"], name="disagreement_once_per_round")]
        indexes = [
            models.Index(
                fields=["codebook", "opened_at"], condition=Q(settled_at__isnull=True), name="disagreement_open"
            ),
            models.Index(fields=["codebook", "-opened_at"], name="disagreement_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.round}"


class Adjudication(models.Model):
    """The owner's last word on a case: the final label. What the others said stays as it was."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="adjudications")
    round = models.PositiveSmallIntegerField(help_text="The round that it settles; its own label is of a later one.")
    label = models.OneToOneField(Label, on_delete=models.PROTECT, related_name="adjudication")
    sided_with = models.ForeignKey(Label, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.TextField(blank=True, help_text="For those who decided it.")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["case", "round"], name="adjudication_once_per_round")]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.round}: {self.label.verdict}"


class SpotCheck(models.Model):
    """A decision of the day before that the owner looks at, chosen by chance for each reviewer."""

    label = models.OneToOneField(Label, on_delete=models.PROTECT, related_name="spot_check")
    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="spot_checks")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    checked_at = models.DateTimeField(null=True)
    agrees = models.BooleanField(null=True)
    adjudication = models.ForeignKey(Adjudication, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(checked_at__isnull=True, agrees__isnull=True)
                | Q(checked_at__isnull=False, agrees__isnull=False),
                name="spot_check_checked_has_a_word",
            ),
        ]
        indexes = [
            models.Index(fields=["codebook", "day"], condition=Q(checked_at__isnull=True), name="spot_check_open")
        ]

    def __str__(self) -> str:
        return f"spot check of {self.label_id}"


class AlignmentSession(models.Model):
    """The disagreements of a period as a shared agenda, with agreement before and after."""

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="alignments")
    since = models.DateTimeField()
    until = models.DateTimeField()
    agenda = ArrayField(models.BigIntegerField(), help_text="Disagreements, in the order to talk about them.")
    note = models.TextField(blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(since__lt=models.F("until")), name="alignment_has_a_period")]

    def __str__(self) -> str:
        return f"{self.codebook}, {self.opened_at:%Y-%m-%d}"
