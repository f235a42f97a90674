import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from hitl.models import Tenant, User


class Signal(models.Model):
    """A piece of a user's feedback on a trace: a prior with a signed weight, never a label. Partitioned like traces.

    What judges say is stored as `JudgeVerdict`. `trace_id` is empty while the trace has not come yet.
    """

    class Type(models.TextChoices):
        USER_RATING = "user_rating", "Rating"
        USER_REASON = "user_reason", "What went wrong"
        USER_EDIT = "user_edit", "Edit"
        ACCEPT = "implicit_accept", "Used as it is"
        REGENERATE = "implicit_regenerate", "Asked for another answer"
        FOLLOWUP = "implicit_followup", "Asked again"
        ABANDON = "implicit_abandon", "Left without using it"
        COPY = "implicit_copy", "Copied"
        COPY_EDIT = "implicit_copy_edit", "Copied and changed"
        DWELL = "implicit_dwell", "Time spent on it"

    class Reason(models.TextChoices):
        HALLUCINATION = "hallucination", "Made up"
        REFUSED = "refused", "Refused"
        TOO_LONG = "too_long", "Too long"
        MISSED_THE_POINT = "missed_the_point", "Missed the point"
        FORMATTING = "formatting", "Formatting"
        OTHER = "other", "Something else"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    external_id = models.CharField(max_length=200, blank=True)
    type = models.CharField(max_length=20, choices=Type)
    trace_ref = models.CharField(max_length=200, help_text="The trace's id as the producer names it.")
    trace_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField()

    value = models.FloatField(null=True, help_text="A rating of 1 to 5, seconds of dwelling, or the edited share.")
    reason = models.CharField(max_length=20, blank=True, choices=Reason)
    text = models.TextField(blank=True, help_text="The edited text, the next question, or the user's own words.")
    difference = models.JSONField(null=True, help_text="Of an edit: what it changed in the output.")
    user_key = models.CharField(max_length=80, blank=True)
    weight = models.FloatField(default=0, help_text="What it counted for when it came; negative: something is wrong.")
    source = models.CharField(max_length=20, blank=True)

    may_evaluate = models.BooleanField(default=False)
    may_retrieve = models.BooleanField(default=False)
    may_train = models.BooleanField(default=False)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["trace_id"], condition=Q(trace_id__isnull=False), name="signal_of_trace"),
            models.Index(fields=["tenant", "trace_ref"], condition=Q(trace_id__isnull=True), name="signal_waits"),
            models.Index(fields=["received_at"], condition=Q(trace_id__isnull=True), name="signal_waits_since"),
            models.Index(fields=["tenant", "user_key"], condition=~Q(user_key=""), name="signal_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.type} on {self.trace_ref}"


class SignalWeights(models.Model):
    """What each type of signal counts for in a tenant, from -1 (something is wrong) to 1. Revisions never change."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    revision = models.PositiveIntegerField()
    weights = models.JSONField(help_text="By type; a type that is missing keeps the default.")
    measured = models.JSONField(default=dict, help_text="The figures that it was proposed by, if it was.")
    because = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "revision"], name="signal_weights_revision_once")]

    def __str__(self) -> str:
        return f"revision {self.revision}"


class TopicDwell(models.Model):
    """How long users look at answers of a topic: the median, in seconds, that a dwell signal is held against."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    topic = models.CharField(max_length=120, blank=True)
    median = models.FloatField()
    count = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "topic"], name="topic_dwell_once")]

    def __str__(self) -> str:
        return f"{self.topic}: {self.median:g} s"


class ConsentWithdrawal(models.Model):
    """A user took back what they had allowed: nothing of theirs goes into a dataset from then on."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    user_key = models.CharField(max_length=80)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    source = models.CharField(max_length=120, blank=True)
    signals = models.PositiveIntegerField(default=0, help_text="How many of their signals lost their consent.")

    class Meta:
        default_permissions = ()
        indexes = [models.Index("tenant", "user_key", F("at").desc(), name="withdrawal_by_user")]

    def __str__(self) -> str:
        return self.user_key


class Complaint(models.Model):
    """Feedback from a ticket or a chat that has no trace id; a person links it to a trace or dismisses it."""

    class State(models.TextChoices):
        OPEN = "open", "To be linked"
        LINKED = "linked", "Linked"
        DISMISSED = "dismissed", "Dismissed"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    external_id = models.CharField(max_length=200, blank=True)
    channel = models.CharField(max_length=40, blank=True)
    text = models.TextField()
    user_key = models.CharField(max_length=80, blank=True)
    about = models.DateTimeField(null=True, help_text="About when the interaction was, if it was said.")
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    trace_ref = models.CharField(max_length=200, blank=True)
    trace_id = models.UUIDField(null=True)
    because = models.CharField(max_length=500, blank=True)
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    settled_at = models.DateTimeField(null=True)
    tags = ArrayField(models.CharField(max_length=60), default=list)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", settled_at__isnull=True)
                | Q(state="dismissed", settled_at__isnull=False)
                | (Q(state="linked", settled_at__isnull=False) & ~Q(trace_ref="")),
                name="complaint_is_settled_or_open",
            ),
        ]
        indexes = [
            models.Index("tenant", F("at").desc(), condition=Q(state="open"), name="complaint_open"),
            models.Index("tenant", F("at").desc(), name="complaint_by_time"),
        ]

    def __str__(self) -> str:
        return self.external_id or f"complaint {self.pk}"
