from django.db import models
from django.db.models import Q

from codebook.models.codebook import Codebook
from hitl.models import User


class SubjectiveCategory(models.Model):
    """The owner's word that people may differ on a category: its labels count less in datasets, at `weight`.

    It holds for the key, so for the category of each version that has it, until it is withdrawn.
    """

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="subjective")
    key = models.SlugField(max_length=60)
    weight = models.DecimalField(max_digits=3, decimal_places=2, default="0.5")
    because = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["codebook", "key"], condition=Q(withdrawn_at__isnull=True), name="subjective_once"
            ),
            models.CheckConstraint(condition=~Q(because=""), name="subjective_has_a_reason"),
            models.CheckConstraint(condition=Q(weight__gte=0, weight__lte=1), name="subjective_weight_is_a_share"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="subjective_withdrawn_has_who_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.codebook}: {self.key}"
