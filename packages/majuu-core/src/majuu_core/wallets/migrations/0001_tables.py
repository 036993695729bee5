import django.db.models.deletion
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    # What databases made before the first release have run instead.
    replaces = [('majuu_wallets', '0001_initial')]

    dependencies = [
        ('majuu_merchants', '0001_tables'),
        ('majuu_payments', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Wallet',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='wallets', to='majuu_merchants.store')),
                ('livemode', models.BooleanField()),
                ('currency', models.CharField(choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], max_length=3)),
                ('customer_reference', models.CharField(help_text="The shop's own number of the customer.", max_length=64)),
                ('customer_name', models.CharField(blank=True, max_length=200)),
                ('customer_phone', models.CharField(blank=True, help_text='Where withdrawals go by default.', max_length=32)),
                ('status', models.CharField(choices=[('active', 'Active'), ('frozen', 'Frozen'), ('closed', 'Closed')], default='active', max_length=16)),
                ('status_reason', models.CharField(blank=True, help_text='Why it is frozen or closed.', max_length=255)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['store', 'livemode', '-id'], name='majuu_wallet_by_store')],
                'constraints': [models.UniqueConstraint(fields=('id', 'livemode'), name='majuu_wallet_mode'), models.UniqueConstraint(fields=('store', 'livemode', 'currency', 'customer_reference'), name='majuu_wallet_customer_once')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='WalletDeposit',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deposits', to='majuu_wallets.wallet')),
                ('livemode', models.BooleanField()),
                ('payment_intent', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='wallet_deposit', to='majuu_payments.paymentintent')),
                ('credited', models.DecimalField(decimal_places=4, default=0, help_text='Of the amount asked for.', max_digits=19)),
                ('credited_surplus', models.DecimalField(decimal_places=4, default=0, help_text='Beyond it.', max_digits=19)),
                ('watch_until', models.DateTimeField(help_text='How long the worker looks after it by itself.', null=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('watch_until__isnull', False)), fields=['watch_until'], name='majuu_deposit_watched')],
                'constraints': [models.CheckConstraint(condition=models.Q(('credited__gte', 0), ('credited_surplus__gte', 0)), name='majuu_deposit_credits_not_negative')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='WalletPayment',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='majuu_wallets.wallet')),
                ('livemode', models.BooleanField()),
                ('charge', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='wallet_payment', to='majuu_payments.charge')),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='WalletWithdrawal',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to='majuu_wallets.wallet')),
                ('livemode', models.BooleanField()),
                ('payout', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='wallet_withdrawal', to='majuu_payments.payout')),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
    ]
