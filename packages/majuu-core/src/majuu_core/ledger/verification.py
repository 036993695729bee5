"""Recomputing the books from their transfers and comparing.

Every check is one statement that finds only what is wrong, so memory stays constant and payments go on meanwhile: a
statement sees the database as of one moment.
"""

# ruff: noqa: S608 - names of tables and columns, no values
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from majuu_core.common.money import MAX_AMOUNT
from majuu_core.database.inspection import constraint_problems, guard_problems
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.guards import ACCOUNTS, BALANCES, LEDGER_GUARDS, TRANSACTIONS, TRANSFERS
from majuu_core.ledger.models import LedgerAccount, LedgerBalance, LedgerTransaction, LedgerTransfer

# Of each check at most this many findings are listed: enough to see what happened.
MAX_FINDINGS = 100
_PAGE = 1000
_POSTED = "('posted', 'post_pending')"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that must not be. ``check`` names the rule, ``subject`` the row, ``message`` says it in words."""

    check: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class _Check:
    """``sql`` selects a subject and details for the message, of which the last ``sums`` are sums of amounts."""

    name: str
    message: str
    sql: str
    sums: int = 0


def find_problems() -> Iterator[Problem]:
    """Everything that is wrong with the books, rule by rule. Nothing, if all is well. Only reads."""
    connection = connections[router.db_for_write(LedgerTransfer)]
    yield from _guards(connection)
    yield from _accounts()
    for check in _checks(connection.vendor):
        yield from _findings(connection, check)


def count_rows() -> dict[str, int]:
    """How many accounts, transactions and transfers there are."""
    return {
        "accounts": LedgerAccount.objects.count(),
        "transactions": LedgerTransaction.objects.count(),
        "transfers": LedgerTransfer.objects.count(),
    }


def _guards(connection: BaseDatabaseWrapper) -> Iterator[Problem]:
    for message in guard_problems(connection, LEDGER_GUARDS):
        yield Problem("guards", "database", message)
    models = (LedgerAccount, LedgerTransaction, LedgerTransfer, LedgerBalance)
    for message in constraint_problems(connection, models):
        yield Problem("guards", "database", message)


def _accounts() -> Iterator[Problem]:
    """An account's id and category follow from its name, which SQL cannot check."""
    rows = LedgerAccount.objects.order_by("pk")
    page = list(rows[:_PAGE])
    while page:
        for account in page:
            message = _account_problem(account)
            if message:
                yield Problem("accounts", account.public_id, message)
        page = list(rows.filter(pk__gt=page[-1].pk)[:_PAGE])


def _account_problem(account: LedgerAccount) -> str:
    try:
        ref = AccountRef(AccountKind(account.kind), account.owner, account.currency, account.livemode)
    except ValueError as error:
        return f"its name means nothing: {error}"
    if ref.id != account.pk:
        return f"its id does not belong to {ref}"
    if ref.kind.category.value != account.category:
        return f"{ref} is filed as {account.category} instead of {ref.kind.category.value}"
    return ""


def _findings(connection: BaseDatabaseWrapper, check: _Check) -> Iterator[Problem]:
    with connection.cursor() as cursor:
        cursor.execute(f"{check.sql} LIMIT {MAX_FINDINGS + 1}")
        rows = cursor.fetchall()
    for row in rows[:MAX_FINDINGS]:
        plain = len(row) - check.sums
        details = [str(value) for value in row[:plain]]
        details += [_amount(value, connection.vendor) for value in row[plain:]]
        yield Problem(check.name, details[0], check.message.format(*details[1:]))
    if len(rows) > MAX_FINDINGS:
        yield Problem(check.name, "...", f"and more than {MAX_FINDINGS} in all")


def _amount(value: Any, vendor: str) -> str:
    number = Decimal(str(value))
    return format(number.scaleb(-4) if vendor == "sqlite" else number, "f")


def _checks(vendor: str) -> list[_Check]:
    # SQLite keeps decimals as floats: whole ten-thousandths add up exactly.
    amount = "CAST(ROUND({0} * 10000) AS INTEGER)" if vendor == "sqlite" else "{0}"
    return [*_row_checks(), *_hold_checks(), *_sum_checks(amount)]


def _row_checks() -> list[_Check]:
    return [
        _Check(
            "transfers",
            "amount {0} in phase {1} is not a move between two accounts",
            f"SELECT id, amount, phase FROM {TRANSFERS} WHERE NOT (amount > 0 AND amount <= {MAX_AMOUNT}) "
            "OR debit_account_id = credit_account_id OR NOT (phase IN ('posted', 'pending') AND pending_id IS NULL "
            "OR phase IN ('post_pending', 'void_pending') AND pending_id IS NOT NULL)",
        ),
        *(
            _Check(
                "transfers",
                f"its {side} account is missing, or has another currency or mode than {{0}}",
                f"SELECT t.id, t.currency FROM {TRANSFERS} t LEFT JOIN {ACCOUNTS} a ON a.id = t.{side}_account_id "
                "AND a.currency = t.currency AND a.livemode = t.livemode WHERE a.id IS NULL",
            )
            for side in ("debit", "credit")
        ),
        _Check(
            "transfers",
            "its transaction is missing, or of the other mode",
            f"SELECT t.id FROM {TRANSFERS} t LEFT JOIN {TRANSACTIONS} e "
            "ON e.id = t.transaction_id AND e.livemode = t.livemode WHERE e.id IS NULL",
        ),
        _Check(
            "transactions",
            "{0} {1} has no transfer",
            f"SELECT e.id, e.kind, e.reference FROM {TRANSACTIONS} e "
            f"WHERE NOT EXISTS (SELECT 1 FROM {TRANSFERS} t WHERE t.transaction_id = e.id)",
        ),
    ]


