from django.db import migrations

from majuu_core.database.operations import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("majuu_audit", "0003_seals")]
    operations = [
        AppendOnly("majuu_audit_auditseal", unique=(("id",), ("entry_id",), ("chain", "sequence"))),
        AppendOnly("majuu_audit_auditanchor", unique=(("number",),)),
    ]
