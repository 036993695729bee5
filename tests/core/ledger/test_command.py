from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.services import Move
from tests.core.ledger.books import book, clearing, hold, kes, payable, sale

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("majuu_ledger", *arguments, stdout=out)
    return out.getvalue()


def test_verify_says_that_all_is_well() -> None:
    book(sale("10"), sale("5"))

    assert run("verify") == "accounts: 2, transactions: 1, transfers: 2; all in order\n"


def test_verify_lists_what_is_wrong_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    entry = LedgerTransaction.objects.create(key="k", kind="charge", reference="ch_01", livemode=False)
    out, err = StringIO(), StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("majuu_ledger", "verify", stdout=out, stderr=err)

    assert ended.value.code == 1
    assert out.getvalue() == "accounts: 0, transactions: 1, transfers: 0; problems found: 1\n"
    subject = err.getvalue().split(": ")[1]
    assert subject.replace("-", "") == entry.pk.hex
    assert err.getvalue() == f"transactions: {subject}: charge ch_01 has no transfer\n"


def test_verify_for_programs() -> None:
    book(sale("10"))

    assert json.loads(run("verify", "--json")) == {
        "ok": True,
        "accounts": 2,
        "transactions": 1,
        "transfers": 1,
        "problems": [],
    }


def test_verify_for_programs_fails_too() -> None:
    LedgerTransaction.objects.create(key="k", kind="charge", reference="ch_01", livemode=False)
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("majuu_ledger", "verify", "--json", stdout=out)

    report = json.loads(out.getvalue())
    assert ended.value.code == 1
    assert (report["ok"], [problem["check"] for problem in report["problems"]]) == (False, ["transactions"])


def test_balances_by_kind() -> None:
    book(sale("1234.50"))
    book(Move(debit=clearing(livemode=True), credit=payable(livemode=True), amount=kes("7")))

    assert [line.split() for line in run("balances").splitlines()] == [
        ["provider_clearing", "KES", "1234.50", "0.00"],
        ["store_payable", "KES", "0.00", "1234.50"],
    ]
    assert [line.split() for line in run("balances", "--live").splitlines()] == [
        ["provider_clearing", "KES", "7.00", "0.00"],
        ["store_payable", "KES", "0.00", "7.00"],
    ]


def test_the_balance_of_one_account() -> None:
    book(sale("100"))
    hold("30")
    book(Move(debit=payable(), credit=clearing(), amount=kes("5"), phase="pending"))

    assert [line.split() for line in run("balances", "--account", str(payable())).splitlines()] == [
        ["posted", "100.00", "KES"],
        ["available", "95.00", "KES"],
        ["incoming", "30.00", "KES"],
    ]


def test_a_statement(virtual_clock: VirtualClock) -> None:
    book(sale("100"))
    virtual_clock.advance(timedelta(days=1))
    book(Move(debit=payable(), credit=clearing(), amount=kes("40.50")), kind="refund")

    printed = run("statement", "--account", str(payable()), "--start", "2026-01-06", "--end", "2026-01-06")

    assert printed.splitlines() == [
        "2026-01-06 00:00:00 opening balance 100.00",
        "2026-01-06 09:00:00 debit                -40.50                59.50 refund ch_01",
        "2026-01-07 00:00:00 closing balance 59.50",
    ]


def test_a_statement_between_instants(virtual_clock: VirtualClock) -> None:
    book(sale("100"))

    before = run(
        "statement", "--account", str(payable()), "--start", "2026-01-05T08:00:00", "--end", "2026-01-05T12:00:00+03:00"
    )

    assert [line.split()[-1] for line in before.splitlines()] == ["0.00", "0.00"]


@pytest.mark.parametrize(
    "changes",
    [
        {"--account": "nonsense"},
        {"--account": "store_payable:st_01:KES:maybe"},
        {"--start": "yesterday"},
        {"--end": "2026-13-01"},
        {"--end": "2025-01-01"},
    ],
)
def test_what_cannot_be_read_is_explained(changes: dict[str, Any]) -> None:
    named = {"--account": str(payable()), "--start": "2026-01-01", "--end": "2026-01-31", **changes}

    with pytest.raises(CommandError):
        run("statement", *(part for pair in named.items() for part in pair))


def test_an_action_must_be_named() -> None:
    with pytest.raises(CommandError):
        run()
