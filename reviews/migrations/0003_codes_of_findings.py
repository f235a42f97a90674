import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# What reviewers named before there was a page to read it on.
CODES = """
insert into reviews_opencode (codebook_id, case_id, finding_id, text, author_id, created_at)
select version.codebook_id, label.case_id, finding.id, finding.text, label.user_id, review.created_at
from reviews_finding finding
join reviews_review review on review.id = finding.review_id
join codebook_label label on label.id = review.label_id
join codebook_version version on version.id = label.version_id
where finding.kind = 'new_failure_mode' and finding.text <> '' and label.user_id is not null
order by finding.id
on conflict (finding_id) do nothing;
set constraints all immediate;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("codebook", "0006_final_labels"),
        ("queues", "0005_raters_and_judges"),
        ("reviews", "0002_failure_modes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CaseRead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("in_random_sample", models.BooleanField()),
                ("read_at", models.DateTimeField()),
                (
                    "case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="queues.case"),
                ),
                (
                    "codebook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases_read", to="codebook.codebook"
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.AddConstraint(
            model_name="caseread",
            constraint=models.UniqueConstraint(fields=("codebook", "case"), name="case_read_once"),
        ),
        migrations.RunSQL(CODES, migrations.RunSQL.noop),
    ]
