"""What the database itself refuses and keeps for the ledger, on PostgreSQL, SQLite and MariaDB.

* Accounts, transactions and transfers are append-only.
* A transfer's accounts have its currency and mode; its transaction has its mode.
* What resolves a hold repeats it: same accounts, currency, mode; posts at most, voids exactly, its amount.
* Balances are kept by a trigger on transfers and cannot be written otherwise.

The migration installs these guards; ``manage.py majuu_ledger verify`` checks that they are still there, unchanged.
"""

# ruff: noqa: S608 - names of tables and columns, no values
from __future__ import annotations

from majuu_core.database.operations import AppendOnly, CompositeForeignKey, VendorSQL

ACCOUNTS = "majuu_ledger_ledgeraccount"
TRANSACTIONS = "majuu_ledger_ledgertransaction"
TRANSFERS = "majuu_ledger_ledgertransfer"
BALANCES = "majuu_ledger_ledgerbalance"
SLOTS = 64
HOLD_RULE = "majuu_transfer_fits_its_hold"
BALANCE_RULE = f"{BALANCES} is kept by triggers on transfers"

# Advisory locks of this class belong to slots. The number only has to differ from other classes in the database.
_LOCK_CLASS = 19786

_POSTGRESQL_APPLY = f"""
DECLARE
  hold {TRANSFERS}%ROWTYPE;
  posted numeric := 0;
  held numeric := 0;
  first_slot integer := pg_backend_pid() % {SLOTS};
  own_slot integer := NULL;
  touched integer;
BEGIN
  IF NEW.phase = 'posted' THEN
    posted := NEW.amount;
  ELSIF NEW.phase = 'pending' THEN
    held := NEW.amount;
  ELSE
    SELECT * INTO hold FROM {TRANSFERS} WHERE id = NEW.pending_id;
    IF hold.id IS NULL OR hold.phase <> 'pending' OR hold.debit_account_id <> NEW.debit_account_id
       OR hold.credit_account_id <> NEW.credit_account_id OR hold.currency <> NEW.currency
       OR hold.livemode <> NEW.livemode OR NEW.amount > hold.amount
       OR (NEW.phase = 'void_pending' AND NEW.amount <> hold.amount) THEN
      RAISE EXCEPTION '{HOLD_RULE}: transfer % does not fit hold %', NEW.id, NEW.pending_id
        USING ERRCODE = 'check_violation', CONSTRAINT = '{HOLD_RULE}';
    END IF;
    held := -hold.amount;
    IF NEW.phase = 'post_pending' THEN
      posted := NEW.amount;
    END IF;
  END IF;
  FOR step IN 0..{SLOTS - 1} LOOP
    IF pg_try_advisory_xact_lock({_LOCK_CLASS}, (first_slot + step) % {SLOTS}) THEN
      own_slot := (first_slot + step) % {SLOTS};
      EXIT;
    END IF;
  END LOOP;
  IF own_slot IS NULL THEN
    own_slot := first_slot;
    PERFORM pg_advisory_xact_lock({_LOCK_CLASS}, own_slot);
  END IF;
  UPDATE {BALANCES} SET
    debits_posted = debits_posted + CASE WHEN account_id = NEW.debit_account_id THEN posted ELSE 0 END,
    debits_pending = debits_pending + CASE WHEN account_id = NEW.debit_account_id THEN held ELSE 0 END,
    credits_posted = credits_posted + CASE WHEN account_id = NEW.credit_account_id THEN posted ELSE 0 END,
    credits_pending = credits_pending + CASE WHEN account_id = NEW.credit_account_id THEN held ELSE 0 END
  WHERE slot = own_slot AND account_id IN (NEW.debit_account_id, NEW.credit_account_id);
  GET DIAGNOSTICS touched = ROW_COUNT;
  IF touched < 2 THEN
    INSERT INTO {BALANCES} (account_id, slot, debits_posted, debits_pending, credits_posted, credits_pending)
    SELECT side.account_id, own_slot, side.dp, side.dh, side.cp, side.ch
    FROM (VALUES (NEW.debit_account_id, posted, held, 0, 0), (NEW.credit_account_id, 0, 0, posted, held))
      AS side (account_id, dp, dh, cp, ch)
    WHERE NOT EXISTS (
      SELECT 1 FROM {BALANCES} AS present WHERE present.account_id = side.account_id AND present.slot = own_slot
    );
  END IF;
  RETURN NULL;
END
"""

