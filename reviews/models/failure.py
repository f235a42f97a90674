from django.db import models
from django.db.models import Q

from codebook.models import Category, Codebook
from hitl.models import User
from queues.models import Case
from reviews.models.review import Finding


class FailureMode(models.Model):
    """A group of open codes that say the same thing; maybe a category one day."""

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="failure_modes")
    title = models.CharField(max_length=120)
    note = models.TextField(blank=True)
    promoted_to = models.ForeignKey(Category, on_delete=models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["codebook", "title"], name="failure_mode_once"),
            models.CheckConstraint(condition=~Q(title=""), name="failure_mode_has_a_title"),
        ]

    def __str__(self) -> str:
        return self.title


class OpenCode(models.Model):
    """What went wrong in a case, in somebody's own words: a reviewer's finding, or the owner's note while reading."""

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="open_codes")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="open_codes")
    finding = models.OneToOneField(Finding, on_delete=models.PROTECT, null=True, related_name="open_code")
    text = models.TextField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    mode = models.ForeignKey(FailureMode, on_delete=models.SET_NULL, null=True, related_name="codes")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="open_code_says_something")]
        indexes = [models.Index(fields=["codebook", "-id"], name="open_code_latest")]

    def __str__(self) -> str:
        return self.text


class CaseRead(models.Model):
    """That the owner read a case to see what went wrong, if anything did: what shares of failures are counted over."""

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="cases_read")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    reader = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    in_random_sample = models.BooleanField()
    read_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["codebook", "case"], name="case_read_once")]

    def __str__(self) -> str:
        return f"{self.case_id} read"
