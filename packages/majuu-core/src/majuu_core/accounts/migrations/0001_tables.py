import django.db.models.deletion
import django_countries.fields
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    # What databases made before the first release have run instead.
    replaces = [('majuu_accounts', '0001_initial'), ('majuu_accounts', '0002_user_sessions'), ('majuu_accounts', '0003_phone_codes')]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PhoneCode',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='majuu_phone_code', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('phone', models.CharField(help_text='Where it was sent, in E.164.', max_length=16)),
                ('code_hash', models.CharField(editable=False, max_length=64)),
                ('wrong_tries', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField(default=majuu_core.common.clock.now)),
                ('expires_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Profile',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='majuu_profile', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('phone', models.CharField(blank=True, help_text='In E.164: +254712345678.', max_length=16)),
                ('phone_verified_at', models.DateTimeField(blank=True, null=True)),
                ('country', django_countries.fields.CountryField(blank=True, max_length=2)),
                ('language', models.CharField(blank=True, help_text="A code of LANGUAGES; empty: the browser's.", max_length=8)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('phone__gt', '')), fields=['phone'], name='majuu_profile_by_phone')],
            },
        ),
        migrations.CreateModel(
            name='UserSession',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='majuu_sessions', to=settings.AUTH_USER_MODEL)),
                ('kind', models.CharField(choices=[('browser', 'Browser'), ('app', 'App')], max_length=8)),
                ('session_key', models.CharField(editable=False, help_text="Django's session as it began.", max_length=40)),
                ('refresh_id', models.UUIDField(editable=False, help_text='The refresh token that is good now.', null=True)),
                ('user_agent', models.CharField(blank=True, max_length=200)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('last_seen_at', models.DateTimeField(default=majuu_core.common.clock.now)),
                ('expires_at', models.DateTimeField(help_text='Never put off.')),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['user', '-id'], name='majuu_user_session_user')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
    ]
