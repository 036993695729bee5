from django.db import migrations

from majuu_core.database.operations import ExactText


class Migration(migrations.Migration):
    """Hashes of keys compare exactly, on MariaDB too."""

    dependencies = [("majuu_merchants", "0002_fixed_for_good")]
    operations = [
        ExactText("majuu_merchants_apikey", "key_hash", 64),
    ]
