import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("codebook", "0006_final_labels"),
    ]

    operations = [
        migrations.AddField(
            model_name="judgeaudit",
            name="settled",
            field=models.ForeignKey(
                help_text="The person's answer that the producer was told of, or that says what the judge said.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="codebook.label",
            ),
        ),
    ]
