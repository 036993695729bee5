from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('majuu_webhooks', '0002_exact_text'),
    ]

    operations = [
        migrations.AddField(
            model_name='inboundwebhook',
            name='subject_id',
            field=models.CharField(blank=True, help_text='Public id of what else its address belongs to.', max_length=40),
        ),
        migrations.AddField(
            model_name='inboundwebhook',
            name='topic',
            field=models.CharField(blank=True, help_text='The last part of its address, such as "timeout".', max_length=16),
        ),
    ]
