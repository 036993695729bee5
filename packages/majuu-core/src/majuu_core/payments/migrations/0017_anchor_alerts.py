from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("majuu_payments", "0016_sightings")]

    operations = [
        migrations.AlterField(
            "alert",
            "kind",
            models.CharField(
                choices=[
                    ("low_balance", "Low balance"),
                    ("callback_silence", "No callbacks"),
                    ("parked", "Waiting for a person"),
                    ("unhealthy", "Credentials refused"),
                    ("no_answer", "Provider does not answer"),
                    ("lapsing", "Authorization about to lapse"),
                    ("dispute_due", "Dispute to answer"),
                    ("anchor", "Audit anchor failed"),
                    ("dispute_unknown", "Dispute of an unknown payment"),
                ],
                max_length=32,
            ),
        ),
    ]
