from django.db import models

from codebook.models.codebook import Codebook
from hitl.models import Job, Tenant, User


class LabelFile(models.Model):
    """A file of earlier labels that an owner brought, until the worker has taken it in or it is let go."""

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    brought_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    brought_at = models.DateTimeField()
    name = models.CharField(max_length=200)
    version_title = models.CharField(max_length=120)
    rows = models.BinaryField(help_text="The file, encrypted; empty once it was taken in.")
    looked = models.JSONField(default=dict, help_text="What would be taken, and why the rest would not.")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
