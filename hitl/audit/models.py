"""The audit record as it is read. Nothing is written through these: rows come in through `hitl.audit.log`."""

from django.db import models

from hitl.access.models import User


class AuditEvent(models.Model):
    """Who did what to which subject. A person is named by reference, so that they can be erased and the proof stays."""

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    actor_name = models.TextField(blank=True)
    action = models.TextField()
    subject = models.TextField()
    tenant_id = models.BigIntegerField(null=True)
    queue_id = models.BigIntegerField(null=True)
    detail = models.JSONField()
    digest = models.BinaryField()

    class Meta:
        managed = False
        db_table = "audit_event"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class AuditCheckpoint(models.Model):
    """The signed root of the first `size` sealed events."""

    size = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    root = models.BinaryField()
    note = models.TextField()

    class Meta:
        managed = False
        db_table = "audit_checkpoint"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.size} events"