_POSTGRESQL = (
    f"CREATE FUNCTION majuu_ledger_apply_transfer() RETURNS trigger LANGUAGE plpgsql AS $${_POSTGRESQL_APPLY}$$",
    f"CREATE TRIGGER majuu_ledger_transfer_applied AFTER INSERT ON {TRANSFERS} "
    "FOR EACH ROW EXECUTE FUNCTION majuu_ledger_apply_transfer()",
    "CREATE FUNCTION majuu_ledger_refuse_balance() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{BALANCE_RULE}' USING ERRCODE = 'restrict_violation'; END $$",
    # Depth 0: the statement came from outside, not from the trigger above.
    f"CREATE TRIGGER majuu_ledger_balance_kept BEFORE INSERT OR UPDATE OR DELETE ON {BALANCES} "
    "FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION majuu_ledger_refuse_balance()",
    f"CREATE TRIGGER majuu_ledger_balance_no_truncate BEFORE TRUNCATE ON {BALANCES} "
    "EXECUTE FUNCTION majuu_ledger_refuse_balance()",
    # Rows that are updated all the time: room on each page keeps an update within it, without touching the index.
    f"ALTER TABLE {BALANCES} SET (fillfactor = 50)",
)
_POSTGRESQL_BACK = (
    f"ALTER TABLE {BALANCES} RESET (fillfactor)",
    f"DROP TRIGGER majuu_ledger_balance_no_truncate ON {BALANCES}",
    f"DROP TRIGGER majuu_ledger_balance_kept ON {BALANCES}",
    "DROP FUNCTION majuu_ledger_refuse_balance()",
    f"DROP TRIGGER majuu_ledger_transfer_applied ON {TRANSFERS}",
    "DROP FUNCTION majuu_ledger_apply_transfer()",
)

_FITS_HOLD = (
    f"SELECT 1 FROM {TRANSFERS} AS hold WHERE hold.id = NEW.pending_id AND hold.phase = 'pending' "
    "AND hold.debit_account_id = NEW.debit_account_id AND hold.credit_account_id = NEW.credit_account_id "
    "AND hold.currency = NEW.currency AND hold.livemode = NEW.livemode AND (NEW.amount = hold.amount "
    "OR (NEW.phase = 'post_pending' AND NEW.amount < hold.amount))"
)


def _sqlite_side(side: str) -> str:
    """One side's balance. SQLite has floats only: rounding after each step keeps them on the exact decimal."""
    account = f"NEW.{side}_account_id"
    return (
        f"INSERT INTO {BALANCES} (account_id, slot, debits_posted, credits_posted, debits_pending, credits_pending) "
        f"SELECT {account}, 0, 0, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM {BALANCES} WHERE account_id = {account}); "
        f"UPDATE {BALANCES} SET {side}s_posted = ROUND({side}s_posted + "
        "CASE WHEN NEW.phase IN ('posted', 'post_pending') THEN NEW.amount ELSE 0 END, 4), "
        f"{side}s_pending = ROUND({side}s_pending + CASE NEW.phase WHEN 'posted' THEN 0 WHEN 'pending' THEN NEW.amount "
        f"ELSE -(SELECT hold.amount FROM {TRANSFERS} AS hold WHERE hold.id = NEW.pending_id) END, 4) "
        f"WHERE account_id = {account}; "
    )


_SQLITE_BALANCE_GUARDS = tuple(
    f"CREATE TRIGGER majuu_ledger_balance_no_{verb.lower()} BEFORE {verb} ON {BALANCES} "
    "WHEN NOT EXISTS (SELECT 1 FROM majuu_ledger_gate) "
    f"BEGIN SELECT RAISE(ABORT, '{BALANCE_RULE}'); END"
    for verb in ("INSERT", "UPDATE", "DELETE")
)
_SQLITE = (
    f"CREATE TRIGGER majuu_ledger_transfer_hold BEFORE INSERT ON {TRANSFERS} "
    f"WHEN NEW.pending_id IS NOT NULL AND NOT EXISTS ({_FITS_HOLD}) "
    f"BEGIN SELECT RAISE(ABORT, '{HOLD_RULE}'); END",
    # Fifteen digits are exact in SQLite's floats; more would be changed silently.
    f"CREATE TRIGGER majuu_ledger_transfer_exact BEFORE INSERT ON {TRANSFERS} "
    "WHEN typeof(NEW.amount) <> 'integer' "
    "AND (typeof(NEW.amount) <> 'real' OR NEW.amount >= 1e11 OR NEW.amount <> ROUND(NEW.amount, 4)) "
    "BEGIN SELECT RAISE(ABORT, 'majuu_transfer_amount_exact: SQLite cannot hold this amount exactly'); END",
    # Open while the next trigger works: how the balances know that it is not somebody else who writes.
    "CREATE TABLE majuu_ledger_gate (is_open integer NOT NULL)",
    f"CREATE TRIGGER majuu_ledger_transfer_applied AFTER INSERT ON {TRANSFERS} BEGIN "
    "INSERT INTO majuu_ledger_gate (is_open) VALUES (1); "
    f"{_sqlite_side('debit')}{_sqlite_side('credit')}"
    "DELETE FROM majuu_ledger_gate; END",
    *_SQLITE_BALANCE_GUARDS,
)
_SQLITE_BACK = (
    "DROP TRIGGER majuu_ledger_balance_no_delete",
    "DROP TRIGGER majuu_ledger_balance_no_update",
    "DROP TRIGGER majuu_ledger_balance_no_insert",
    "DROP TRIGGER majuu_ledger_transfer_applied",
    "DROP TABLE majuu_ledger_gate",
    "DROP TRIGGER majuu_ledger_transfer_exact",
    "DROP TRIGGER majuu_ledger_transfer_hold",
)


