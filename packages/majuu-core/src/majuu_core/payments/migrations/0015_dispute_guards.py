from django.db import migrations

from majuu_core.database.operations import CompositeForeignKey, ExactText

DISPUTES = "majuu_payments_dispute"


def same_mode(name: str, column: str, to_table: str) -> CompositeForeignKey:
    return CompositeForeignKey(name, DISPUTES, (column, "livemode"), to_table, ("id", "livemode"))


class Migration(migrations.Migration):
    """A dispute has the mode of its charge and of its account, and its reference compares exactly, on MariaDB too."""

    dependencies = [("majuu_payments", "0014_disputes")]
    operations = [
        same_mode("majuu_dispute_charge_mode", "charge_id", "majuu_payments_charge"),
        same_mode("majuu_dispute_account_mode", "provider_account_id", "majuu_merchants_provideraccount"),
        ExactText(DISPUTES, "provider_reference", 128),
    ]
