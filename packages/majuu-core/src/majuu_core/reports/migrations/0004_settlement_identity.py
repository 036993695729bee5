from django.db import migrations, models

from majuu_core.database.operations import ExactText, KeepTriggers


class Migration(migrations.Migration):
    """Lines are known by the provider's own id, and found by our references."""

    dependencies = [
        ('majuu_merchants', '0006_breaker'),
        ('majuu_reports', '0003_dispute_lines'),
    ]

    operations = [
        KeepTriggers(
            [
                migrations.AddField(
                    model_name='settlementline',
                    name='line_id',
                    field=models.CharField(blank=True, max_length=64, null=True),
                ),
                migrations.AddField(
                    model_name='settlementline',
                    name='object_id',
                    field=models.CharField(blank=True, help_text='Our public id, as the provider repeats it.', max_length=40),
                ),
                migrations.AddField(
                    model_name='settlementline',
                    name='payout_reference',
                    field=models.CharField(blank=True, help_text='The payout to the bank that holds it.', max_length=64),
                ),
                migrations.AddField(
                    model_name='settlementline',
                    name='presented_amount',
                    field=models.DecimalField(decimal_places=4, help_text="What the customer paid, in the customer's own currency.", max_digits=19, null=True),
                ),
                migrations.AddField(
                    model_name='settlementline',
                    name='presented_currency',
                    field=models.CharField(blank=True, choices=[('AED', 'AED'), ('AOA', 'AOA'), ('AUD', 'AUD'), ('BHD', 'BHD'), ('BIF', 'BIF'), ('BRL', 'BRL'), ('BWP', 'BWP'), ('CAD', 'CAD'), ('CDF', 'CDF'), ('CHF', 'CHF'), ('CLP', 'CLP'), ('CNY', 'CNY'), ('CZK', 'CZK'), ('DJF', 'DJF'), ('DKK', 'DKK'), ('EGP', 'EGP'), ('ETB', 'ETB'), ('EUR', 'EUR'), ('GBP', 'GBP'), ('GHS', 'GHS'), ('GMD', 'GMD'), ('GNF', 'GNF'), ('HKD', 'HKD'), ('HUF', 'HUF'), ('IDR', 'IDR'), ('ILS', 'ILS'), ('INR', 'INR'), ('ISK', 'ISK'), ('JOD', 'JOD'), ('JPY', 'JPY'), ('KES', 'KES'), ('KMF', 'KMF'), ('KRW', 'KRW'), ('KWD', 'KWD'), ('LSL', 'LSL'), ('MAD', 'MAD'), ('MGA', 'MGA'), ('MUR', 'MUR'), ('MWK', 'MWK'), ('MXN', 'MXN'), ('MYR', 'MYR'), ('MZN', 'MZN'), ('NAD', 'NAD'), ('NGN', 'NGN'), ('NOK', 'NOK'), ('NZD', 'NZD'), ('OMR', 'OMR'), ('PHP', 'PHP'), ('PKR', 'PKR'), ('PLN', 'PLN'), ('PYG', 'PYG'), ('QAR', 'QAR'), ('RON', 'RON'), ('RWF', 'RWF'), ('SAR', 'SAR'), ('SCR', 'SCR'), ('SEK', 'SEK'), ('SGD', 'SGD'), ('SLE', 'SLE'), ('SOS', 'SOS'), ('SSP', 'SSP'), ('SZL', 'SZL'), ('THB', 'THB'), ('TND', 'TND'), ('TRY', 'TRY'), ('TWD', 'TWD'), ('TZS', 'TZS'), ('UGX', 'UGX'), ('USD', 'USD'), ('VND', 'VND'), ('VUV', 'VUV'), ('XAF', 'XAF'), ('XOF', 'XOF'), ('XPF', 'XPF'), ('ZAR', 'ZAR'), ('ZMW', 'ZMW')], max_length=3),
                ),
                migrations.AddField(
                    model_name='settlementline',
                    name='provider_reference',
                    field=models.CharField(blank=True, max_length=128),
                ),
                migrations.AlterField(
                    model_name='settlementline',
                    name='kind',
                    field=models.CharField(choices=[('charge', 'Payment'), ('refund', 'Refund'), ('fee', 'Fee'), ('payout', 'Payout'), ('dispute', 'Dispute'), ('adjustment', 'Other movement')], max_length=16),
                ),
                migrations.AddIndex(
                    model_name='settlementline',
                    index=models.Index(fields=['provider_account', 'object_id'], name='majuu_line_by_object'),
                ),
                migrations.AddIndex(
                    model_name='settlementline',
                    index=models.Index(fields=['provider_account', 'provider_reference'], name='majuu_line_by_reference'),
                ),
                migrations.AddIndex(
                    model_name='settlementline',
                    index=models.Index(fields=['provider_account', 'payout_reference'], name='majuu_line_by_payout'),
                ),
                migrations.AddIndex(
                    model_name='settlementline',
                    index=models.Index(condition=models.Q(('kind', 'payout'), ('payout_reference__gt', '')), fields=['id'], name='majuu_line_bank_payout'),
                ),
                migrations.AddConstraint(
                    model_name='settlementline',
                    constraint=models.UniqueConstraint(fields=('provider_account', 'line_id'), name='majuu_settlement_line_id_once'),
                ),
            ]
        ),
        ExactText("majuu_reports_settlementline", "line_id", 64, null=True),
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
    ]
