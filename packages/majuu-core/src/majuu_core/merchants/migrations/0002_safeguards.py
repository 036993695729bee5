from django.db import migrations

from majuu_core.database.operations import (
    AppendOnly,
    CompositeForeignKey,
    ExactText,
    refuse_changes,
    refuse_insert,
)

KEYS, APPROVALS = "majuu_merchants_apikey", "majuu_merchants_liveapproval"
STORES, MERCHANTS = "majuu_merchants_store", "majuu_merchants_merchant"


class Migration(migrations.Migration):
    """What is fixed for good, and that a live key needs the approval of its own store's business, approved when it is made."""

    # What databases made before the first release have run instead.
    replaces = [("majuu_merchants", "0002_fixed_for_good"), ("majuu_merchants", "0003_exact_text"), ("majuu_merchants", "0009_live_keys_guarded")]
    dependencies = [("majuu_merchants", "0001_tables")]
    operations = [
        refuse_changes(
            "majuu_account_fixed",
            "majuu_merchants_provideraccount",
            ("store_id", "provider", "livemode"),
            "store, provider and mode of a provider account never change",
        ),
        refuse_changes(
            "majuu_key_fixed",
            KEYS,
            ("store_id", "kind", "livemode"),
            "store, kind and mode of an API key never change",
        ),
        ExactText(KEYS, "key_hash", 64),
        CompositeForeignKey(
            "majuu_key_own_approval", KEYS, ("store_id", "live_approval_id"), STORES, ("id", "merchant_id")
        ),
        refuse_changes("majuu_store_fixed", STORES, ("merchant_id",), "a store never changes its business"),
        refuse_changes("majuu_approval_fixed", APPROVALS, ("merchant_id",), "an approval never changes its business"),
        refuse_insert(
            "majuu_approval_approved",
            APPROVALS,
            f"NOT EXISTS (SELECT 1 FROM {MERCHANTS} WHERE id = NEW.merchant_id AND status = 'approved')",
            "an approval needs an approved business",
        ),
        refuse_insert(
            "majuu_key_needs_approval",
            KEYS,
            f"NEW.livemode AND NOT EXISTS (SELECT 1 FROM {STORES} JOIN {MERCHANTS} "
            f"ON {MERCHANTS}.id = {STORES}.merchant_id "
            f"WHERE {STORES}.id = NEW.store_id AND {MERCHANTS}.status = 'approved')",
            "a live key needs an approved business",
        ),
        AppendOnly("majuu_merchants_kycdecision"),
    ]
