from django.db import models
from django.db.models import Q

from hitl.models import Tenant


class TrafficReport(models.Model):
    """What labels say of a tenant's traffic over a period, as it was measured in the worker: one a day and period."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    period = models.CharField(max_length=10, help_text="30d, or as in 2026-Q4.")
    since = models.DateTimeField()
    until = models.DateTimeField()
    result = models.JSONField()
    computed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(since__lt=models.F("until")), name="traffic_report_has_a_period")
        ]
        indexes = [models.Index(fields=["tenant", "period", "-id"], name="traffic_report_latest")]

    def __str__(self) -> str:
        return f"{self.tenant_id}, {self.period}"
