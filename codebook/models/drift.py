from django.contrib.postgres.fields import ArrayField
from django.db import models

from codebook.models.codebook import Codebook
from codebook.models.label import Label
from hitl.models import User
from queues.models import Slot


class DriftCheck(models.Model):
    """A case that a reviewer decided long ago and is asked again, without being told."""

    slot = models.OneToOneField(Slot, on_delete=models.PROTECT, primary_key=True, related_name="drift_check")
    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="drift_checks")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    earlier = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["codebook", "reviewer"], name="drift_by_reviewer")]

    def __str__(self) -> str:
        return f"{self.reviewer_id} on {self.earlier_id} again"


class DriftReport(models.Model):
    """How far a reviewer still decides as they did: measured once, shown until they decide another old case."""

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="drift_reports")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    versions = ArrayField(models.PositiveIntegerField())
    result = models.JSONField()
    alarmed = models.BooleanField(default=False)
    computed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["codebook", "reviewer", "-id"], name="drift_latest")]

    def __str__(self) -> str:
        return f"drift of {self.reviewer_id} at {self.computed_at}"


class JudgeReport(models.Model):
    """A judge against people, over a window: one row a judge, version and prompt each time it is measured."""

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="judge_reports")
    judge = models.CharField(max_length=120)
    judge_version = models.CharField(max_length=120, blank=True)
    prompt = models.CharField(max_length=120, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    versions = ArrayField(models.PositiveIntegerField())
    result = models.JSONField()
    alarmed = models.BooleanField(default=False)
    computed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["codebook", "judge", "judge_version", "prompt", "-id"], name="judge_report_latest")
        ]

    def __str__(self) -> str:
        return f"{self.judge} {self.judge_version} at {self.computed_at}"


class JudgeAudit(models.Model):
    """A case that a judge was sure of, decided by a person all the same, without being told."""

    slot = models.OneToOneField(Slot, on_delete=models.PROTECT, primary_key=True, related_name="judge_audit")
    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="judge_audits")
    label = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="+", help_text="The judge's.")
    stratum = models.CharField(max_length=120)
    quarter = models.CharField(max_length=7, help_text="As in 2026-Q4.")
    settled = models.ForeignKey(
        Label,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The person's answer that the producer was told of, or that says what the judge said.",
    )

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["codebook", "quarter"], name="judge_audit_by_quarter")]

    def __str__(self) -> str:
        return f"audit of {self.label_id}"
