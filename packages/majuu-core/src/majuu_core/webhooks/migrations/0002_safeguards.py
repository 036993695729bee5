from django.db import migrations

from majuu_core.database.operations import ExactText


class Migration(migrations.Migration):
    """Events whose ids differ by case or by a space are two events, on MariaDB too."""

    # What databases made before the first release have run instead.
    replaces = [("majuu_webhooks", "0002_exact_text")]
    dependencies = [("majuu_webhooks", "0001_tables")]
    operations = [ExactText("majuu_webhooks_inboundevent", "event_id", 255)]