def _mariadb_side(account: str) -> str:
    """One account's balance: update its row in this connection's slot, or make it."""
    return f"""
  UPDATE {BALANCES} SET
    debits_posted = debits_posted + IF({account} = NEW.debit_account_id, posted, 0),
    debits_pending = debits_pending + IF({account} = NEW.debit_account_id, held, 0),
    credits_posted = credits_posted + IF({account} = NEW.credit_account_id, posted, 0),
    credits_pending = credits_pending + IF({account} = NEW.credit_account_id, held, 0)
  WHERE account_id = {account} AND slot = own_slot;
  IF ROW_COUNT() = 0 THEN
    INSERT INTO {BALANCES} (account_id, slot, debits_posted, debits_pending, credits_posted, credits_pending)
    VALUES ({account}, own_slot,
      IF({account} = NEW.debit_account_id, posted, 0), IF({account} = NEW.debit_account_id, held, 0),
      IF({account} = NEW.credit_account_id, posted, 0), IF({account} = NEW.credit_account_id, held, 0));
  END IF;"""


_MARIADB_APPLY = f"""BEGIN
  DECLARE posted DECIMAL(27, 4) DEFAULT 0;
  DECLARE held DECIMAL(27, 4) DEFAULT 0;
  DECLARE own_slot INT DEFAULT CONNECTION_ID() % {SLOTS};
  DECLARE first_account CHAR(36) DEFAULT LEAST(NEW.debit_account_id, NEW.credit_account_id);
  DECLARE second_account CHAR(36) DEFAULT GREATEST(NEW.debit_account_id, NEW.credit_account_id);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SET @majuu_ledger_open = NULL; RESIGNAL; END;
  IF NEW.phase IN ('posted', 'post_pending') THEN SET posted = NEW.amount; END IF;
  IF NEW.phase = 'pending' THEN SET held = NEW.amount; END IF;
  IF NEW.pending_id IS NOT NULL THEN
    IF NOT EXISTS ({_FITS_HOLD}) THEN
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{HOLD_RULE}';
    END IF;
    SET held = -(SELECT hold.amount FROM {TRANSFERS} AS hold WHERE hold.id = NEW.pending_id);
  END IF;
  SET @majuu_ledger_open = 1;{_mariadb_side("first_account")}{_mariadb_side("second_account")}
  SET @majuu_ledger_open = NULL;
END"""

_MARIADB = (
    f"CREATE TRIGGER majuu_ledger_transfer_applied AFTER INSERT ON {TRANSFERS} FOR EACH ROW {_MARIADB_APPLY}",
    *(
        f"CREATE TRIGGER majuu_ledger_balance_no_{verb.lower()} BEFORE {verb} ON {BALANCES} FOR EACH ROW "
        "BEGIN IF @majuu_ledger_open IS NULL THEN "
        f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{BALANCE_RULE}'; END IF; END"
        for verb in ("INSERT", "UPDATE", "DELETE")
    ),
)
_MARIADB_BACK = (
    "DROP TRIGGER majuu_ledger_balance_no_delete",
    "DROP TRIGGER majuu_ledger_balance_no_update",
    "DROP TRIGGER majuu_ledger_balance_no_insert",
    "DROP TRIGGER majuu_ledger_transfer_applied",
)

LEDGER_GUARDS: tuple[VendorSQL, ...] = (
    AppendOnly(ACCOUNTS, unique=(("id",), ("kind", "owner", "currency", "livemode"))),
    AppendOnly(TRANSACTIONS, unique=(("id",), ("key",), ("reverses_id",))),
    AppendOnly(TRANSFERS, unique=(("id",), ("pending_id",))),
    *(
        CompositeForeignKey(
            f"majuu_transfer_{side}_fits",
            TRANSFERS,
            (f"{side}_account_id", "currency", "livemode"),
            ACCOUNTS,
            ("id", "currency", "livemode"),
        )
        for side in ("debit", "credit")
    ),
    CompositeForeignKey(
        "majuu_transfer_transaction_fits", TRANSFERS, ("transaction_id", "livemode"), TRANSACTIONS, ("id", "livemode")
    ),
    CompositeForeignKey(
        "majuu_transaction_reverses_fits", TRANSACTIONS, ("reverses_id", "livemode"), TRANSACTIONS, ("id", "livemode")
    ),
    VendorSQL(
        forwards={"postgresql": _POSTGRESQL, "sqlite": _SQLITE, "mysql": _MARIADB},
        backwards={"postgresql": _POSTGRESQL_BACK, "sqlite": _SQLITE_BACK, "mysql": _MARIADB_BACK},
    ),
)
