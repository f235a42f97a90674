from django.db import models

from codebook.models.label import LabelBatch
from codebook.models.lineage import Relabel


class BatchCount(models.Model):
    """What a batch holds, as of `at`, so that no page counts a million labels and no decision updates a counter.

    Of labels that stand; amendments follow one and are not counted beside it. `given`: category id -> labels that gave
    it. `raters`: rows of user id (null: from elsewhere), name of a rater from elsewhere, labels, first and last time.
    """

    batch = models.OneToOneField(LabelBatch, on_delete=models.CASCADE, primary_key=True, related_name="counts")
    labels = models.PositiveIntegerField(default=0)
    verdicts = models.JSONField(default=dict)
    given = models.JSONField(default=dict)
    raters = models.JSONField(default=list)
    compared = models.PositiveIntegerField(default=0, help_text="Cases that another person decided independently.")
    agreeing = models.PositiveIntegerField(default=0, help_text="Of these, with one verdict by all.")
    adjudicated = models.PositiveIntegerField(default=0)
    relabelled = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    newest_label = models.BigIntegerField(default=0, help_text="The version's newest when this was counted.")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(agreeing__lte=models.F("compared")), name="batch_count_agrees_in_what_is_compared"
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.labels}"


class RelabelCount(models.Model):
    """How far an order has come, as of `at`."""

    order = models.OneToOneField(Relabel, on_delete=models.CASCADE, primary_key=True, related_name="counts")
    wanted = models.PositiveIntegerField(default=0)
    decided = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.order_id}: {self.decided} of {self.wanted}"
