from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from hitl.models import Tenant


class IntakeSettings(models.Model):
    """What a tenant takes in, for how long, and from where. A tenant without a row has the defaults."""

    tenant = models.OneToOneField(Tenant, on_delete=models.PROTECT, primary_key=True, related_name="intake_settings")
    trace_days = models.PositiveSmallIntegerField(default=90, help_text="How long traces and signals are kept.")
    takes_complaints = models.BooleanField(default=False)
    keeps_vault = models.BooleanField(default=False, help_text="Whether scrubbed values are kept, encrypted.")
    origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    feedback_per_minute = models.PositiveIntegerField(default=60, help_text="Of one address, through browsers.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(trace_days__gte=1, trace_days__lte=3650), name="intake_days_in_bounds"),
        ]

    def __str__(self) -> str:
        return str(self.tenant_id)

    @classmethod
    def of(cls, tenant: Tenant) -> "IntakeSettings":
        return cls.objects.filter(tenant=tenant).first() or cls(tenant=tenant)


class VaultEntry(models.Model):
    """A scrubbed value, encrypted, by the token that stands for it; only where the tenant keeps a vault."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    token = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    sealed = models.BinaryField()
    first_seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "token"], name="vault_token_once")]

    def __str__(self) -> str:
        return self.token
