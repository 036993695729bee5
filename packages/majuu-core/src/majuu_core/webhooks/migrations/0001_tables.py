import django.db.models.deletion
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    # What databases made before the first release have run instead.
    replaces = [('majuu_webhooks', '0001_initial'), ('majuu_webhooks', '0003_subjects')]

    dependencies = [
        ('majuu_events', '0001_tables'),
        ('majuu_merchants', '0001_tables'),
        ('majuu_payments', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='InboundWebhook',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('provider_account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='inbound', to='majuu_merchants.provideraccount')),
                ('charge', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='inbound', to='majuu_payments.charge')),
                ('subject_id', models.CharField(blank=True, help_text='Public id of what else its address belongs to.', max_length=40)),
                ('topic', models.CharField(blank=True, help_text='The last part of its address, such as "timeout".', max_length=16)),
                ('method', models.CharField(max_length=8)),
                ('path', models.CharField(help_text='Without its secret.', max_length=200)),
                ('query', models.JSONField(default=dict)),
                ('headers', models.JSONField(default=dict)),
                ('body', models.BinaryField()),
                ('remote_addr', models.CharField(max_length=45)),
                ('trust', models.CharField(blank=True, max_length=16)),
                ('state', models.CharField(choices=[('received', 'Waiting'), ('applied', 'Applied'), ('duplicate', 'Duplicate'), ('rejected', 'Rejected'), ('parked', 'Parked')], default='received', max_length=16)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('received_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('processed_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'received')), fields=['next_attempt_at'], name='majuu_inbound_waiting'), models.Index(fields=['state', '-id'], name='majuu_inbound_by_state')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='InboundEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('inbound', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='majuu_webhooks.inboundwebhook')),
                ('provider_account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='majuu_merchants.provideraccount')),
                ('event_id', models.CharField(max_length=255)),
                ('type', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('provider_account', 'event_id'), name='majuu_inbound_event_once')],
            },
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('store', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhook_endpoints', to='majuu_merchants.store')),
                ('livemode', models.BooleanField()),
                ('url', models.CharField(max_length=500)),
                ('description', models.CharField(blank=True, max_length=255)),
                ('event_types', models.JSONField(default=list, help_text='Types such as "payment_intent.*"; empty means all.')),
                ('status', models.CharField(choices=[('enabled', 'Enabled'), ('disabled', 'Disabled'), ('archived', 'Deleted')], default='enabled', max_length=16)),
                ('disabled_reason', models.CharField(blank=True, max_length=255)),
                ('disabled_at', models.DateTimeField(blank=True, null=True)),
                ('failing_since', models.DateTimeField(blank=True, help_text='First failure since the last success.', null=True)),
                ('last_failure_at', models.DateTimeField(blank=True, null=True)),
                ('notice_sent_at', models.DateTimeField(blank=True, null=True)),
                ('throttled_until', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['store', 'livemode', 'status'], name='majuu_endpoint_by_store')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('event', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='majuu_events.event')),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='majuu_webhooks.webhookendpoint')),
                ('replay', models.PositiveSmallIntegerField(default=0, help_text='0 for the first delivery, then 1, 2, …')),
                ('state', models.CharField(choices=[('pending', 'Waiting'), ('sending', 'Being sent'), ('succeeded', 'Delivered'), ('failed', 'Gave up'), ('canceled', 'Canceled')], default='pending', max_length=16)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('response_status', models.PositiveSmallIntegerField(null=True)),
                ('last_error', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name_plural': 'webhook deliveries',
                'indexes': [models.Index(fields=['endpoint', '-id'], name='majuu_delivery_by_endpoint'), models.Index(condition=models.Q(('state', 'pending')), fields=['endpoint', 'next_attempt_at'], name='majuu_delivery_due'), models.Index(condition=models.Q(('state', 'sending')), fields=['leased_until'], name='majuu_delivery_leased')],
                'constraints': [models.UniqueConstraint(fields=('event', 'endpoint', 'replay'), name='majuu_delivery_once')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='WebhookAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delivery', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attempt_log', to='majuu_webhooks.webhookdelivery')),
                ('number', models.PositiveSmallIntegerField()),
                ('response_status', models.PositiveSmallIntegerField(null=True)),
                ('response_body', models.CharField(blank=True, max_length=1000)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('duration_ms', models.PositiveIntegerField(null=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('delivery', 'number'), name='majuu_attempt_once')],
            },
        ),
        migrations.CreateModel(
            name='WebhookSecret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='majuu_webhooks.webhookendpoint')),
                ('sealed', models.TextField(editable=False)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
    ]
