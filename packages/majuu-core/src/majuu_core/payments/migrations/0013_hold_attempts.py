from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_payments', '0012_saved_methods'),
    ]

    operations = [
        KeepTriggers(
            [
                migrations.AddField(
                    model_name='charge',
                    name='hold_attempts',
                    field=models.PositiveSmallIntegerField(default=0, help_text='How often a capture or void was asked for.'),
                ),
                migrations.AlterField(
                    model_name='alert',
                    name='kind',
                    field=models.CharField(choices=[('low_balance', 'Low balance'), ('callback_silence', 'No callbacks'), ('parked', 'Waiting for a person'), ('unhealthy', 'Credentials refused'), ('no_answer', 'Provider does not answer'), ('lapsing', 'Authorization about to lapse')], max_length=32),
                ),
            ]
        )
    ]
