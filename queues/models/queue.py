from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from hitl.models import Tenant, User
from queues.risk import Risk


class Calendar(models.Model):
    """Working hours and holidays that business time is counted in."""

    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    hours = models.JSONField(default=dict, help_text='{"mon": [["09:00", "17:00"]], …}; a shift may end past midnight.')
    country = models.CharField(max_length=2, blank=True)
    subdivision = models.CharField(max_length=10, blank=True)
    extra_holidays = ArrayField(models.DateField(), default=list, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Queue(models.Model):
    """Where cases of one kind wait."""

    class Sla(models.TextChoices):
        NONE = "none", "No deadline of its own"
        MINUTES = "minutes", "Minutes, day and night"
        BUSINESS_MINUTES = "business_minutes", "Minutes of working time"
        BUSINESS_DAYS = "business_days", "Working days"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)

    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, blank=True)
    sla = models.CharField(max_length=20, choices=Sla, default=Sla.NONE)
    sla_amount = models.PositiveIntegerField(default=0)
    lease_minutes = models.PositiveSmallIntegerField(default=10)
    undo_seconds = models.PositiveIntegerField(default=300)
    shows_judge = models.BooleanField(default=False)
    second_share = models.DecimalField(max_digits=4, decimal_places=3, default=0.1)
    raters = models.PositiveSmallIntegerField(
        default=2, help_text="How many people decide a case that is decided by more than one."
    )
    judge_first = models.CharField(
        max_length=120, blank=True, help_text="The judge whose sure verdicts need no person. Empty: people decide all."
    )
    judge_sure = models.FloatField(default=0.9, help_text="How sure the judge must be, 0 to 1.")
    judge_audit_share = models.DecimalField(max_digits=4, decimal_places=3, default=0.05)
    hand_up_to = models.CharField(
        max_length=80, blank=True, help_text="The authority that a case without one goes up to."
    )
    notify_emails = ArrayField(models.EmailField(), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        permissions = [
            ("review_queue", "Decide the queue's cases"),
            ("lead_queue", "Run the queue"),
            ("approve_queue", "Sign the queue's actions"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(sla="none") | Q(sla_amount__gt=0), name="queue_sla_has_an_amount"),
            models.CheckConstraint(
                condition=~Q(sla__startswith="business") | Q(calendar__isnull=False),
                name="queue_business_sla_has_calendar",
            ),
            models.CheckConstraint(
                condition=Q(second_share__gte=0, second_share__lte=1), name="queue_share_is_a_share"
            ),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="queue_lease_is_positive"),
            models.CheckConstraint(condition=Q(raters__gte=2, raters__lte=5), name="queue_has_a_few_raters"),
            models.CheckConstraint(
                condition=Q(judge_sure__gt=0, judge_sure__lte=1, judge_audit_share__gt=0, judge_audit_share__lte=1),
                name="queue_judge_is_sure_and_audited",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class QueueUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)


class QueueGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Queue, on_delete=models.CASCADE)


class RoutingRule(models.Model):
    """Sends a case to a queue. The most specific rule that matches wins; ties go by position. Empty means any."""

    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="rules")
    name = models.CharField(max_length=120)
    position = models.PositiveIntegerField(default=100)
    is_active = models.BooleanField(default=True)
    domains = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    topics = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    languages = ArrayField(models.CharField(max_length=35), default=list, blank=True)
    tenants: ClassVar[models.ManyToManyField] = models.ManyToManyField(Tenant, blank=True)
    triggers = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    min_risk = models.PositiveSmallIntegerField(choices=Risk, null=True, blank=True)
    max_risk = models.PositiveSmallIntegerField(choices=Risk, null=True, blank=True)
    due_within_minutes = models.PositiveIntegerField(null=True, blank=True)
    authority = models.CharField(max_length=80, blank=True, help_text="What a person must hold to decide these cases.")

    class Meta:
        default_permissions = ()
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(min_risk__isnull=True) | Q(max_risk__isnull=True) | Q(min_risk__lte=models.F("max_risk")),
                name="rule_risks_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Lane(models.Model):
    """A queue's part of one stream, tenant, language and authority: what keeps people out by rule is a column here."""

    class Stream(models.TextChoices):
        ESCALATION = "escalation", "Escalations"
        RANDOM = "random", "Random sample"
        SAMPLED = "sampled", "Chosen sample"
        QUALITY = "quality", "Quality checks"
        APPROVAL = "approval", "Approvals"

    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="lanes")
    stream = models.CharField(max_length=12, choices=Stream)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)
    language = models.CharField(max_length=35, blank=True)
    authority = models.CharField(max_length=80, blank=True)
    weight = models.PositiveSmallIntegerField(default=10)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["queue", "stream", "tenant", "language", "authority"], name="lane_once"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="lane_is_served"),
        ]

    def __str__(self) -> str:
        return (
            f"{self.queue} / {self.stream} / {self.tenant} / {self.language or 'any language'} {self.authority}".strip()
        )


class LaneTaker(models.Model):
    """Who may take the slots of which lane: a view, the one place that says so (migration 0002)."""

    pk = models.CompositePrimaryKey("lane_id", "user_id")
    lane = models.ForeignKey(Lane, on_delete=models.DO_NOTHING, related_name="takers")
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")

    class Meta:
        managed = False
        db_table = "queues_lanetaker"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} may take {self.lane_id}"


class LaneRollup(models.Model):
    """Counts of a lane as of `at`, so that no page counts a million slots and no decision updates a counter."""

    lane = models.OneToOneField(Lane, on_delete=models.CASCADE, primary_key=True, related_name="rollup")
    waiting = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    deferred = models.PositiveIntegerField(default=0)
    overdue = models.PositiveIntegerField(default=0)
    due_soon = models.PositiveIntegerField(default=0)
    oldest_at = models.DateTimeField(null=True)
    next_due_at = models.DateTimeField(null=True)
    untakeable = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.lane_id}: {self.waiting}"
