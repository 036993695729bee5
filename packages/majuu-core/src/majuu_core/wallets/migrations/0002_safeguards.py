from django.db import migrations

from majuu_core.database.operations import ExactText, same_mode


class Migration(migrations.Migration):
    """Test and live never mix, and customers' references compare exactly, on MariaDB too."""

    # What databases made before the first release have run instead.
    replaces = [("majuu_wallets", "0002_guards")]
    dependencies = [("majuu_wallets", "0001_tables")]
    operations = [
        same_mode("majuu_deposit_wallet_mode", "majuu_wallets_walletdeposit", "wallet_id", "majuu_wallets_wallet"),
        same_mode(
            "majuu_deposit_intent_mode",
            "majuu_wallets_walletdeposit",
            "payment_intent_id",
            "majuu_payments_paymentintent",
        ),
        same_mode("majuu_wpayment_wallet_mode", "majuu_wallets_walletpayment", "wallet_id", "majuu_wallets_wallet"),
        same_mode("majuu_wpayment_charge_mode", "majuu_wallets_walletpayment", "charge_id", "majuu_payments_charge"),
        same_mode("majuu_withdrawal_wallet_mode", "majuu_wallets_walletwithdrawal", "wallet_id", "majuu_wallets_wallet"),
        ExactText("majuu_wallets_wallet", "customer_reference", 64),
    ]
