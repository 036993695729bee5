from django.db import migrations

from majuu_core.database.operations import VendorSQL


def refuse_changes(name: str, table: str, columns: tuple[str, ...], message: str) -> VendorSQL:
    """These columns keep the value they were inserted with."""
    different = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
    different_sqlite = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
    same_mysql = " AND ".join(f"NEW.{column} <=> OLD.{column}" for column in columns)
    return VendorSQL(
        forwards={
            "postgresql": [
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END $$",
                f"CREATE TRIGGER {name} BEFORE UPDATE OF {', '.join(columns)} ON {table} "
                f"FOR EACH ROW WHEN ({different}) EXECUTE FUNCTION {name}()",
            ],
            "sqlite": [
                f"CREATE TRIGGER {name} BEFORE UPDATE OF {', '.join(columns)} ON {table} "
                f"WHEN {different_sqlite} BEGIN SELECT RAISE(ABORT, '{message}'); END"
            ],
            "mysql": [
                f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW "
                f"IF NOT ({same_mysql}) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'; END IF"
            ],
        },
        backwards={
            "postgresql": [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"],
            "sqlite": [f"DROP TRIGGER {name}"],
            "mysql": [f"DROP TRIGGER {name}"],
        },
    )


class Migration(migrations.Migration):
    """A test key never becomes a live one, and an account never changes its mode, its provider or its store."""

    dependencies = [("majuu_merchants", "0001_initial")]
    operations = [
        refuse_changes(
            "majuu_account_fixed",
            "majuu_merchants_provideraccount",
            ("store_id", "provider", "livemode"),
            "store, provider and mode of a provider account never change",
        ),
        refuse_changes(
            "majuu_key_fixed",
            "majuu_merchants_apikey",
            ("store_id", "kind", "livemode"),
            "store, kind and mode of an API key never change",
        ),
    ]
