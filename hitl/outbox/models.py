from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.fields.json import KT

from hitl.access.models import Tenant


class Endpoint(models.Model):
    """Where a tenant wants its events: an address that gets a signed webhook (Standard Webhooks), or another tool,
    which gets them as its own API wants them, and only where it knows the trace.
    """

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "Signed webhook"
        LANGFUSE = "langfuse", "Langfuse"
        LANGSMITH = "langsmith", "LangSmith"
        PHOENIX = "phoenix", "Phoenix"

    class Topic(models.TextChoices):
        CASE_DECIDED = "case.decided", "A case was decided"
        CASE_BREACHED = "case.breached", "A deadline passed without a decision"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="endpoints")
    url = models.URLField(max_length=500)
    topics = models.JSONField(default=list, help_text="Which events it wants; none chosen means all.")
    is_active = models.BooleanField(default=True)
    off_because = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.WEBHOOK)
    project = models.CharField(max_length=200, blank=True, help_text="Of a tool, where its key does not say it.")
    removed_at = models.DateTimeField(null=True, help_text="What was sent there still names it; its keys are gone.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "url", "kind", "project"],
                condition=Q(removed_at__isnull=True),
                name="endpoint_once_per_tenant",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(is_active=False), name="endpoint_removed_is_off"
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def topic_names(self) -> str:
        """What it hears of, in words."""
        return "; ".join(label for topic, label in self.Topic.choices if topic in self.topics) or "Everything"


class SigningSecret(models.Model):
    """What signs an endpoint's webhooks, or opens a tool; without an endpoint, what signs the tenant's callbacks to
    addresses given with a case.

    Kept encrypted. A replaced one signs beside its successor until `until`, so that receivers can change over.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, null=True, related_name="secrets")
    sealed = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "endpoint"],
                condition=Q(until__isnull=True),
                nulls_distinct=False,
                name="secret_one_is_current",
            ),
        ]

    def __str__(self) -> str:
        return f"Secret of {self.endpoint or self.tenant}"


class Message(models.Model):
    """One effect on the outside, written in the transaction that caused it; delivered at least once, in order a key."""

    class Channel(models.TextChoices):
        WEBHOOK = "webhook"
        EMAIL = "email"
        TOOL = "tool"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        FAILING = "failing", "Failing, will be tried again"
        SENT = "sent", "Sent"
        GIVEN_UP = "given_up", "Given up"
        CANCELLED = "cancelled", "Cancelled"

    uid = models.UUIDField(
        db_default=RandomUUID(), help_text="The same at each attempt: receivers know a repeat by it."
    )
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel)
    topic = models.CharField(max_length=60)
    key = models.CharField(max_length=120, help_text="Messages of one key are delivered in order.")
    url = models.CharField(max_length=500)
    # The server behind the address: what is served fairly, and left alone for a while when it does not answer.
    destination = models.GeneratedField(
        expression=Func(F("url"), Value("^(?:[A-Za-z]+:(?://[^/?#]*)?)?"), function="substring"),
        output_field=models.CharField(max_length=500),
        db_persist=True,
    )
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(auto_now_add=True)
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    last_attempt_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["destination", "next_attempt_at", "id"],
                condition=Q(state__in=["waiting", "failing"]),
                name="message_due",
            ),
            models.Index(fields=["key", "id"], name="message_order"),
            models.Index(fields=["tenant", "-id"], name="message_by_tenant"),
            models.Index(
                fields=["tenant", "state"],
                condition=Q(state__in=["waiting", "failing", "given_up"]),
                name="message_unsettled",
            ),
            models.Index(fields=["tenant", "sent_at"], condition=Q(state="sent"), name="message_sent_lately"),
            models.Index(F("tenant"), KT("payload__data__case_id"), name="message_by_case"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="message_sent_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"

    @property
    def what(self) -> str:
        """Its topic in words."""
        return {**dict(Endpoint.Topic.choices), "email": "E-mail", "test": "Test"}.get(self.topic, self.topic)

    @property
    def to(self) -> str:
        return self.url.removeprefix("mailto:")

    @property
    def about(self) -> str:
        """The producer's id of the case, or an e-mail's subject."""
        return str(self.payload.get("data", {}).get("case_id") or self.payload.get("subject", ""))

    @property
    def is_off(self) -> bool:
        """Whether it waits because its endpoint is switched off."""
        return bool(self.endpoint and not self.endpoint.is_active)
