from django.db import migrations, models

from majuu_core.database.operations import AppendOnly, CompositeForeignKey, KeepTriggers, VendorSQL

KEYS, APPROVALS = "majuu_merchants_apikey", "majuu_merchants_liveapproval"
STORES, MERCHANTS = "majuu_merchants_store", "majuu_merchants_merchant"


def refuse_insert(name, table, wrong, message):
    """A row of ``table`` for which ``wrong`` is true is not inserted."""
    return VendorSQL(
        forwards={
            "postgresql": [
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN IF {wrong} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END IF; "
                "RETURN NEW; END $$",
                f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            ],
            "sqlite": [
                f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN {wrong} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            ],
            "mysql": [
                f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW "
                f"IF {wrong} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'; END IF"
            ],
        },
        backwards={
            "postgresql": [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"],
            "sqlite": [f"DROP TRIGGER {name}"],
            "mysql": [f"DROP TRIGGER {name}"],
        },
    )


def refuse_changes(name, table, column, message):
    """This column keeps the value it was inserted with."""
    return VendorSQL(
        forwards={
            "postgresql": [
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END $$",
                f"CREATE TRIGGER {name} BEFORE UPDATE OF {column} ON {table} "
                f"FOR EACH ROW WHEN (NEW.{column} IS DISTINCT FROM OLD.{column}) EXECUTE FUNCTION {name}()",
            ],
            "sqlite": [
                f"CREATE TRIGGER {name} BEFORE UPDATE OF {column} ON {table} "
                f"WHEN NEW.{column} IS NOT OLD.{column} BEGIN SELECT RAISE(ABORT, '{message}'); END"
            ],
            "mysql": [
                f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW "
                f"IF NOT (NEW.{column} <=> OLD.{column}) THEN "
                f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'; END IF"
            ],
        },
        backwards={
            "postgresql": [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"],
            "sqlite": [f"DROP TRIGGER {name}"],
            "mysql": [f"DROP TRIGGER {name}"],
        },
    )


class Migration(migrations.Migration):
    """A live key needs the approval of its own store's business, and that business approved when it is made."""

    dependencies = [("majuu_merchants", "0008_live_approvals")]
    operations = [
        KeepTriggers(
            [
                migrations.AddConstraint(
                    model_name="apikey",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("live_approval__isnull", True), ("livemode", False)),
                            models.Q(("live_approval__isnull", False), ("livemode", True)),
                            _connector="OR",
                        ),
                        name="majuu_key_live_approved",
                    ),
                ),
            ]
        ),
        CompositeForeignKey(
            "majuu_key_own_approval", KEYS, ("store_id", "live_approval_id"), STORES, ("id", "merchant_id")
        ),
        refuse_changes("majuu_store_fixed", STORES, "merchant_id", "a store never changes its business"),
        refuse_changes("majuu_approval_fixed", APPROVALS, "merchant_id", "an approval never changes its business"),
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
