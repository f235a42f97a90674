from django.db import models
from django.db.models import Q

from codebook.models.codebook import Category, Codebook, Version
from hitl.models import User
from queues.models import Slot


class CategoryLink(models.Model):
    """How a category of a version came about, from which of the version before. A split or a merge has several.

    Labels given under the ancestor count for the category if it is the same, or if the owner carried it over.
    """

    class Kind(models.TextChoices):
        SAME = "same", "The same"
        REWORDED = "reworded", "Reworded"
        SPLIT = "split", "Split from"
        MERGED = "merged", "Merged from"
        REMOVED = "removed", "Removed"
        NEW = "new", "New"

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="links")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, related_name="origins")
    ancestor = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, related_name="descendants")
    kind = models.CharField(max_length=10, choices=Kind)
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    carried_at = models.DateTimeField(null=True)
    carried_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    carried_because = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="new", category__isnull=False, ancestor__isnull=True)
                | Q(kind="removed", category__isnull=True, ancestor__isnull=False)
                | Q(kind__in=["same", "reworded", "split", "merged"], category__isnull=False, ancestor__isnull=False),
                name="link_has_its_ends",
            ),
            models.CheckConstraint(
                condition=Q(carried_at__isnull=True, carried_by__isnull=True, carried_because="")
                | (Q(carried_at__isnull=False, carried_by__isnull=False) & ~Q(carried_because="")),
                name="link_carried_has_who_when_why",
            ),
            # What was said of one category may have been meant for any of the parts.
            models.CheckConstraint(
                condition=Q(carried_at__isnull=True) | Q(kind__in=["reworded", "merged"]),
                name="link_carried_where_it_can_be",
            ),
            models.UniqueConstraint(fields=["version", "category", "ancestor"], nulls_distinct=False, name="link_once"),
        ]

    def __str__(self) -> str:
        return f"{self.ancestor} > {self.category} ({self.kind})"


class Relabel(models.Model):
    """An owner's order to decide cases again, because a category no longer means what it did when they were."""

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="relabels")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="relabels")
    share = models.DecimalField(max_digits=4, decimal_places=3, help_text="Of the cases affected, 0 to 1.")
    affected = models.PositiveIntegerField(help_text="Cases whose labels of this category are in quarantine.")
    reason = models.TextField()
    ordered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(share__gt=0, share__lte=1), name="relabel_share_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"relabel {self.category}"


class RelabelSlot(models.Model):
    """A slot that an order opened."""

    slot = models.OneToOneField(Slot, on_delete=models.CASCADE, primary_key=True, related_name="relabel")
    order = models.ForeignKey(Relabel, on_delete=models.PROTECT, related_name="slots")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.slot_id} of {self.order_id}"


class Comment(models.Model):
    """What a reader of a draft says of it, or of one of its categories."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="comments")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, related_name="comments")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="comment_says_something")]

    def __str__(self) -> str:
        return f"{self.author} on {self.version}"
