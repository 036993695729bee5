from django.db import migrations

from majuu_core.database.operations import AppendOnly


class Migration(migrations.Migration):
    """Entries, seals and anchors are written once and never changed."""

    # What databases made before the first release have run instead.
    replaces = [("majuu_audit", "0002_append_only"), ("majuu_audit", "0004_seal_guards")]
    dependencies = [("majuu_audit", "0001_tables")]
    operations = [
        AppendOnly("majuu_audit_auditentry"),
        AppendOnly("majuu_audit_auditseal", unique=(("id",), ("entry_id",), ("chain", "sequence"))),
        AppendOnly("majuu_audit_auditanchor", unique=(("number",),)),
    ]
