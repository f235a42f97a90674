from django.db import migrations, models


class Migration(migrations.Migration):
    """Edits stand at the top of the list of traces: few rows, found without looking through the others."""

    dependencies = [("queues", "0009_partitions")]

    operations = [
        migrations.AddIndex(
            model_name="trace",
            index=models.Index(
                condition=models.Q(("is_edited", True)), fields=["tenant", "weight", "-id"], name="trace_edited"
            ),
        ),
    ]
