import majuu_core.common.clock
import majuu_core.common.ids
from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):
    dependencies = [("majuu_audit", "0004_seal_guards")]

    operations = [
        migrations.CreateModel(
            name="AuditSubjectKey",
            fields=[
                ("id", models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(db_index=True, help_text="Keyed hash of who it is.", max_length=64)),
                ("sealed", models.TextField(help_text="Who it is, and the key, under the site's master keys.")),
                ("created_at", models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
        ),
        migrations.AlterModelOptions(
            name="auditentry",
            options={
                "permissions": [
                    ("view_personal_data", "Can see addresses and other personal data in the audit trail"),
                ],
                "verbose_name_plural": "audit entries",
            },
        ),
        KeepTriggers(
            [
                migrations.AlterField(
                    "auditentry",
                    "remote_addr",
                    models.CharField(blank=True, help_text="Of machines; a person's is in personal.", max_length=45),
                ),
                migrations.AddField(
                    "auditentry",
                    "personal",
                    models.JSONField(default=dict, help_text="By field: the id of a subject's key, and the ciphertext."),
                ),
            ]
        ),
    ]
