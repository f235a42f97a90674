import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hitl", "0007_no_default_permissions"),
        ("queues", "0004_leaner_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="JudgeVerdict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_case_id", models.CharField(blank=True, max_length=200)),
                ("trace_id", models.CharField(blank=True, max_length=200)),
                ("judge", models.CharField(max_length=120)),
                ("judge_version", models.CharField(blank=True, max_length=120)),
                ("prompt", models.CharField(blank=True, max_length=120)),
                (
                    "verdict",
                    models.CharField(
                        blank=True, help_text="accept or reject; empty where only a score came.", max_length=10
                    ),
                ),
                ("score", models.FloatField(null=True)),
                ("confidence", models.FloatField(help_text="How sure it says it is, 0 to 1.", null=True)),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        default=list,
                        help_text="Keys of the codebook.",
                        size=None,
                    ),
                ),
                (
                    "position",
                    models.CharField(
                        blank=True, help_text="Where the answer stood among those compared.", max_length=20
                    ),
                ),
                ("given_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="queue",
            name="judge_audit_share",
            field=models.DecimalField(decimal_places=3, default=0.05, max_digits=4),
        ),
        migrations.AddField(
            model_name="queue",
            name="judge_first",
            field=models.CharField(
                blank=True,
                help_text="The judge whose sure verdicts need no person. Empty: people decide all.",
                max_length=120,
            ),
        ),
        migrations.AddField(
            model_name="queue",
            name="judge_sure",
            field=models.FloatField(default=0.9, help_text="How sure the judge must be, 0 to 1."),
        ),
        migrations.AddField(
            model_name="queue",
            name="raters",
            field=models.PositiveSmallIntegerField(
                default=2, help_text="How many people decide a case that is decided by more than one."
            ),
        ),
        migrations.AlterField(
            model_name="case",
            name="state",
            field=models.CharField(
                choices=[("waiting", "Waiting"), ("decided", "Decided"), ("machine", "Labelled by a judge")],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(("raters__gte", 2), ("raters__lte", 5)), name="queue_has_a_few_raters"
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("judge_audit_share__gt", 0),
                    ("judge_audit_share__lte", 1),
                    ("judge_sure__gt", 0),
                    ("judge_sure__lte", 1),
                ),
                name="queue_judge_is_sure_and_audited",
            ),
        ),
        migrations.AddField(
            model_name="judgeverdict",
            name="case",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="judge_verdicts", to="queues.case"
            ),
        ),
        migrations.AddField(
            model_name="judgeverdict",
            name="tenant",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="hitl.tenant"),
        ),
        migrations.AddIndex(
            model_name="judgeverdict",
            index=models.Index(
                condition=models.Q(("case__isnull", True)),
                fields=["tenant", "external_case_id"],
                name="judge_waits_for_case",
            ),
        ),
        migrations.AddIndex(
            model_name="judgeverdict",
            index=models.Index(
                condition=models.Q(("case__isnull", True)), fields=["tenant", "trace_id"], name="judge_waits_for_trace"
            ),
        ),
        migrations.AddIndex(
            model_name="judgeverdict",
            index=models.Index(fields=["judge", "judge_version", "prompt", "given_at"], name="judge_by_time"),
        ),
        migrations.AddConstraint(
            model_name="judgeverdict",
            constraint=models.UniqueConstraint(
                fields=("case", "judge", "judge_version", "prompt", "position"), name="judge_speaks_once_of_a_case"
            ),
        ),
        migrations.AddConstraint(
            model_name="judgeverdict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confidence__isnull", True),
                    models.Q(("confidence__gte", 0), ("confidence__lte", 1)),
                    _connector="OR",
                ),
                name="judge_confidence_is_a_share",
            ),
        ),
        migrations.AddConstraint(
            model_name="judgeverdict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("case__isnull", False),
                    models.Q(("external_case_id", ""), _negated=True),
                    models.Q(("trace_id", ""), _negated=True),
                    _connector="OR",
                ),
                name="judge_speaks_of_a_case",
            ),
        ),
    ]
