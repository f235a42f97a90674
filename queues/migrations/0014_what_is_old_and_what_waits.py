from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Receipts go when what they stand for is too old to be sent again; what waits for its trace is found by when it
    came; and what judges said of a trace by the trace, whether there is a case of it or not.
    """

    dependencies = [("queues", "0013_words_on_spans")]

    operations = [
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                fields=["object_uuid"], condition=Q(("object_uuid__isnull", False)), name="receipt_by_object"
            ),
        ),
        migrations.AddIndex(
            model_name="signal",
            index=models.Index(
                fields=["received_at"], condition=Q(("trace_id__isnull", True)), name="signal_waits_since"
            ),
        ),
        migrations.AddIndex(
            model_name="judgeverdict",
            index=models.Index(
                fields=["tenant", "trace_id"], condition=Q(("trace_id", ""), _negated=True), name="judge_of_trace"
            ),
        ),
    ]
