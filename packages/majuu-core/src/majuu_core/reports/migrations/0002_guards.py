from django.db import migrations

from majuu_core.database.operations import CompositeForeignKey, ExactText

ACCOUNTS = "majuu_merchants_provideraccount"


def same_mode(name: str, table: str, column: str, to_table: str) -> CompositeForeignKey:
    return CompositeForeignKey(name, f"majuu_reports_{table}", (column, "livemode"), to_table, ("id", "livemode"))


class Migration(migrations.Migration):
    """Test and live never mix, and receipts and keys compare exactly, on MariaDB too."""

    dependencies = [("majuu_reports", "0001_initial")]
    operations = [
        same_mode("majuu_settlement_account_mode", "settlement", "provider_account_id", ACCOUNTS),
        same_mode("majuu_line_account_mode", "settlementline", "provider_account_id", ACCOUNTS),
        same_mode("majuu_line_settlement_mode", "settlementline", "settlement_id", "majuu_reports_settlement"),
        same_mode("majuu_close_account_mode", "close", "provider_account_id", ACCOUNTS),
        same_mode("majuu_mismatch_account_mode", "mismatch", "provider_account_id", ACCOUNTS),
        same_mode("majuu_mismatch_close_mode", "mismatch", "close_id", "majuu_reports_close"),
        ExactText("majuu_reports_settlementline", "receipt", 64),
        ExactText("majuu_reports_mismatch", "key", 160),
    ]
