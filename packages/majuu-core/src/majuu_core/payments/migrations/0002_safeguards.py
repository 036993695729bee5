from django.db import migrations

from majuu_core.database.operations import ExactText, same_mode

CHARGES, INTENTS = "majuu_payments_charge", "majuu_payments_paymentintent"
ACCOUNTS = "majuu_merchants_provideraccount"


class Migration(migrations.Migration):
    """Test and live never mix, and references, receipts and tokens compare exactly, on MariaDB too."""

    # What databases made before the first release have run instead.
    replaces = [("majuu_payments", "0002_modes_agree"), ("majuu_payments", "0003_exact_text"), ("majuu_payments", "0005_money_in_and_out_guards"), ("majuu_payments", "0015_dispute_guards")]
    dependencies = [("majuu_payments", "0001_tables")]
    operations = [
        same_mode("majuu_charge_intent_mode", CHARGES, "payment_intent_id", INTENTS),
        same_mode("majuu_charge_account_mode", CHARGES, "provider_account_id", ACCOUNTS),
        same_mode("majuu_refund_charge_mode", "majuu_payments_refund", "charge_id", CHARGES),
        same_mode("majuu_refund_account_mode", "majuu_payments_refund", "provider_account_id", ACCOUNTS),
        same_mode("majuu_payout_account_mode", "majuu_payments_payout", "provider_account_id", ACCOUNTS),
        same_mode("majuu_incoming_account_mode", "majuu_payments_incomingpayment", "provider_account_id", ACCOUNTS),
        same_mode("majuu_incoming_intent_mode", "majuu_payments_incomingpayment", "payment_intent_id", INTENTS),
        same_mode("majuu_incoming_charge_mode", "majuu_payments_incomingpayment", "charge_id", CHARGES),
        same_mode("majuu_alert_account_mode", "majuu_payments_alert", "provider_account_id", ACCOUNTS),
        same_mode("majuu_balance_account_mode", "majuu_payments_balancesnapshot", "provider_account_id", ACCOUNTS),
        same_mode(
            "majuu_saved_customer_mode", "majuu_payments_savedmethod", "customer_id", "majuu_payments_customer"
        ),
        same_mode("majuu_saved_account_mode", "majuu_payments_savedmethod", "provider_account_id", ACCOUNTS),
        same_mode("majuu_dispute_charge_mode", "majuu_payments_dispute", "charge_id", CHARGES),
        same_mode("majuu_dispute_account_mode", "majuu_payments_dispute", "provider_account_id", ACCOUNTS),
        ExactText(CHARGES, "provider_reference", 128, null=True),
        ExactText(CHARGES, "receipt", 64, null=True),
        ExactText(INTENTS, "link_token", 32),
        ExactText(INTENTS, "customer_email_key", 254),
        ExactText(INTENTS, "customer_phone_key", 15),
        ExactText("majuu_payments_refund", "provider_reference", 128, null=True),
        ExactText("majuu_payments_payout", "provider_reference", 128, null=True),
        ExactText("majuu_payments_payout", "reference", 64),
        ExactText("majuu_payments_incomingpayment", "receipt", 64),
        ExactText("majuu_payments_claim", "active_key", 128, null=True),
        ExactText("majuu_payments_alert", "open_key", 190, null=True),
        ExactText("majuu_payments_customer", "reference", 64, null=True),
        ExactText("majuu_payments_savedmethod", "provider_reference", 128, null=True),
        ExactText("majuu_payments_dispute", "provider_reference", 128),
    ]
