import django.db.models.deletion
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_merchants', '0006_breaker'),
        ('majuu_payments', '0010_captures_and_exchange'),
    ]

    operations = [
        migrations.CreateModel(
            name='RoutingRule',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('livemode', models.BooleanField()),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='The smallest is read first.')),
                ('payment_method', models.CharField(blank=True, help_text='Only this method; empty: any.', max_length=32)),
                ('currency', models.CharField(blank=True, choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], help_text='Empty: any.', max_length=3)),
                ('min_amount', models.DecimalField(blank=True, decimal_places=4, help_text='Inclusive.', max_digits=19, null=True)),
                ('max_amount', models.DecimalField(blank=True, decimal_places=4, help_text='Inclusive.', max_digits=19, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('provider_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='routing_rules', to='majuu_merchants.provideraccount')),
                ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='routing_rules', to='majuu_merchants.store')),
            ],
            options={
                'indexes': [models.Index(fields=['store', 'livemode', 'position'], name='majuu_routing_by_store')],
                'constraints': [models.CheckConstraint(condition=models.Q(('min_amount__isnull', True), ('max_amount__isnull', True), ('max_amount__gte', models.F('min_amount')), _connector='OR'), name='majuu_routing_amounts'), models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), _negated=True), models.Q(('max_amount__isnull', True), ('min_amount__isnull', True)), _connector='OR'), name='majuu_routing_currency')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.AlterField(
            model_name='alert',
            name='kind',
            field=models.CharField(choices=[('low_balance', 'Low balance'), ('callback_silence', 'No callbacks'), ('parked', 'Waiting for a person'), ('unhealthy', 'Credentials refused'), ('no_answer', 'Provider does not answer')], max_length=32),
        ),
    ]
