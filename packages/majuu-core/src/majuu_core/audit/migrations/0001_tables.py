import django.db.models.deletion
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    # What databases made before the first release have run instead.
    replaces = [('majuu_audit', '0001_initial'), ('majuu_audit', '0003_seals'), ('majuu_audit', '0005_personal_data'), ('majuu_audit', '0006_clients')]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditAnchor',
            fields=[
                ('number', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('made_at', models.DateTimeField()),
                ('sealed', models.PositiveBigIntegerField(help_text='How many entries all chains held.')),
                ('body', models.TextField()),
                ('signature', models.CharField(max_length=128)),
            ],
        ),
        migrations.CreateModel(
            name='AuditChain',
            fields=[
                ('name', models.CharField(help_text='A merchant\'s UUID, or "platform".', max_length=36, primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name='AuditSubjectKey',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('subject', models.CharField(db_index=True, help_text='Keyed hash of who it is.', max_length=64)),
                ('sealed', models.TextField(help_text="Who it is, and the key, under the site's master keys.")),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('merchant_id', models.UUIDField(null=True)),
                ('store_id', models.UUIDField(null=True)),
                ('actor_type', models.CharField(help_text='"user", "key", "client", "customer", "provider" or "system".', max_length=16)),
                ('actor_id', models.CharField(blank=True, max_length=64)),
                ('action', models.CharField(max_length=64)),
                ('object_id', models.CharField(max_length=64)),
                ('changes', models.JSONField(default=dict, help_text='Before and after of named fields.')),
                ('remote_addr', models.CharField(blank=True, help_text="Of machines; a person's is in personal.", max_length=45)),
                ('personal', models.JSONField(default=dict, help_text="By field: the id of a subject's key, and the ciphertext.")),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'verbose_name_plural': 'audit entries',
                'permissions': [('view_personal_data', 'Can see addresses and other personal data in the audit trail')],
                'indexes': [models.Index(fields=['merchant_id', '-id'], name='majuu_audit_by_merchant'), models.Index(fields=['object_id'], name='majuu_audit_by_object')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='AuditAnchorDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('anchor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='majuu_audit.auditanchor')),
                ('destination', models.CharField(max_length=16)),
                ('delivered_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'audit anchor deliveries',
                'constraints': [models.UniqueConstraint(fields=('anchor', 'destination'), name='majuu_audit_delivered_once')],
            },
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chain', models.CharField(max_length=36)),
                ('sequence', models.PositiveBigIntegerField(help_text='From 1, without gaps.')),
                ('entry', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='seal', to='majuu_audit.auditentry')),
                ('hash', models.CharField(max_length=64)),
                ('sealed_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('chain', 'sequence'), name='majuu_audit_place_in_chain')],
            },
        ),
    ]
