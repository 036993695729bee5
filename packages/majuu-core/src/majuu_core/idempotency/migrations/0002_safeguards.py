from django.db import migrations

from majuu_core.database.operations import ExactText


class Migration(migrations.Migration):
    """Keys that differ by case or by a space are two keys, on MariaDB too."""

    # What databases made before the first release have run instead.
    replaces = [("majuu_idempotency", "0002_exact_text")]
    dependencies = [("majuu_idempotency", "0001_tables")]
    operations = [ExactText("majuu_idempotency_idempotencykey", "key", 255)]
