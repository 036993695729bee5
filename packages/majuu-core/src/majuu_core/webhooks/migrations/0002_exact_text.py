from django.db import migrations

from majuu_core.database.operations import ExactText


class Migration(migrations.Migration):
    """Events whose ids differ by case or by a space are two events, on MariaDB too."""

    dependencies = [("majuu_webhooks", "0001_initial")]
    operations = [
        ExactText("majuu_webhooks_inboundevent", "event_id", 255),
    ]
