from django.db import models
from django.db.models import Q
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from hitl.models import User
from queues.models import Queue


class Codebook(models.Model):
    """The rubric. One person has the last word on it."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="codebooks")
    batch_days = models.PositiveSmallIntegerField(default=90, help_text="A batch that is open for longer is closed.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        permissions = [("read_codebook", "Read the codebook and comment on it")]

    def __str__(self) -> str:
        return self.title


class CodebookUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Codebook, on_delete=models.CASCADE)


class CodebookGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Codebook, on_delete=models.CASCADE)


class QueueCodebook(models.Model):
    """Which codebook a queue's cases are labelled with."""

    queue = models.OneToOneField(Queue, on_delete=models.PROTECT, primary_key=True, related_name="codebook_use")
    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="queue_uses")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.queue}: {self.codebook}"


class Version(models.Model):
    """A state of a codebook. Once it has its hash it never changes: the database sees to it.

    An imported one holds what a team's earlier labels meant; nothing new is labelled with it.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        IMPORTED = "imported", "Imported"

    codebook = models.ForeignKey(Codebook, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    note = models.TextField(blank=True)
    content_hash = models.CharField(max_length=64, blank=True)
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["codebook", "number"], name="version_number_once"),
            models.UniqueConstraint(fields=["codebook"], condition=Q(state="draft"), name="version_one_draft"),
            models.CheckConstraint(
                condition=Q(state="draft", published_at__isnull=True, published_by__isnull=True, content_hash="")
                | (Q(state="published", published_at__isnull=False, published_by__isnull=False) & ~Q(content_hash=""))
                | Q(state="imported", published_at__isnull=False, published_by__isnull=False),
                name="version_published_has_who_when_what",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.codebook} {self.number}"


class Category(models.Model):
    """One kind of failure, as one version defines it."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="categories")
    key = models.SlugField(max_length=60)
    title = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()
    definition = models.TextField(blank=True)
    positive_example = models.TextField(blank=True)
    negative_example = models.TextField(blank=True)
    edge_case = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="category_key_once"),
            # A target for the composite key that ties a label's categories to the label's own version.
            models.UniqueConstraint(fields=["id", "version"], name="category_with_version"),
        ]

    def __str__(self) -> str:
        return self.title
