from django.db import migrations

from majuu_core.database.operations import CompositeForeignKey, ExactText


def same_mode(name: str, table: str, column: str, to_table: str) -> CompositeForeignKey:
    return CompositeForeignKey(
        name, f"majuu_wallets_{table}", (column, "livemode"), f"majuu_{to_table}", ("id", "livemode")
    )


class Migration(migrations.Migration):
    """Test and live never mix, and customers' references compare exactly, on MariaDB too."""

    dependencies = [("majuu_wallets", "0001_initial")]
    operations = [
        same_mode("majuu_deposit_wallet_mode", "walletdeposit", "wallet_id", "wallets_wallet"),
        same_mode("majuu_deposit_intent_mode", "walletdeposit", "payment_intent_id", "payments_paymentintent"),
        same_mode("majuu_wpayment_wallet_mode", "walletpayment", "wallet_id", "wallets_wallet"),
        same_mode("majuu_wpayment_charge_mode", "walletpayment", "charge_id", "payments_charge"),
        same_mode("majuu_withdrawal_wallet_mode", "walletwithdrawal", "wallet_id", "wallets_wallet"),
        ExactText("majuu_wallets_wallet", "customer_reference", 64),
    ]
