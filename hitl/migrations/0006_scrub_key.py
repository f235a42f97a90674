import hashlib
import hmac

from django.conf import settings
from django.db import migrations, models

import hitl.access.pseudonyms


def keep_keys(apps, schema_editor):
    """Until now the key came from SECRET_KEY: it is written down, so that every pseudonym stays."""
    for tenant in apps.get_model("hitl", "Tenant").objects.using(schema_editor.connection.alias).filter(scrub_key=b""):
        key = hmac.digest(settings.SECRET_KEY.encode(), f"scrub:{tenant.pk}".encode(), hashlib.sha256)
        tenant.scrub_key = hitl.access.pseudonyms.sealed(key)
        tenant.save(update_fields=["scrub_key"])


class Migration(migrations.Migration):
    dependencies = [("hitl", "0005_outbox")]

    operations = [
        migrations.AddField("tenant", "scrub_key", models.BinaryField(default=bytes)),
        migrations.RunPython(keep_keys, migrations.RunPython.noop),
        migrations.AlterField(
            "tenant",
            "scrub_key",
            models.BinaryField(default=hitl.access.pseudonyms.new, help_text="The key of its pseudonyms, encrypted."),
        ),
    ]
