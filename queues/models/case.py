from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from hitl.models import Tenant
from queues.models.queue import Queue
from queues.risk import Risk


class Case(models.Model):
    """A unit of work and all it shows, copied in, so that the trace it came from may expire."""

    class Origin(models.TextChoices):
        ESCALATION = "escalation", "Escalation"
        SAMPLING = "sampling", "Sampling"
        ACTION = "action", "Action"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DECIDED = "decided", "Decided"
        MACHINE = "machine", "Labelled by a judge"
        DROPPED = "dropped", "Dropped unseen"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False)
    external_id = models.CharField(max_length=200)
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.ESCALATION)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)

    domain = models.CharField(max_length=80)
    language = models.CharField(max_length=35, blank=True)
    language_detected = models.BooleanField(default=False)
    risk = models.PositiveSmallIntegerField(choices=Risk)
    topic = models.CharField(max_length=120, blank=True)

    question = models.TextField(blank=True)
    draft = models.TextField()
    conversation = models.JSONField(default=list)
    evidence = models.JSONField(default=list)
    tool_results = models.JSONField(default=list)
    policy = models.TextField(blank=True)
    reason = models.TextField(blank=True)

    assessment = models.JSONField(default=dict)
    confidence = models.FloatField(null=True)
    triggers = ArrayField(models.CharField(max_length=30), default=list)

    trace_id = models.CharField(max_length=200, blank=True)
    user_key = models.CharField(max_length=80, blank=True)
    model = models.CharField(max_length=120, blank=True)
    prompt_version = models.CharField(max_length=120, blank=True)
    release = models.CharField(max_length=120, blank=True)
    callback_url = models.CharField(max_length=500, blank=True)

    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, null=True)
    authority = models.CharField(max_length=80, blank=True)
    routing = models.JSONField(default=dict)

    received_at = models.DateTimeField()
    producer_deadline = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    due_because = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="case_id_once_per_tenant"),
            models.CheckConstraint(condition=Q(risk__gte=1, risk__lte=4), name="case_risk_is_known"),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="case_by_tenant"),
            models.Index(
                fields=["tenant", "id"], condition=Q(queue__isnull=True, state="waiting"), name="case_unrouted"
            ),
            GinIndex(fields=["triggers"], name="case_triggers"),
            models.Index(fields=["tenant", "trace_id"], condition=~Q(trace_id=""), name="case_by_trace"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Outcome(models.Model):
    """What became of a case, told to the producer when `release_at` has passed: until then it may be undone."""

    class Verdict(models.TextChoices):
        ACCEPT = "accept", "Accepted"
        EDIT = "edit", "Edited"
        REJECT = "reject", "Rejected"

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True)
    revision = models.PositiveSmallIntegerField(default=1)
    verdict = models.CharField(max_length=10, choices=Verdict)
    final_answer = models.TextField(blank=True)
    categories = models.JSONField(default=list)
    codebook = models.CharField(max_length=80)
    codebook_version = models.PositiveIntegerField()
    judge = models.CharField(
        max_length=250, blank=True, db_default="", help_text="The judge whose word it is; empty: a person's."
    )
    decided_at = models.DateTimeField()
    release_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["decided_at"], name="outcome_by_time")]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.verdict}"


class Receipt(models.Model):
    """That a row was taken in: the same row again is a duplicate, the same id with other content a conflict."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=12)
    external_id = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)
    object_id = models.BigIntegerField(null=True)
    object_uuid = models.UUIDField(null=True, help_text="Of a trace or a signal, whose ids are made of their time.")
    received_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind", "external_id"], name="receipt_once"),
        ]
        indexes = [
            models.Index(fields=["object_uuid"], condition=Q(object_uuid__isnull=False), name="receipt_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"
