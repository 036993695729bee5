import django.db.models.deletion
import djmoney.models.fields
import majuu_core.common.clock
import majuu_core.common.ids
import majuu_core.database.public_ids
from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_merchants', '0005_intake_store'),
        ('majuu_payments', '0013_hold_attempts'),
    ]

    operations = [
        KeepTriggers(
            [
                migrations.CreateModel(
                    name='DisputeWatch',
                    fields=[
                        ('provider_account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, serialize=False, to='majuu_merchants.provideraccount')),
                        ('seen_until', models.DateTimeField()),
                    ],
                ),
                migrations.AddField(
                    model_name='charge',
                    name='dispute_status',
                    field=models.CharField(choices=[('none', 'Not disputed'), ('open', 'Disputed'), ('won', 'Dispute won'), ('lost', 'Dispute lost')], default='none', help_text='Of all its disputes.', max_length=8),
                ),
                migrations.AddField(
                    model_name='paymentintent',
                    name='is_disputed',
                    field=models.BooleanField(default=False, help_text='A dispute over it is open, or was lost.'),
                ),
                migrations.AlterField(
                    model_name='alert',
                    name='kind',
                    field=models.CharField(choices=[('low_balance', 'Low balance'), ('callback_silence', 'No callbacks'), ('parked', 'Waiting for a person'), ('unhealthy', 'Credentials refused'), ('no_answer', 'Provider does not answer'), ('lapsing', 'Authorization about to lapse'), ('dispute_due', 'Dispute to answer'), ('dispute_unknown', 'Dispute of an unknown payment')], max_length=32),
                ),
                migrations.CreateModel(
                    name='Dispute',
                    fields=[
                        ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                        ('livemode', models.BooleanField()),
                        ('currency', djmoney.models.fields.CurrencyField(choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], default=None, editable=False, max_length=3)),
                        ('amount', djmoney.models.fields.MoneyField(currency_choices=(('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')), currency_field_name='currency', decimal_places=4, max_digits=19)),
                        ('status', models.CharField(choices=[('needs_response', 'Needs an answer'), ('under_review', 'Under review'), ('won', 'Won'), ('lost', 'Lost'), ('accepted', 'Accepted'), ('expired', 'Expired')], max_length=16)),
                        ('reason', models.CharField(choices=[('fraudulent', 'Fraudulent'), ('not_received', 'Not received'), ('not_as_described', 'Not as described'), ('duplicate', 'Duplicate'), ('credit_not_processed', 'Credit not processed'), ('canceled', 'Canceled'), ('incorrect_amount', 'Incorrect amount'), ('unrecognized', 'Unrecognized'), ('general', 'General')], max_length=32)),
                        ('provider_reason', models.CharField(blank=True, help_text='Exactly as the provider sent it.', max_length=128)),
                        ('provider_reference', models.CharField(max_length=128)),
                        ('respond_by', models.DateTimeField(null=True)),
                        ('told_at', models.DateTimeField(help_text='When the status became so, as the provider says.')),
                        ('withdrawn', models.DecimalField(decimal_places=4, default=0, help_text='What the provider holds back now, fees apart.', max_digits=19)),
                        ('withdrawn_told', models.DecimalField(decimal_places=4, max_digits=19, null=True)),
                        ('withdrawn_told_at', models.DateTimeField(null=True)),
                        ('withdrawn_told_with', models.CharField(blank=True, help_text='The status that word came with.', max_length=16)),
                        ('fee', models.DecimalField(decimal_places=4, default=0, help_text='Kept for it until now, in all.', max_digits=19)),
                        ('fee_currency', models.CharField(blank=True, choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], max_length=3)),
                        ('fee_told_at', models.DateTimeField(null=True)),
                        ('opened_at', models.DateTimeField()),
                        ('closed_at', models.DateTimeField(null=True)),
                        ('evidence_submitted_at', models.DateTimeField(null=True)),
                        ('accepted_at', models.DateTimeField(null=True)),
                        ('submitting_at', models.DateTimeField(null=True)),
                        ('accepting_at', models.DateTimeField(null=True)),
                        ('is_parked', models.BooleanField(default=False)),
                        ('parked_reason', models.CharField(blank=True, max_length=255)),
                        ('noted_reason', models.CharField(blank=True, help_text='The doubt that somebody took note of.', max_length=255)),
                        ('follow_up_count', models.PositiveSmallIntegerField(default=0)),
                        ('follow_up_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                        ('updated_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                        ('charge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='majuu_payments.charge')),
                        ('provider_account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='majuu_merchants.provideraccount')),
                        ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='majuu_merchants.store')),
                    ],
                    options={
                        'permissions': [('accept_dispute', 'Can give in to a dispute')],
                    },
                    bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
                ),
                migrations.CreateModel(
                    name='DisputeEvidence',
                    fields=[
                        ('id', models.UUIDField(default=majuu_core.common.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('text', 'Text'), ('file', 'File')], max_length=8)),
                        ('field', models.CharField(max_length=64)),
                        ('text', models.TextField(blank=True)),
                        ('name', models.CharField(blank=True, help_text='Of a file, as it was uploaded.', max_length=200)),
                        ('content_type', models.CharField(blank=True, help_text='Of a file, as its first bytes say.', max_length=64)),
                        ('content', models.BinaryField(null=True)),
                        ('size', models.PositiveIntegerField(default=0)),
                        ('content_hash', models.CharField(blank=True, help_text='SHA-256 of a file.', max_length=64)),
                        ('created_by', models.CharField(blank=True, max_length=80)),
                        ('created_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                        ('updated_at', models.DateTimeField(default=majuu_core.common.clock.now, editable=False)),
                        ('dispute', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='majuu_payments.dispute')),
                    ],
                    bases=(majuu_core.database.public_ids.PublicIdMixin, models.Model),
                ),
                migrations.AddIndex(
                    model_name='dispute',
                    index=models.Index(fields=['store', 'livemode', '-id'], name='majuu_dispute_by_store'),
                ),
                migrations.AddIndex(
                    model_name='dispute',
                    index=models.Index(condition=models.Q(('follow_up_at__isnull', False)), fields=['follow_up_at'], name='majuu_dispute_due'),
                ),
                migrations.AddIndex(
                    model_name='dispute',
                    index=models.Index(condition=models.Q(('status', 'needs_response')), fields=['respond_by', 'id'], name='majuu_dispute_to_answer'),
                ),
                migrations.AddIndex(
                    model_name='dispute',
                    index=models.Index(condition=models.Q(('is_parked', True)), fields=['id'], name='majuu_dispute_parked'),
                ),
                migrations.AddConstraint(
                    model_name='dispute',
                    constraint=models.UniqueConstraint(fields=('provider_account', 'provider_reference'), name='majuu_dispute_provider_reference_once'),
                ),
                migrations.AddConstraint(
                    model_name='dispute',
                    constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='majuu_dispute_amount_positive'),
                ),
                migrations.AddConstraint(
                    model_name='dispute',
                    constraint=models.CheckConstraint(condition=models.Q(('fee__gte', 0), ('withdrawn__gte', 0)), name='majuu_dispute_not_below_zero'),
                ),
            ]
        )
    ]
