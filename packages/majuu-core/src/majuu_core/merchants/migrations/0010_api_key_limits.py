import django.db.models.deletion
import majuu_core.common.ids
from django.conf import settings
from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_merchants', '0009_live_keys_guarded'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        KeepTriggers(
            [
                migrations.CreateModel(
                    name='ApiKeyMonth',
                    fields=[
                        ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                        ('month', models.DateField(help_text='Its first day.')),
                        ('used', models.PositiveBigIntegerField(default=0)),
                    ],
                ),
                migrations.CreateModel(
                    name='ApiKeyUsage',
                    fields=[
                        ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                        ('requests', models.PositiveBigIntegerField(default=0, help_text='Requests that were let in.')),
                        ('refused', models.PositiveBigIntegerField(default=0, help_text='Refused by address, rate limit or quota.')),
                    ],
                ),
                migrations.AddField(
                    model_name='apikey',
                    name='allowed_addresses',
                    field=models.JSONField(blank=True, default=list, help_text='Addresses and networks it may be used from; empty: from everywhere.'),
                ),
                migrations.AddField(
                    model_name='apikey',
                    name='first_key',
                    field=models.ForeignKey(blank=True, editable=False, help_text='The first of a line of rotated keys; the line shares its limits. Empty: this one.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='majuu_merchants.apikey'),
                ),
                migrations.AddField(
                    model_name='apikey',
                    name='monthly_quota',
                    field=models.PositiveIntegerField(blank=True, help_text='Requests a month; empty: no end.', null=True),
                ),
                migrations.AddField(
                    model_name='apikey',
                    name='rate_limit',
                    field=models.PositiveIntegerField(blank=True, help_text='Requests a minute; empty: as the site.', null=True),
                ),
                migrations.AddField(
                    model_name='apikey',
                    name='rotated_at',
                    field=models.DateTimeField(blank=True, editable=False, help_text='When its successor was made.', null=True),
                ),
                migrations.AddField(
                    model_name='apikey',
                    name='rotated_from',
                    field=models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='successor', to='majuu_merchants.apikey'),
                ),
                migrations.AddConstraint(
                    model_name='apikey',
                    constraint=models.CheckConstraint(condition=models.Q(('rotated_at__isnull', True), ('expires_at__isnull', False), _connector='OR'), name='majuu_key_rotated_ends'),
                ),
                migrations.AddConstraint(
                    model_name='apikey',
                    constraint=models.CheckConstraint(condition=models.Q(('rotated_from__isnull', True), models.Q(('rotated_from', models.F('id')), _negated=True), _connector='OR'), name='majuu_key_not_from_itself'),
                ),
                migrations.AddConstraint(
                    model_name='apikey',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('rate_limit__isnull', True), models.Q(('rate_limit__gte', 1), ('rate_limit__lte', 100000)), _connector='OR'), models.Q(('monthly_quota__isnull', True), ('monthly_quota__gte', 1), _connector='OR')), name='majuu_key_limits'),
                ),
                migrations.AddField(
                    model_name='apikeymonth',
                    name='api_key',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='months', to='majuu_merchants.apikey'),
                ),
                migrations.AddField(
                    model_name='apikeyusage',
                    name='api_key',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='usage', to='majuu_merchants.apikey'),
                ),
                migrations.AddConstraint(
                    model_name='apikeymonth',
                    constraint=models.UniqueConstraint(fields=('api_key', 'month'), name='majuu_key_month_once'),
                ),
                migrations.AddConstraint(
                    model_name='apikeyusage',
                    constraint=models.UniqueConstraint(fields=('api_key', 'day'), name='majuu_key_usage_once'),
                ),
            ]
        )
    ]
