from django.db import migrations

from majuu_core.database.operations import CompositeForeignKey, ExactText

ACCOUNTS = "majuu_merchants_provideraccount"


def same_mode(name: str, table: str, column: str, to_table: str) -> CompositeForeignKey:
    return CompositeForeignKey(name, table, (column, "livemode"), to_table, ("id", "livemode"))


class Migration(migrations.Migration):
    """Test and live never mix, and references and receipts compare exactly, on MariaDB too."""

    dependencies = [("majuu_payments", "0004_money_in_and_out")]
    operations = [
        same_mode("majuu_refund_charge_mode", "majuu_payments_refund", "charge_id", "majuu_payments_charge"),
        same_mode("majuu_refund_account_mode", "majuu_payments_refund", "provider_account_id", ACCOUNTS),
        same_mode("majuu_payout_account_mode", "majuu_payments_payout", "provider_account_id", ACCOUNTS),
        same_mode("majuu_incoming_account_mode", "majuu_payments_incomingpayment", "provider_account_id", ACCOUNTS),
        same_mode(
            "majuu_incoming_intent_mode",
            "majuu_payments_incomingpayment",
            "payment_intent_id",
            "majuu_payments_paymentintent",
        ),
        same_mode("majuu_incoming_charge_mode", "majuu_payments_incomingpayment", "charge_id", "majuu_payments_charge"),
        ExactText("majuu_payments_refund", "provider_reference", 128, null=True),
        ExactText("majuu_payments_payout", "provider_reference", 128, null=True),
        ExactText("majuu_payments_payout", "reference", 64),
        ExactText("majuu_payments_incomingpayment", "receipt", 64),
        ExactText("majuu_payments_claim", "active_key", 128, null=True),
    ]
