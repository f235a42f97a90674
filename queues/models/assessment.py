from django.db import models
from django.db.models import Q

from hitl.models import Tenant, User


class AssessmentRevision(models.Model):
    """A tenant's thresholds and weights, as of one revision: never changed, only followed by the next."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="assessments")
    number = models.PositiveIntegerField()
    settings = models.JSONField()
    note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="assessment_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant} {self.number}"


class RouteQuality(models.Model):
    """How often people accepted the drafts of one route (tenant, domain, topic) in the last 90 days."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    domain = models.CharField(max_length=80)
    topic = models.CharField(max_length=120, blank=True)
    accepted = models.PositiveIntegerField()
    decided = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "domain", "topic"], name="route_once"),
            models.CheckConstraint(condition=Q(accepted__lte=models.F("decided")), name="route_accepted_of_decided"),
        ]

    def __str__(self) -> str:
        return f"{self.domain}/{self.topic}: {self.accepted} of {self.decided}"
