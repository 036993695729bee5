from django.db import migrations

from majuu_core.ledger.guards import LEDGER_GUARDS


class Migration(migrations.Migration):
    """Append-only rows, accounts that agree, holds resolved rightly, balances kept by triggers (see guards.py)."""

    dependencies = [("majuu_ledger", "0001_initial")]
    operations = list(LEDGER_GUARDS)
