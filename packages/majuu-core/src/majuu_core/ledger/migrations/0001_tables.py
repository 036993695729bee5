import django.db.models.deletion
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    # What databases made before the first release have run instead.
    replaces = [('majuu_ledger', '0001_initial')]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerAccount',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=32)),
                ('owner', models.CharField(help_text='Public id of the owner, or "platform".', max_length=64)),
                ('category', models.CharField(choices=[('asset', 'Asset'), ('liability', 'Liability'), ('equity', 'Equity'), ('income', 'Income'), ('expense', 'Expense')], max_length=16)),
                ('currency', models.CharField(choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], max_length=3)),
                ('livemode', models.BooleanField()),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['owner'], name='majuu_ledger_by_owner')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'owner', 'currency', 'livemode'), name='majuu_ledger_account_once'), models.UniqueConstraint(fields=('id', 'currency', 'livemode'), name='majuu_ledger_account_currency')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='LedgerTransaction',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=128)),
                ('kind', models.CharField(max_length=32)),
                ('reference', models.CharField(help_text='Public id of what caused it.', max_length=64)),
                ('description', models.CharField(blank=True, max_length=255)),
                ('livemode', models.BooleanField()),
                ('reverses', models.OneToOneField(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversal', to='majuu_ledger.ledgertransaction')),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['reference'], name='majuu_ledger_by_reference')],
                'constraints': [models.UniqueConstraint(fields=('key',), name='majuu_transaction_key_once'), models.UniqueConstraint(fields=('id', 'livemode'), name='majuu_transaction_mode')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='LedgerTransfer',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('transaction', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='majuu_ledger.ledgertransaction')),
                ('phase', models.CharField(choices=[('posted', 'Posted'), ('pending', 'Pending (a hold)'), ('post_pending', 'Posts a hold'), ('void_pending', 'Voids a hold')], max_length=16)),
                ('debit_account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='debits', to='majuu_ledger.ledgeraccount')),
                ('credit_account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='majuu_ledger.ledgeraccount')),
                ('amount', models.DecimalField(decimal_places=4, max_digits=19)),
                ('currency', models.CharField(choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], max_length=3)),
                ('livemode', models.BooleanField()),
                ('pending', models.OneToOneField(blank=True, help_text='The hold this one resolves.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resolution', to='majuu_ledger.ledgertransfer')),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['debit_account', 'created_at'], name='majuu_transfer_debits'), models.Index(fields=['credit_account', 'created_at'], name='majuu_transfer_credits')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('amount__lte', Decimal('999999999999999'))), name='majuu_transfer_amount_positive'), models.CheckConstraint(condition=models.Q(('debit_account', models.F('credit_account')), _negated=True), name='majuu_transfer_two_accounts'), models.CheckConstraint(condition=models.Q(models.Q(('pending', None), ('phase__in', ['posted', 'pending'])), models.Q(('pending__isnull', False), ('phase__in', ['post_pending', 'void_pending'])), _connector='OR'), name='majuu_transfer_resolves_a_hold')],
            },
        ),
        migrations.CreateModel(
            name='LedgerBalance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='balances', to='majuu_ledger.ledgeraccount')),
                ('slot', models.PositiveSmallIntegerField()),
                ('debits_posted', models.DecimalField(decimal_places=4, default=0, max_digits=27)),
                ('credits_posted', models.DecimalField(decimal_places=4, default=0, max_digits=27)),
                ('debits_pending', models.DecimalField(decimal_places=4, default=0, max_digits=27)),
                ('credits_pending', models.DecimalField(decimal_places=4, default=0, max_digits=27)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'slot'), name='majuu_balance_slot_once')],
            },
        ),
    ]
