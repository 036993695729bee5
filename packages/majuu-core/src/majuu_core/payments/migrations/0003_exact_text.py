from django.db import migrations

from majuu_core.database.operations import ExactText


class Migration(migrations.Migration):
    """References, receipts and link tokens compare exactly, on MariaDB too."""

    dependencies = [("majuu_payments", "0002_modes_agree")]
    operations = [
        ExactText("majuu_payments_charge", "provider_reference", 128, null=True),
        ExactText("majuu_payments_charge", "receipt", 64, null=True),
        ExactText("majuu_payments_paymentintent", "link_token", 32),
    ]
