from django.db import models

from hitl.models import Job, Tenant, User


class Upload(models.Model):
    """A file of cases that a lead brought: looked at, and kept encrypted until it is taken in or dropped."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT)
    name = models.CharField(max_length=200)
    rows = models.BinaryField(help_text="The file as it came, encrypted; emptied once taken in or dropped.")
    total = models.PositiveIntegerField()
    problems = models.JSONField(default=list)
    preview = models.JSONField(default=list)
    job = models.OneToOneField(Job, on_delete=models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
