import django.db.models.deletion
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    # What databases made before the first release have run instead.
    replaces = [('majuu_events', '0001_initial')]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('store_id', models.UUIDField()),
                ('livemode', models.BooleanField()),
                ('type', models.CharField(max_length=64)),
                ('object_id', models.CharField(help_text='Public id of what it is about.', max_length=64)),
                ('data', models.JSONField()),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('dispatched_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['store_id', 'livemode', '-id'], name='majuu_event_by_store'), models.Index(fields=['object_id'], name='majuu_event_by_object'), models.Index(condition=models.Q(('dispatched_at', None)), fields=['id'], name='majuu_event_outbox')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='HandlerRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handler_runs', to='majuu_events.event')),
                ('handler', models.CharField(max_length=100)),
                ('state', models.CharField(choices=[('pending', 'Waiting'), ('succeeded', 'Done'), ('failed', 'Gave up')], default='pending', max_length=16)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('last_error', models.TextField(blank=True)),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'next_attempt_at'], name='majuu_handler_due')],
                'constraints': [models.UniqueConstraint(fields=('event', 'handler'), name='majuu_handler_once')],
            },
        ),
    ]
