from django.db import models
from django.db.models import F, Q

from hitl.models import ApiToken, Tenant


class ScoreName(models.Model):
    """A name under which other tools send a tenant's scores, and what is meant by it."""

    class Meaning(models.TextChoices):
        AUTO = "auto", "As its name and value say"
        THUMBS = "thumbs", "A user's thumb: above 0 is up"
        STARS = "stars", "A user's rating from 1 to 5"
        SHARE = "share", "A user's rating from 0 to 1"
        REASON = "reason", "What went wrong, from a user"
        EDIT = "edit", "The answer as a user changed it"
        ACCEPT = "implicit_accept", "Used as it is"
        REGENERATE = "implicit_regenerate", "Asked for another answer"
        FOLLOWUP = "implicit_followup", "Asked again"
        ABANDON = "implicit_abandon", "Left without using it"
        COPY = "implicit_copy", "Copied"
        COPY_EDIT = "implicit_copy_edit", "Copied and changed"
        DWELL = "implicit_dwell", "Seconds spent on it"
        JUDGE = "judge", "A judge's word"
        SCORE = "score", "A number on the trace"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, related_name="+")
    name = models.CharField(max_length=120)
    meaning = models.CharField(max_length=20, choices=Meaning, default=Meaning.AUTO)
    tool = models.CharField(max_length=20, help_text="The tool that sent it first.")
    first_seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="score_name_once")]

    def __str__(self) -> str:
        return self.name


class FeedbackToken(models.Model):
    """Leave to give one piece of feedback on one trace, for whoever holds its address. Only the digest is kept.

    It ends with the API token that it was made with.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.PROTECT, db_index=False, related_name="+")
    digest = models.BinaryField(max_length=32)
    trace_ref = models.CharField(max_length=200)
    name = models.CharField(max_length=120, help_text="Of the feedback, which says what it means.")
    feedback_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="feedback_token_digest_once"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="feedback_token_ends_after_it_begins"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="feedback_token_ends")]

    def __str__(self) -> str:
        return f"{self.name} on {self.trace_ref}"
