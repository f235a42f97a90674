import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("codebook", "0003_held_by_the_database"),
        ("queues", "0005_raters_and_judges"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Adjudication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "round",
                    models.PositiveSmallIntegerField(
                        help_text="The round that it settles; its own label is of a later one."
                    ),
                ),
                ("note", models.TextField(blank=True, help_text="For those who decided it.")),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AgreementReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("newest_label", models.BigIntegerField()),
                (
                    "versions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(),
                        help_text="The numbers of the versions in it.",
                        size=None,
                    ),
                ),
                ("result", models.JSONField()),
                ("computed_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AlignmentSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "agenda",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="Disagreements, in the order to talk about them.",
                        size=None,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="CategoryLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("same", "The same"),
                            ("reworded", "Reworded"),
                            ("split", "Split from"),
                            ("merged", "Merged from"),
                            ("removed", "Removed"),
                            ("new", "New"),
                        ],
                        max_length=10,
                    ),
                ),
                ("carried_at", models.DateTimeField(null=True)),
                ("carried_because", models.TextField(blank=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Disagreement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("round", models.PositiveSmallIntegerField()),
                ("opened_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DriftCheck",
            fields=[
                (
                    "slot",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="drift_check",
                        serialize=False,
                        to="queues.slot",
                    ),
                ),
                ("opened_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DriftReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "versions",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None),
                ),
                ("result", models.JSONField()),
                ("alarmed", models.BooleanField(default=False)),
                ("computed_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="JudgeAudit",
            fields=[
                (
                    "slot",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="judge_audit",
                        serialize=False,
                        to="queues.slot",
                    ),
                ),
                ("stratum", models.CharField(max_length=120)),
                ("quarter", models.CharField(help_text="As in 2026-Q4.", max_length=7)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="JudgeReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("judge", models.CharField(max_length=120)),
                ("judge_version", models.CharField(blank=True, max_length=120)),
                ("prompt", models.CharField(blank=True, max_length=120)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "versions",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None),
                ),
                ("result", models.JSONField()),
                ("alarmed", models.BooleanField(default=False)),
                ("computed_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Relabel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "share",
                    models.DecimalField(decimal_places=3, help_text="Of the cases affected, 0 to 1.", max_digits=4),
                ),
                (
                    "affected",
                    models.PositiveIntegerField(help_text="Cases whose labels of this category are in quarantine."),
                ),
                ("reason", models.TextField()),
                ("ordered_at", models.DateTimeField()),
                ("cancelled_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RelabelSlot",
            fields=[
                (
                    "slot",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="relabel",
                        serialize=False,
                        to="queues.slot",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SpotCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("checked_at", models.DateTimeField(null=True)),
                ("agrees", models.BooleanField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(
            model_name="label",
            name="label_has_one_rater",
        ),
        migrations.RemoveConstraint(
            model_name="version",
            name="version_published_has_who_when_what",
        ),
        migrations.AddField(
            model_name="codebook",
            name="batch_days",
            field=models.PositiveSmallIntegerField(default=90, help_text="A batch that is open for longer is closed."),
        ),
        migrations.AddField(
            model_name="label",
            name="case",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="labels", to="queues.case"
            ),
        ),
        migrations.AddField(
            model_name="label",
            name="round",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="labelbatch",
            name="closed_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("publishing", "A new version was published"),
                    ("hand", "Closed by hand"),
                    ("age", "Closed by age"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="labelbatch",
            name="closed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AlterField(
            model_name="label",
            name="slot",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="labels", to="queues.slot"
            ),
        ),
        migrations.AlterField(
            model_name="labelbatch",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("first", "First decision"),
                    ("second", "Second decision"),
                    ("relabel", "Relabel"),
                    ("drift", "Reviewer drift"),
                    ("judge_audit", "Judge audit"),
                    ("adjudication", "Adjudication"),
                    ("approval", "Approval"),
                    ("imported", "Imported labels"),
                    ("judge", "Judge labels"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="version",
            name="state",
            field=models.CharField(
                choices=[("draft", "Draft"), ("published", "Published"), ("imported", "Imported")],
                default="draft",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(fields=["version", "-id"], name="label_latest_of_version"),
        ),
        migrations.AddConstraint(
            model_name="label",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("rater", "person"), ("rater_name", ""), ("slot__isnull", False), ("user__isnull", False)),
                    models.Q(
                        ("rater__in", ["judge", "imported"]),
                        ("slot__isnull", True),
                        ("user__isnull", True),
                        models.Q(("rater_name", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="label_has_one_rater",
            ),
        ),
        migrations.AddConstraint(
            model_name="label",
            constraint=models.UniqueConstraint(
                condition=models.Q(("slot__isnull", True), ("undone_at__isnull", True)),
                fields=("case", "version", "rater", "rater_name"),
                name="label_one_standing_per_rater_elsewhere",
            ),
        ),
        migrations.AddConstraint(
            model_name="labelbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("closed_because", "")),
                    models.Q(("closed_at__isnull", False), models.Q(("closed_because", ""), _negated=True)),
                    _connector="OR",
                ),
                name="batch_closed_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("content_hash", ""),
                        ("published_at__isnull", True),
                        ("published_by__isnull", True),
                        ("state", "draft"),
                    ),
                    models.Q(
                        ("published_at__isnull", False),
                        ("published_by__isnull", False),
                        ("state", "published"),
                        models.Q(("content_hash", ""), _negated=True),
                    ),
                    models.Q(("published_at__isnull", False), ("published_by__isnull", False), ("state", "imported")),
                    _connector="OR",
                ),
                name="version_published_has_who_when_what",
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="adjudications", to="queues.case"
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="label",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="adjudication", to="codebook.label"
            ),
        ),
        migrations.AddField(
            model_name="adjudication",
            name="sided_with",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="codebook.label"
            ),
        ),
        migrations.AddField(
            model_name="agreementreport",
            name="codebook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="agreement_reports", to="codebook.codebook"
            ),
        ),
        migrations.AddField(
            model_name="alignmentsession",
            name="codebook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="alignments", to="codebook.codebook"
            ),
        ),
        migrations.AddField(
            model_name="alignmentsession",
            name="opened_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="categorylink",
            name="ancestor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="descendants",
                to="codebook.category",
            ),
        ),
        migrations.AddField(
            model_name="categorylink",
            name="carried_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="categorylink",
            name="category",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="origins", to="codebook.category"
            ),
        ),
        migrations.AddField(
            model_name="categorylink",
            name="confirmed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="categorylink",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="links", to="codebook.version"
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="author",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="category",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="comments", to="codebook.category"
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="comments", to="codebook.version"
            ),
        ),
        migrations.AddField(
            model_name="disagreement",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="disagreements", to="queues.case"
            ),
        ),
        migrations.AddField(
            model_name="disagreement",
            name="codebook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="disagreements", to="codebook.codebook"
            ),
        ),
        migrations.AddField(
            model_name="disagreement",
            name="queue",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="queues.queue"),
        ),
        migrations.AddField(
            model_name="driftcheck",
            name="codebook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="drift_checks", to="codebook.codebook"
            ),
        ),
        migrations.AddField(
            model_name="driftcheck",
            name="earlier",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="codebook.label"),
        ),
        migrations.AddField(
            model_name="driftcheck",
            name="reviewer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="driftreport",
            name="codebook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="drift_reports", to="codebook.codebook"
            ),
        ),
        migrations.AddField(
            model_name="driftreport",
            name="reviewer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="judgeaudit",
            name="codebook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="judge_audits", to="codebook.codebook"
            ),
        ),
        migrations.AddField(
            model_name="judgeaudit",
            name="label",
            field=models.ForeignKey(
                help_text="The judge's.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="codebook.label",
            ),
        ),
        migrations.AddField(
            model_name="judgereport",
            name="codebook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="judge_reports", to="codebook.codebook"
            ),
        ),
        migrations.AddField(
            model_name="relabel",
            name="category",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="relabels", to="codebook.category"
            ),
        ),
        migrations.AddField(
            model_name="relabel",
            name="codebook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="relabels", to="codebook.codebook"
            ),
        ),
        migrations.AddField(
            model_name="relabel",
            name="ordered_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="relabelslot",
            name="order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="slots", to="codebook.relabel"
            ),
        ),
        migrations.AddField(
            model_name="spotcheck",
            name="adjudication",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="codebook.adjudication"
            ),
        ),
        migrations.AddField(
            model_name="spotcheck",
            name="codebook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="spot_checks", to="codebook.codebook"
            ),
        ),
        migrations.AddField(
            model_name="spotcheck",
            name="label",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="spot_check", to="codebook.label"
            ),
        ),
        migrations.AddField(
            model_name="spotcheck",
            name="reviewer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="adjudication",
            constraint=models.UniqueConstraint(fields=("case", "round"), name="adjudication_once_per_round"),
        ),
        migrations.AddIndex(
            model_name="agreementreport",
            index=models.Index(fields=["codebook", "-id"], name="agreement_latest"),
        ),
        migrations.AddConstraint(
            model_name="alignmentsession",
            constraint=models.CheckConstraint(
                condition=models.Q(("since__lt", models.F("until"))), name="alignment_has_a_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="categorylink",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ancestor__isnull", True), ("category__isnull", False), ("kind", "new")),
                    models.Q(("ancestor__isnull", False), ("category__isnull", True), ("kind", "removed")),
                    models.Q(
                        ("ancestor__isnull", False),
                        ("category__isnull", False),
                        ("kind__in", ["same", "reworded", "split", "merged"]),
                    ),
                    _connector="OR",
                ),
                name="link_has_its_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="categorylink",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("carried_at__isnull", True), ("carried_because", ""), ("carried_by__isnull", True)),
                    models.Q(
                        ("carried_at__isnull", False),
                        ("carried_by__isnull", False),
                        models.Q(("carried_because", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="link_carried_has_who_when_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="categorylink",
            constraint=models.CheckConstraint(
                condition=models.Q(("carried_at__isnull", True), ("kind__in", ["reworded", "merged"]), _connector="OR"),
                name="link_carried_where_it_can_be",
            ),
        ),
        migrations.AddConstraint(
            model_name="categorylink",
            constraint=models.UniqueConstraint(
                fields=("version", "category", "ancestor"), name="link_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="comment",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="comment_says_something"
            ),
        ),
        migrations.AddIndex(
            model_name="disagreement",
            index=models.Index(
                condition=models.Q(("settled_at__isnull", True)),
                fields=["codebook", "opened_at"],
                name="disagreement_open",
            ),
        ),
        migrations.AddIndex(
            model_name="disagreement",
            index=models.Index(fields=["codebook", "-opened_at"], name="disagreement_latest"),
        ),
        migrations.AddConstraint(
            model_name="disagreement",
            constraint=models.UniqueConstraint(fields=("case", "round"), name="disagreement_once_per_round"),
        ),
        migrations.AddIndex(
            model_name="driftcheck",
            index=models.Index(fields=["codebook", "reviewer"], name="drift_by_reviewer"),
        ),
        migrations.AddIndex(
            model_name="driftreport",
            index=models.Index(fields=["codebook", "reviewer", "-id"], name="drift_latest"),
        ),
        migrations.AddIndex(
            model_name="judgeaudit",
            index=models.Index(fields=["codebook", "quarter"], name="judge_audit_by_quarter"),
        ),
        migrations.AddIndex(
            model_name="judgereport",
            index=models.Index(
                fields=["codebook", "judge", "judge_version", "prompt", "-id"], name="judge_report_latest"
            ),
        ),
        migrations.AddConstraint(
            model_name="relabel",
            constraint=models.CheckConstraint(
                condition=models.Q(("share__gt", 0), ("share__lte", 1)), name="relabel_share_is_a_share"
            ),
        ),
        migrations.AddIndex(
            model_name="spotcheck",
            index=models.Index(
                condition=models.Q(("checked_at__isnull", True)), fields=["codebook", "day"], name="spot_check_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="spotcheck",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agrees__isnull", True), ("checked_at__isnull", True)),
                    models.Q(("agrees__isnull", False), ("checked_at__isnull", False)),
                    _connector="OR",
                ),
                name="spot_check_checked_has_a_word",
            ),
        ),
    ]
