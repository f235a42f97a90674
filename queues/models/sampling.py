from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from hitl.models import Tenant, User
from queues.models.case import Case
from queues.models.queue import Queue


class SamplingPlan(models.Model):
    """How a tenant spends its reviewers' day on traces. Revisions are never changed; the newest holds."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    revision = models.PositiveIntegerField()
    is_active = models.BooleanField(default=True)
    budget = models.PositiveIntegerField(default=80, help_text="Cases a day.")
    mix = models.JSONField(help_text="The share of each sampling policy; together 1.")
    per_user = models.PositiveSmallIntegerField(default=3, help_text="Most traces of one user by negative feedback.")
    judge = models.CharField(max_length=120, blank=True, help_text="Whose score says how unsure; empty: any.")
    threshold = models.FloatField(default=0.5)
    width = models.FloatField(default=0.15, help_text="How near to the threshold is unsure.")
    hour = models.PositiveSmallIntegerField(default=5, help_text="When the day's sample is drawn, in UTC.")
    look_back_days = models.PositiveSmallIntegerField(default=7)
    latency_days = models.PositiveSmallIntegerField(default=7, help_text="A sampled case older than that is dropped.")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    seed = models.BigIntegerField(default=0)
    because = models.CharField(max_length=500, blank=True)
    measured = models.JSONField(default=dict, help_text="The yields that the mix was proposed by, if it was.")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "revision"], name="sampling_plan_revision_once"),
            models.CheckConstraint(
                condition=Q(budget__lte=100_000, hour__lte=23, latency_days__gte=1, latency_days__lte=9),
                name="sampling_plan_in_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"revision {self.revision}"


class DriftReport(models.Model):
    """A slice of the traffic that the team's monitoring found changed: its next traces are looked at first."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    external_id = models.CharField(max_length=200, blank=True)
    detector = models.CharField(max_length=120, blank=True)
    topic = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=35, blank=True)
    model = models.CharField(max_length=120, blank=True)
    prompt_version = models.CharField(max_length=120, blank=True)
    release = models.CharField(max_length=120, blank=True)
    trace_refs = ArrayField(models.CharField(max_length=200), default=list, help_text="Of a cluster: its traces.")
    detail = models.TextField(blank=True)
    score = models.FloatField(null=True)
    wanted = models.PositiveIntegerField(default=20, help_text="How many traces of the slice to look at.")
    at = models.DateTimeField()
    until = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index("tenant", F("until").desc(), name="drift_report_by_end")]

    def __str__(self) -> str:
        return self.topic or self.external_id or f"drift report {self.pk}"


class SamplingRun(models.Model):
    """A sample that was drawn: reproducible from its plan, its window and its seed."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    plan = models.ForeignKey(SamplingPlan, on_delete=models.PROTECT, related_name="runs")
    day = models.DateField(null=True, help_text="Whose scheduled sample it is; empty: drawn by hand.")
    seed = models.BigIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    population = models.PositiveIntegerField()
    picked = models.PositiveIntegerField()
    counts = models.JSONField(help_text="By sampling policy: eligible, wanted, picked, short.")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "day"], condition=Q(day__isnull=False), name="sampling_run_once_a_day"
            )
        ]
        indexes = [models.Index("tenant", F("at").desc(), name="sampling_run_by_time")]

    def __str__(self) -> str:
        return f"{self.tenant_id} at {self.at:%Y-%m-%d %H:%M}"


class Sampled(models.Model):
    """How a case came out of the traffic: by which policies, with what chance. A trace is sampled once."""

    class Policy(models.TextChoices):
        DRIFT = "drift", "Drift"
        NEGATIVE = "negative", "Negative feedback"
        UNCERTAIN = "uncertain", "Uncertain"
        STRATIFIED = "stratified", "By topic"
        RANDOM = "random", "Random"
        BY_HAND = "by_hand", "Sent by a lead"

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="sampled")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    run = models.ForeignKey(SamplingRun, on_delete=models.PROTECT, null=True, related_name="cases")
    drift = models.ForeignKey(DriftReport, on_delete=models.PROTECT, null=True, related_name="cases")
    trace_id = models.UUIDField()
    trace_at = models.DateTimeField()
    policy = models.CharField(max_length=12, choices=Policy, help_text="The first, in order, that picked it.")
    policies = models.JSONField(help_text="Every policy that would have picked it, each with its probability.")
    probability = models.FloatField(null=True, help_text="That any of them picks it; empty: sent by hand.")
    topic = models.CharField(max_length=120, blank=True)
    release = models.CharField(max_length=120, blank=True)
    prompt_version = models.CharField(max_length=120, blank=True)
    user_key = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()
    dropped_at = models.DateTimeField(null=True)
    dropped_because = models.CharField(max_length=20, blank=True, choices=[("age", "Too old"), ("full", "Queue full")])

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "trace_id"], name="trace_sampled_once"),
            models.CheckConstraint(
                condition=Q(probability__isnull=True) | Q(probability__gt=0, probability__lte=1),
                name="sampled_with_a_chance",
            ),
            models.CheckConstraint(
                condition=Q(dropped_at__isnull=True) | ~Q(policy="random"), name="random_sample_is_never_dropped"
            ),
        ]
        indexes = [models.Index("tenant", F("at").desc(), name="sampled_by_time")]

    def __str__(self) -> str:
        return f"{self.case_id} by {self.policy}"
