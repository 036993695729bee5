from django.db import migrations

from majuu_core.database.operations import CompositeForeignKey


class Migration(migrations.Migration):
    """Test and live never mix: a charge has the mode of its intent and of its provider account."""

    dependencies = [("majuu_payments", "0001_initial")]
    operations = [
        CompositeForeignKey(
            "majuu_charge_intent_mode",
            "majuu_payments_charge",
            ("payment_intent_id", "livemode"),
            "majuu_payments_paymentintent",
            ("id", "livemode"),
        ),
        CompositeForeignKey(
            "majuu_charge_account_mode",
            "majuu_payments_charge",
            ("provider_account_id", "livemode"),
            "majuu_merchants_provideraccount",
            ("id", "livemode"),
        ),
    ]
