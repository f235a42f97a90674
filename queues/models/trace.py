import uuid

from django.db import models
from django.db.models import Q

from hitl.models import Tenant


class Trace(models.Model):
    """One recorded model interaction. Its id is a UUIDv7 of `at`, and the table is partitioned by it, week by week.

    Texts lie beside the row (toast), so that a look over a million rows reads the small columns only. References to a
    trace are unconstrained: whoever holds one copied what it needs, since a week of traces is dropped at once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    external_id = models.CharField(max_length=200)
    source = models.CharField(max_length=20, help_text="The door it came in by.")
    at = models.DateTimeField(help_text="When the interaction began.")
    received_at = models.DateTimeField()

    domain = models.CharField(max_length=80, blank=True)
    topic = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=35, blank=True)
    user_key = models.CharField(max_length=80, blank=True)
    session = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=120, blank=True)
    prompt_version = models.CharField(max_length=120, blank=True)
    release = models.CharField(max_length=120, blank=True)
    latency_ms = models.PositiveIntegerField(null=True)

    input = models.TextField(blank=True)
    output = models.TextField(blank=True)
    conversation = models.JSONField(default=list)
    documents = models.JSONField(default=list, help_text="Retrieved, best first, with the fields of a case's evidence.")
    tools = models.JSONField(default=list)
    scores = models.JSONField(default=dict, help_text="Numbers by name.")
    metadata = models.JSONField(default=dict)

    # Of the signals that came for it: for ranking and sampling, never a label.
    signals = models.PositiveIntegerField(default=0)
    weight = models.FloatField(default=0)
    is_negative = models.BooleanField(default=False)
    is_edited = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["tenant", "-id"], name="trace_by_tenant"),
            models.Index(fields=["tenant", "weight", "-id"], condition=Q(signals__gt=0), name="trace_by_weight"),
            models.Index(fields=["tenant", "weight", "-id"], condition=Q(is_edited=True), name="trace_edited"),
            models.Index(fields=["tenant", "user_key", "-id"], condition=~Q(user_key=""), name="trace_by_user"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Span(models.Model):
    """A step of an interaction as a tracing tool sends it. A trace is put together of what spans there are."""

    pk = models.CompositePrimaryKey("trace_id", "span_id")
    trace_id = models.UUIDField()
    span_id = models.CharField(max_length=64)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    parent_id = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=20, blank=True, help_text="llm, retriever, tool, chain …, or empty.")
    name = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    content = models.JSONField(default=dict, help_text="What the span adds to its trace, by field.")
    received_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        # By the id alone: some tools name a span without its trace.
        indexes = [models.Index(fields=["tenant", "span_id"], name="span_by_id")]

    def __str__(self) -> str:
        return f"{self.name} {self.span_id}"


class EarlyWord(models.Model):
    """What was said of a span that has not come yet, personal data taken out: it waits for the span for some days."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    span_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=10)
    word = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["tenant", "span_id"], name="early_word_by_span"),
            models.Index(fields=["at"], name="early_word_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.span_id}"
