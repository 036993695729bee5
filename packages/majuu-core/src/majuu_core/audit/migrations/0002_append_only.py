from django.db import migrations

from majuu_core.database.operations import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("majuu_audit", "0001_initial")]
    operations = [AppendOnly("majuu_audit_auditentry")]
