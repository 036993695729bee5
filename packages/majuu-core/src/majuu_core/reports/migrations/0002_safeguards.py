from django.db import migrations

from majuu_core.database.operations import ExactText, same_mode

ACCOUNTS = "majuu_merchants_provideraccount"


class Migration(migrations.Migration):
    """Test and live never mix, and receipts and keys compare exactly, on MariaDB too."""

    # What databases made before the first release have run instead.
    replaces = [("majuu_reports", "0002_guards")]
    dependencies = [("majuu_reports", "0001_tables")]
    operations = [
        same_mode("majuu_settlement_account_mode", "majuu_reports_settlement", "provider_account_id", ACCOUNTS),
        same_mode("majuu_line_account_mode", "majuu_reports_settlementline", "provider_account_id", ACCOUNTS),
        same_mode(
            "majuu_line_settlement_mode", "majuu_reports_settlementline", "settlement_id", "majuu_reports_settlement"
        ),
        same_mode("majuu_close_account_mode", "majuu_reports_close", "provider_account_id", ACCOUNTS),
        same_mode("majuu_mismatch_account_mode", "majuu_reports_mismatch", "provider_account_id", ACCOUNTS),
        same_mode("majuu_mismatch_close_mode", "majuu_reports_mismatch", "close_id", "majuu_reports_close"),
        ExactText("majuu_reports_settlementline", "receipt", 64),
        ExactText("majuu_reports_settlementline", "line_id", 64, null=True),
        ExactText("majuu_reports_mismatch", "key", 160),
    ]
