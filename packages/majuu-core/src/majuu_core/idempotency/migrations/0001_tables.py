import majuu_core.common.clock
import majuu_core.common.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    # What databases made before the first release have run instead.
    replaces = [('majuu_idempotency', '0001_initial')]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('store_id', models.UUIDField()),
                ('livemode', models.BooleanField()),
                ('key', models.CharField(max_length=255)),
                ('request_hash', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('in_progress', 'In progress'), ('finished', 'Finished')], default='in_progress', max_length=16)),
                ('locked_until', models.DateTimeField(help_text='While in progress: when another may take over.', null=True)),
                ('response_status', models.PositiveSmallIntegerField(null=True)),
                ('response_body', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='majuu_idempotency_age')],
                'constraints': [models.UniqueConstraint(fields=('store_id', 'livemode', 'key'), name='majuu_idempotency_once')],
            },
        ),
    ]
