from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_merchants', '0005_intake_store'),
    ]

    operations = [
        KeepTriggers(
            [
                migrations.AddField(
                    model_name='provideraccount',
                    name='breaker',
                    field=models.CharField(choices=[('closed', 'Called as usual'), ('open', 'Not called: it does not answer'), ('half_open', 'Being tried')], default='closed', max_length=16),
                ),
                migrations.AddField(
                    model_name='provideraccount',
                    name='breaker_failures',
                    field=models.PositiveIntegerField(default=0, help_text='Calls without an answer, one after the other.'),
                ),
                migrations.AddField(
                    model_name='provideraccount',
                    name='breaker_reason',
                    field=models.CharField(blank=True, max_length=200),
                ),
                migrations.AddField(
                    model_name='provideraccount',
                    name='breaker_until',
                    field=models.DateTimeField(blank=True, help_text='When it may be tried next.', null=True),
                ),
            ]
        )
    ]
