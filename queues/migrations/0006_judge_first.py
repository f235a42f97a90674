import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hitl", "0007_no_default_permissions"),
        ("queues", "0005_raters_and_judges"),
    ]

    operations = [
        migrations.CreateModel(
            name="JudgeKept",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="judge_kept",
                        serialize=False,
                        to="queues.case",
                    ),
                ),
                ("because", models.CharField(max_length=300)),
                ("kept_at", models.DateTimeField()),
                (
                    "labelled_at",
                    models.DateTimeField(
                        help_text="When the judge's label was written and the producer told.", null=True
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="outcome",
            name="judge",
            field=models.CharField(
                blank=True, db_default="", help_text="The judge whose word it is; empty: a person's.", max_length=250
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("trace_id", ""), _negated=True), fields=["tenant", "trace_id"], name="case_by_trace"
            ),
        ),
        migrations.AddField(
            model_name="judgekept",
            name="queue",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="queues.queue"
            ),
        ),
        migrations.AddField(
            model_name="judgekept",
            name="verdict",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="queues.judgeverdict"
            ),
        ),
        migrations.AddIndex(
            model_name="judgekept",
            index=models.Index(fields=["queue", "kept_at"], name="judge_kept_by_queue"),
        ),
        migrations.AddIndex(
            model_name="judgekept",
            index=models.Index(
                condition=models.Q(("labelled_at__isnull", True)), fields=["case"], name="judge_kept_to_label"
            ),
        ),
    ]
