from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_merchants', '0005_intake_store'),
        ('majuu_payments', '0009_incoming_checks'),
    ]

    operations = [
        KeepTriggers(
            [
                migrations.AddField(
                    model_name='charge',
                    name='amount_to_capture',
                    field=models.DecimalField(decimal_places=4, help_text='What was asked to be captured; empty: nothing yet.', max_digits=19, null=True),
                ),
                migrations.AddField(
                    model_name='charge',
                    name='capture_before',
                    field=models.DateTimeField(help_text='When the provider lets the hold go.', null=True),
                ),
                migrations.AddField(
                    model_name='charge',
                    name='capture_key',
                    field=models.CharField(blank=True, help_text='The API request that captured it.', max_length=64),
                ),
                migrations.AddField(
                    model_name='charge',
                    name='fx_rate',
                    field=models.DecimalField(decimal_places=12, help_text='Charged for one owed.', max_digits=28, null=True),
                ),
                migrations.AddField(
                    model_name='charge',
                    name='fx_source',
                    field=models.CharField(blank=True, max_length=64),
                ),
                migrations.AddField(
                    model_name='charge',
                    name='settles_amount',
                    field=models.DecimalField(decimal_places=4, max_digits=19, null=True),
                ),
                migrations.AddField(
                    model_name='charge',
                    name='void_requested_at',
                    field=models.DateTimeField(help_text='When the hold was asked to be let go.', null=True),
                ),
                migrations.AddField(
                    model_name='paymentintent',
                    name='amount_capturable',
                    field=models.DecimalField(decimal_places=4, default=0, max_digits=19),
                ),
                migrations.AddConstraint(
                    model_name='charge',
                    constraint=models.CheckConstraint(condition=models.Q(('amount_to_capture__isnull', True), models.Q(('amount_to_capture__gt', 0), ('amount_to_capture__lte', models.F('amount'))), _connector='OR'), name='majuu_charge_capture_within_amount'),
                ),
                migrations.AddConstraint(
                    model_name='charge',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('fx_rate__isnull', True), ('settles_amount__isnull', True)), models.Q(('fx_rate__gt', 0), ('settles_amount__gte', 0)), _connector='OR'), name='majuu_charge_exchanged'),
                ),
                migrations.AddField(
                    model_name='refund',
                    name='settles_amount',
                    field=models.DecimalField(decimal_places=4, max_digits=19, null=True),
                ),
            ]
        )
    ]
