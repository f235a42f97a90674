from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from hitl.models import Tenant
from queues.models.case import Case
from queues.models.queue import Queue


class JudgeVerdict(models.Model):
    """What an automatic judge said of an answer, as a signal: a prior, never a label of a person's.

    It came with the case, or on its own; one whose case has not come yet waits for it, by case id or trace id.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="judge_verdicts")
    external_case_id = models.CharField(max_length=200, blank=True)
    trace_id = models.CharField(max_length=200, blank=True)
    judge = models.CharField(max_length=120)
    judge_version = models.CharField(max_length=120, blank=True)
    prompt = models.CharField(max_length=120, blank=True)
    verdict = models.CharField(max_length=10, blank=True, help_text="accept or reject; empty where only a score came.")
    score = models.FloatField(null=True)
    confidence = models.FloatField(null=True, help_text="How sure it says it is, 0 to 1.")
    categories = ArrayField(models.CharField(max_length=60), default=list, help_text="Keys of the codebook.")
    position = models.CharField(max_length=20, blank=True, help_text="Where the answer stood among those compared.")
    given_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["case", "judge", "judge_version", "prompt", "position"], name="judge_speaks_once_of_a_case"
            ),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0, confidence__lte=1),
                name="judge_confidence_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(case__isnull=False) | ~Q(external_case_id="") | ~Q(trace_id=""),
                name="judge_speaks_of_a_case",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "external_case_id"], condition=Q(case__isnull=True), name="judge_waits_for_case"
            ),
            models.Index(fields=["tenant", "trace_id"], condition=Q(case__isnull=True), name="judge_waits_for_trace"),
            models.Index(fields=["judge", "judge_version", "prompt", "given_at"], name="judge_by_time"),
            models.Index(fields=["tenant", "trace_id"], condition=~Q(trace_id=""), name="judge_of_trace"),
        ]

    def __str__(self) -> str:
        return f"{self.judge}: {self.verdict or self.score}"


class JudgeKept(models.Model):
    """A case that nobody is asked about, because its queue trusts the sure word of this judge."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="judge_kept")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+", db_index=False)
    verdict = models.ForeignKey(JudgeVerdict, on_delete=models.PROTECT, related_name="+", db_index=False)
    because = models.CharField(max_length=300)
    kept_at = models.DateTimeField()
    labelled_at = models.DateTimeField(null=True, help_text="When the judge's label was written and the producer told.")

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["queue", "kept_at"], name="judge_kept_by_queue"),
            models.Index(fields=["case"], condition=Q(labelled_at__isnull=True), name="judge_kept_to_label"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} kept by {self.verdict_id}"