def _hold_checks() -> list[_Check]:
    return [
        _Check(
            "holds",
            "resolved {0} times",
            f"SELECT pending_id, COUNT(*) FROM {TRANSFERS} WHERE pending_id IS NOT NULL "
            "GROUP BY pending_id HAVING COUNT(*) > 1",
        ),
        _Check(
            "holds",
            "resolves {0}, which is no hold or differs in accounts, currency, mode or amount",
            f"SELECT t.id, t.pending_id FROM {TRANSFERS} t LEFT JOIN {TRANSFERS} h ON h.id = t.pending_id "
            "AND h.phase = 'pending' AND h.debit_account_id = t.debit_account_id AND h.currency = t.currency "
            "AND h.credit_account_id = t.credit_account_id AND h.livemode = t.livemode "
            "AND (t.amount = h.amount OR (t.phase = 'post_pending' AND t.amount < h.amount)) "
            "WHERE t.pending_id IS NOT NULL AND h.id IS NULL",
        ),
    ]


def _sum_checks(amount: str) -> list[_Check]:
    guarded = ", ".join(f"'{kind.value}'" for kind in AccountKind if kind.guarded)
    sums = {
        column: f"SUM({amount.format(f'b.{column}')})"
        for column in ("debits_posted", "credits_posted", "debits_pending", "credits_pending")
    }
    return [
        _Check(
            "balances",
            "differs from its transfers by {0} debits, {1} credits, {2} held debits, {3} held credits",
            _difference_sql(amount, sums),
            sums=4,
        ),
        *(
            _Check(
                "sum",
                f"{phase} debits and credits in {{0}} mode differ by {{1}}",
                "SELECT a.currency, CASE WHEN a.livemode THEN 'live' ELSE 'test' END, "
                f"{sums[f'debits_{phase}']} - {sums[f'credits_{phase}']} "
                f"FROM {BALANCES} b JOIN {ACCOUNTS} a ON a.id = b.account_id GROUP BY a.currency, a.livemode "
                f"HAVING {sums[f'debits_{phase}']} <> {sums[f'credits_{phase}']}",
                sums=1,
            )
            for phase in ("posted", "pending")
        ),
        _Check(
            "guarded",
            "{0} {1} has less than nothing available",
            f"SELECT a.id, a.kind, a.owner FROM {BALANCES} b JOIN {ACCOUNTS} a ON a.id = b.account_id "
            f"WHERE a.kind IN ({guarded}) GROUP BY a.id, a.kind, a.owner HAVING "
            f"{sums['credits_posted']} < {sums['debits_posted']} + {sums['debits_pending']}",
        ),
        _Check("reversals", "does not undo account {0} of what it reverses", _reversal_sql(amount)),
    ]


def _difference_sql(amount: str, sums: dict[str, str]) -> str:
    """Per account: what its transfers add up to, less what its balance says. Only accounts where they differ."""
    posted = f"SUM(CASE WHEN t.phase IN {_POSTED} THEN {amount.format('t.amount')} ELSE 0 END)"
    held = (
        f"SUM(CASE t.phase WHEN 'posted' THEN 0 WHEN 'pending' THEN {amount.format('t.amount')} "
        f"ELSE -({amount.format('h.amount')}) END)"
    )
    source = f"FROM {TRANSFERS} t LEFT JOIN {TRANSFERS} h ON h.id = t.pending_id"
    return (
        "SELECT account_id, SUM(dp), SUM(cp), SUM(dh), SUM(ch) FROM ("
        f"SELECT t.debit_account_id AS account_id, {posted} AS dp, 0 AS cp, {held} AS dh, 0 AS ch {source} "
        "GROUP BY t.debit_account_id UNION ALL "
        f"SELECT t.credit_account_id, 0, {posted}, 0, {held} {source} GROUP BY t.credit_account_id UNION ALL "
        f"SELECT b.account_id, -{sums['debits_posted']}, -{sums['credits_posted']}, -{sums['debits_pending']}, "
        f"-{sums['credits_pending']} FROM {BALANCES} b GROUP BY b.account_id) AS d GROUP BY account_id "
        "HAVING SUM(dp) <> 0 OR SUM(cp) <> 0 OR SUM(dh) <> 0 OR SUM(ch) <> 0"
    )


def _reversal_sql(amount: str) -> str:
    """Accounts where a reversal and what it reverses do not add up to nothing."""
    source = (
        f"FROM {TRANSACTIONS} e JOIN {TRANSFERS} t ON t.transaction_id IN (e.id, e.reverses_id) "
        f"WHERE e.reverses_id IS NOT NULL AND t.phase IN {_POSTED}"
    )
    return (
        "SELECT reversal, account_id FROM ("
        f"SELECT e.id AS reversal, t.debit_account_id AS account_id, {amount.format('t.amount')} AS moved {source} "
        f"UNION ALL SELECT e.id, t.credit_account_id, -({amount.format('t.amount')}) {source}) AS d "
        "GROUP BY reversal, account_id HAVING SUM(moved) <> 0"
    )
