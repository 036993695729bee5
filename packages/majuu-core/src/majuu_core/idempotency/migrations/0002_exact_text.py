from django.db import migrations

from majuu_core.database.operations import ExactText


class Migration(migrations.Migration):
    """Keys that differ by case or by a space are two keys, on MariaDB too."""

    dependencies = [("majuu_idempotency", "0001_initial")]
    operations = [
        ExactText("majuu_idempotency_idempotencykey", "key", 255),
    ]
