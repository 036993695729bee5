from django.db import migrations

from majuu_core.database.operations import ExactText


class Migration(migrations.Migration):
    """Keys that differ by case or by a space are two keys, on MariaDB too."""

    dependencies = [("majuu_ledger", "0002_guards")]
    operations = [
        ExactText("majuu_ledger_ledgertransaction", "key", 128),
    ]
