from django.db import models


class FeedbackMinute(models.Model):
    """How much feedback came from one place in one minute: what the limit per minute is held against.

    The table is unlogged: it is written at every request, and worth nothing a few minutes later. `place` is a keyed
    digest of a token and a network, so that nobody's address is kept.
    """

    pk = models.CompositePrimaryKey("place", "minute")
    place = models.BinaryField(max_length=16)
    minute = models.BigIntegerField(help_text="Since 1970.")
    count = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.count} in minute {self.minute}"
