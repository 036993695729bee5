from django.db import migrations, models


class Migration(migrations.Migration):
    """OAuth clients act too. Only the help text changes: no table is touched."""

    dependencies = [("majuu_audit", "0005_personal_data")]
    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="actor_type",
            field=models.CharField(
                help_text='"user", "key", "client", "customer", "provider" or "system".', max_length=16
            ),
        ),
    ]
