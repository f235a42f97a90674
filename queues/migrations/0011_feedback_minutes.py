from django.db import migrations, models


class Migration(migrations.Migration):
    """Counters for the limit per minute: written at every request, and not worth a place in the log or in a backup."""

    dependencies = [("queues", "0010_edited_traces")]

    operations = [
        migrations.CreateModel(
            name="FeedbackMinute",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "place", "minute", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("place", models.BinaryField(max_length=16)),
                ("minute", models.BigIntegerField(help_text="Since 1970.")),
                ("count", models.PositiveIntegerField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunSQL("alter table queues_feedbackminute set unlogged", migrations.RunSQL.noop),
    ]
