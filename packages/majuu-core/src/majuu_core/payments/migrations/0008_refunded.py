from django.db import migrations, models

from majuu_core.database.operations import KeepTriggers


def amount() -> models.DecimalField:
    return models.DecimalField(decimal_places=4, default=0, max_digits=19)


class Migration(migrations.Migration):
    """What has been given back stands on the charge too, so that lists need no further query."""

    dependencies = [("majuu_payments", "0007_reconciliation")]
    operations = [
        KeepTriggers([migrations.AddField("charge", "amount_refunded", amount())]),
        KeepTriggers([migrations.AddField("paymentintent", "refunded_unapplied", amount())]),
    ]
