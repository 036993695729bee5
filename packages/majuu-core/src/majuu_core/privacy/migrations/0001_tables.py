import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    # What databases made before the first release have run instead.
    replaces = [('majuu_privacy', '0001_initial')]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='RetentionHold',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('person', models.TextField(editable=False, help_text='What they are known by, encrypted.')),
                ('reason', models.CharField(max_length=255)),
                ('placed_by', models.CharField(max_length=80)),
                ('placed_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('released_by', models.CharField(blank=True, max_length=80)),
                ('released_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'permissions': [('find_person', 'Can look up what is known about a person'), ('export_person', "Can export a person's data"), ('erase_person', "Can erase a person's data"), ('hold_person', "Can place and release holds on a person's data")],
                'indexes': [models.Index(fields=['released_at', 'id'], name='majuu_hold_open')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
    ]
