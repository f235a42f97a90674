import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hitl", "0007_no_default_permissions"),
        ("reviews", "0003_codes_of_findings"),
    ]

    operations = [
        migrations.CreateModel(
            name="TrafficReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period", models.CharField(help_text="30d, or as in 2026-Q4.", max_length=10)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("result", models.JSONField()),
                ("computed_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="hitl.tenant"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["tenant", "period", "-id"], name="traffic_report_latest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("since__lt", models.F("until"))), name="traffic_report_has_a_period"
                    )
                ],
            },
        ),
    ]
