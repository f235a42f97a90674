from django.db import models

from hitl.models import Tenant, User


class ScrubMeasurement(models.Model):
    """How well the scrub did for a tenant on a file of texts whose values somebody had marked. Of the texts nothing is
    kept, only counts.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    # `queues.scrub.measuring.Measured`, as JSON.
    result = models.JSONField()
    names = models.CharField(max_length=5, choices=Tenant.Names)
    addresses = models.BooleanField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["tenant", "-at"], name="scrub_measurement_latest")]

    def __str__(self) -> str:
        return self.name
