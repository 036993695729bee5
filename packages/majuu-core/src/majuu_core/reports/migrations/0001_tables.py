import django.db.models.deletion
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    # What databases made before the first release have run instead.
    replaces = [('majuu_reports', '0001_initial'), ('majuu_reports', '0003_dispute_lines'), ('majuu_reports', '0004_settlement_identity')]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('majuu_merchants', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Close',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('provider_account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='closes', to='majuu_merchants.provideraccount')),
                ('livemode', models.BooleanField()),
                ('day', models.DateField()),
                ('time_zone', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('waiting', 'Waiting for the worker'), ('running', 'Running'), ('done', 'Closed'), ('failed', 'Failed')], default='waiting', max_length=16)),
                ('has_statement', models.BooleanField(default=False, help_text='A whole statement of the day is there.')),
                ('runs', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0, help_text='Lines and payments looked at in this run.')),
                ('expected', models.PositiveIntegerField(default=0)),
                ('totals', models.JSONField(default=dict, help_text='What ledger, statement and events say.')),
                ('outcomes', models.JSONField(default=dict, help_text='How many ended in which way.')),
                ('message', models.CharField(blank=True, max_length=500)),
                ('leased_until', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['day'], name='majuu_close_waiting')],
                'constraints': [models.UniqueConstraint(fields=('provider_account', 'day'), name='majuu_close_once'), models.UniqueConstraint(fields=('id', 'livemode'), name='majuu_close_mode')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='Settlement',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('provider_account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='settlements', to='majuu_merchants.provideraccount')),
                ('livemode', models.BooleanField()),
                ('source', models.CharField(choices=[('upload', 'Uploaded file'), ('pull', 'Asked for: money that came in'), ('settlements', 'Asked for: the whole statement')], max_length=16)),
                ('file_name', models.CharField(blank=True, max_length=200)),
                ('content_hash', models.CharField(blank=True, editable=False, help_text='SHA-256 of the file.', max_length=64)),
                ('size', models.PositiveBigIntegerField(default=0, help_text='Bytes.')),
                ('covers_from', models.DateTimeField(help_text='From then on, what is not on it did not happen.', null=True)),
                ('covers_until', models.DateTimeField(null=True)),
                ('state', models.CharField(choices=[('staged', 'Waiting for a yes'), ('imported', 'Imported'), ('refused', 'Could not be read'), ('discarded', 'Discarded')], default='staged', max_length=16)),
                ('message', models.CharField(blank=True, max_length=1000)),
                ('rows', models.PositiveIntegerField(default=0)),
                ('new_lines', models.PositiveIntegerField(default=0)),
                ('known_lines', models.PositiveIntegerField(default=0)),
                ('changed_lines', models.PositiveIntegerField(default=0)),
                ('unreadable_rows', models.PositiveIntegerField(default=0)),
                ('left_out_rows', models.PositiveIntegerField(default=0, help_text='Read, and no money moved in them.')),
                ('problems', models.JSONField(default=list, help_text='The first unreadable rows, by row and column.')),
                ('changes', models.JSONField(default=list, help_text='The first lines that are not as they were before.')),
                ('created_by', models.CharField(blank=True, help_text='Who brought it, as audited.', max_length=80)),
                ('imported_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['provider_account', 'state', 'covers_from'], name='majuu_settlement_coverage')],
                'constraints': [models.UniqueConstraint(fields=('id', 'livemode'), name='majuu_settlement_mode')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='SettlementLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('settlement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='majuu_reports.settlement')),
                ('seen_in', models.ForeignKey(help_text='The latest statement that shows it.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='majuu_reports.settlement')),
                ('provider_account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='settlement_lines', to='majuu_merchants.provideraccount')),
                ('livemode', models.BooleanField()),
                ('day', models.DateField(help_text="In the account's own time zone.")),
                ('receipt', models.CharField(max_length=64)),
                ('kind', models.CharField(choices=[('charge', 'Payment'), ('refund', 'Refund'), ('fee', 'Fee'), ('payout', 'Payout'), ('dispute', 'Dispute'), ('adjustment', 'Other movement')], max_length=16)),
                ('direction', models.CharField(choices=[('in', 'In'), ('out', 'Out')], max_length=3)),
                ('leg', models.PositiveSmallIntegerField(default=1)),
                ('amount', models.DecimalField(decimal_places=4, max_digits=19)),
                ('currency', models.CharField(choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], max_length=3)),
                ('fee', models.DecimalField(decimal_places=4, max_digits=19, null=True)),
                ('balance_after', models.DecimalField(decimal_places=4, max_digits=19, null=True)),
                ('occurred_at', models.DateTimeField()),
                ('counterparty', models.CharField(blank=True, max_length=200)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('reference', models.CharField(blank=True, max_length=64)),
                ('linked_receipt', models.CharField(blank=True, max_length=64)),
                ('line_id', models.CharField(blank=True, max_length=64, null=True)),
                ('object_id', models.CharField(blank=True, help_text='Our public id, as the provider repeats it.', max_length=40)),
                ('provider_reference', models.CharField(blank=True, max_length=128)),
                ('payout_reference', models.CharField(blank=True, help_text='The payout to the bank that holds it.', max_length=64)),
                ('presented_amount', models.DecimalField(decimal_places=4, help_text="What the customer paid, in the customer's own currency.", max_digits=19, null=True)),
                ('presented_currency', models.CharField(blank=True, choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], max_length=3)),
                ('raw', models.JSONField(default=dict)),
                ('line_number', models.PositiveIntegerField()),
                ('outcome', models.CharField(blank=True, choices=[('', 'Not closed yet'), ('matched', 'Matched'), ('missing_here', 'Missing here'), ('amount_differs', 'Amount differs'), ('duplicate', 'Duplicate')], default='', max_length=16)),
            ],
            options={
                'indexes': [models.Index(fields=['provider_account', 'day', 'receipt'], name='majuu_settlement_line_by_day'), models.Index(fields=['provider_account', 'object_id'], name='majuu_line_by_object'), models.Index(fields=['provider_account', 'provider_reference'], name='majuu_line_by_reference'), models.Index(fields=['provider_account', 'payout_reference'], name='majuu_line_by_payout'), models.Index(condition=models.Q(('kind', 'payout'), ('payout_reference__gt', '')), fields=['id'], name='majuu_line_bank_payout')],
                'constraints': [models.UniqueConstraint(fields=('provider_account', 'receipt', 'kind', 'direction', 'leg'), name='majuu_settlement_line_once'), models.UniqueConstraint(fields=('provider_account', 'line_id'), name='majuu_settlement_line_id_once'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='majuu_settlement_line_positive')],
            },
        ),
        migrations.CreateModel(
            name='Mismatch',
            fields=[
                ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('close', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='mismatches', to='majuu_reports.close')),
                ('provider_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mismatches', to='majuu_merchants.provideraccount')),
                ('livemode', models.BooleanField()),
                ('key', models.CharField(editable=False, help_text='The same difference has the same key.', max_length=160)),
                ('kind', models.CharField(choices=[('missing_here', 'Missing here'), ('missing_there', 'Missing there'), ('amount_differs', 'Amount differs'), ('duplicate', 'Duplicate')], max_length=16)),
                ('direction', models.CharField(choices=[('in', 'In'), ('out', 'Out')], max_length=3)),
                ('receipt', models.CharField(blank=True, max_length=64)),
                ('line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mismatches', to='majuu_reports.settlementline')),
                ('object_id', models.CharField(blank=True, help_text='Public id of what we have.', max_length=40)),
                ('here', models.DecimalField(decimal_places=4, help_text='What our books say.', max_digits=19, null=True)),
                ('there', models.DecimalField(decimal_places=4, help_text='What the statement says.', max_digits=19, null=True)),
                ('currency', models.CharField(choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], max_length=3)),
                ('detail', models.CharField(blank=True, max_length=300)),
                ('occurred_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('assigned', 'Assigned'), ('resolved', 'Resolved')], default='open', max_length=16)),
                ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resolution', models.CharField(blank=True, help_text='Why it is settled.', max_length=500)),
                ('resolved_by', models.CharField(blank=True, help_text='Who said so; empty: it disappeared.', max_length=80)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('seen_in_run', models.PositiveIntegerField(default=0, editable=False)),
                ('opened_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
            ],
            options={
                'verbose_name_plural': 'mismatches',
                'indexes': [models.Index(fields=['state', '-id'], name='majuu_mismatch_by_state'), models.Index(fields=['receipt'], name='majuu_mismatch_by_receipt')],
                'constraints': [models.UniqueConstraint(fields=('close', 'key'), name='majuu_mismatch_once')],
            },
            bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
        ),
        migrations.CreateModel(
            name='BankPayout',
            fields=[
            ],
            options={
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('majuu_reports.settlementline',),
        ),
        migrations.CreateModel(
            name='SettlementPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('settlement', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='majuu_reports.settlement')),
                ('number', models.PositiveIntegerField()),
                ('data', models.BinaryField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('settlement', 'number'), name='majuu_settlement_part_once')],
            },
        ),
    ]
