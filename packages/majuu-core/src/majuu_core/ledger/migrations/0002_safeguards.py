from django.db import migrations

from majuu_core.database.operations import ExactText
from majuu_core.ledger.guards import LEDGER_GUARDS


class Migration(migrations.Migration):
    """Append-only rows, accounts that agree, holds resolved rightly, balances kept by triggers (see guards.py); exact keys."""

    # What databases made before the first release have run instead.
    replaces = [("majuu_ledger", "0002_guards"), ("majuu_ledger", "0003_exact_text")]
    dependencies = [("majuu_ledger", "0001_tables")]
    operations = [*LEDGER_GUARDS, ExactText("majuu_ledger_ledgertransaction", "key", 128)]
