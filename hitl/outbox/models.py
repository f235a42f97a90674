from django.db import models
from django.db.models import Q

from hitl.access.models import Tenant


class Endpoint(models.Model):
    """Where a tenant wants its events: a signed webhook (Standard Webhooks). The secret is kept encrypted."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="endpoints")
    url = models.URLField(max_length=500)
    secret = models.BinaryField()
    topics = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "url"], name="endpoint_once_per_tenant")]

    def __str__(self) -> str:
        return self.url


class Message(models.Model):
    """One effect on the outside, written in the transaction that caused it; delivered at least once, in order per key."""

    class Channel(models.TextChoices):
        WEBHOOK = "webhook"
        EMAIL = "email"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        FAILING = "failing", "Failing, will be tried again"
        SENT = "sent", "Sent"
        GIVEN_UP = "given_up", "Given up"
        CANCELLED = "cancelled", "Cancelled"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True)
    channel = models.CharField(max_length=10, choices=Channel)
    topic = models.CharField(max_length=60)
    key = models.CharField(max_length=120, help_text="Messages of one key are delivered in order.")
    url = models.CharField(max_length=500)
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
                fields=["next_attempt_at", "id"], condition=Q(state__in=["waiting", "failing"]), name="message_due"
            ),
            models.Index(fields=["key", "id"], condition=Q(state__in=["waiting", "failing"]), name="message_order"),
            models.Index(fields=["tenant", "-id"], name="message_by_tenant"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="message_sent_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"
