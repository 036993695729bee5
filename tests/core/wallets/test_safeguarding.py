"""Customers' money against the money kept for them, and the movements to and from the trust accounts."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.ledger.chart import AccountKind, AccountRef, fx_trading
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.services import Move, record_transaction
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.services import intake_store
from majuu_core.payments.models import BalanceLine, BalanceSnapshot
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.wallets.safeguarding import Safeguarding, safeguarding_report
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.wallets.trust import record_trust_movement, trust_ref
from tests.core.wallets.support import Counter

D = Decimal
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def kes(amount: str) -> Money:
    return Money(amount, "KES")


def book(key: str, debit: AccountRef, credit: AccountRef, amount: str) -> None:
    moves = [Move(debit=debit, credit=credit, amount=kes(amount))]
    record_transaction(key=key, kind="charge", reference="test", livemode=False, moves=moves)


def clearing(account: ProviderAccount) -> AccountRef:
    return AccountRef(AccountKind.PROVIDER_CLEARING, account.public_id, "KES", False)


def owned(kind: AccountKind, owner: Any) -> AccountRef:
    return AccountRef(kind, owner.public_id, "KES", False)


def report(clock: VirtualClock, at: datetime | None = None) -> Safeguarding:
    found = safeguarding_report(livemode=False, at=at or clock.now())
    assert [item.currency for item in found] == ["KES"]
    return found[0]


def shown(made: Safeguarding) -> list[tuple[str, str, Decimal]]:
    return [(row.section, row.name, row.amount.amount) for row in made.rows]


@pytest.fixture
def pooled(counter: Counter) -> ProviderAccount:
    """The platform's own account, which collects for everybody."""
    return make_provider_account(platform=True, name="Paybill")


def test_nothing_held_is_an_empty_report(db: None, virtual_clock: VirtualClock) -> None:
    """given no money for anybody / when reported / then there is no currency to report."""
    assert safeguarding_report(livemode=False, at=virtual_clock.now()) == []


def test_wallets_intake_and_pooled_payables_are_owed(
    counter: Counter, pooled: ProviderAccount, virtual_clock: VirtualClock
) -> None:
    """given money of each sort / when reported / then each is owed, and a store's own account's money is not."""
    counter.wallet(funds="1500")  # through the store's own account
    counter.pay(counter.intent("40"))  # the store's own money, at its own account: nobody holds it for it
    book("1", clearing(pooled), owned(AccountKind.INTAKE_UNCLAIMED, intake_store()), "700")
    other = make_store()
    book("2", clearing(pooled), owned(AccountKind.STORE_PAYABLE, other), "900")
    book("3", clearing(pooled), owned(AccountKind.STORE_SURPLUS, other), "5")
    book("4", owned(AccountKind.STORE_PAYABLE, other), clearing(pooled), "100")  # paid out
    book("5", owned(AccountKind.INTAKE_UNCLAIMED, intake_store()), owned(AccountKind.STORE_PAYABLE, other), "200")

    made = report(virtual_clock)

    assert shown(made) == [
        ("liability", "Unclaimed payments", D(500)),
        ("liability", "Wallets", D(1500)),
        ("liability", "Owed to stores", D(1005)),
        ("provider", "Paybill", D(1505)),
    ]
    assert (made.total("liability"), made.uncovered, made.shortfall) == (kes("3005"), kes("3005"), kes("1500"))
    assert made.findings == ("1500.00 KES of customers' money are missing.",)


def test_money_moved_to_trust_covers_what_is_owed(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given 1500 on wallets / when 1000 and then 500 reach the trust account / then nothing is missing."""
    counter.wallet(funds="1500")
    virtual_clock.advance(60)
    record_trust_movement(
        trust="kcb",
        incoming=True,
        amount=kes("1000"),
        reference="FT1",
        provider_account=counter.account,
        livemode=False,
    )
    part = report(virtual_clock)
    virtual_clock.advance(60)
    record_trust_movement(
        trust="kcb", incoming=True, amount=kes("500"), reference="FT2", provider_account=counter.account, livemode=False
    )
    whole = report(virtual_clock)

    assert (part.shortfall, part.findings) == (kes("500"), ("500.00 KES of customers' money are missing.",))
    assert (whole.shortfall, whole.uncovered, whole.findings) == (kes("0"), kes("0"), ())
    assert ("trust", "Majuu Trust", D(1500)) in shown(whole)
    assert whole.rows[-1].detail == "KCB Bank"


def test_a_payment_turns_a_customer_s_money_into_a_store_s(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a wallet filled through the store's own account / when it pays / then only what is left on it is owed."""
    wallet = counter.wallet(funds="1500")
    pay_intent_from_wallet(wallet=wallet, intent=counter.intent("600"))
    assert shown(report(virtual_clock)) == [("liability", "Wallets", D(900))]


def test_the_same_through_the_platform_s_account(pooled: ProviderAccount, virtual_clock: VirtualClock) -> None:
    """given a wallet filled through the platform's account / when it pays / then both share what is owed."""
    counter = Counter()
    ProviderAccount.objects.filter(pk=counter.account.pk).update(is_active=False)
    wallet = counter.wallet(funds="1500")
    pay_intent_from_wallet(wallet=wallet, intent=counter.intent("600"))

    made = report(virtual_clock)

    assert shown(made) == [
        ("liability", "Wallets", D(900)),
        ("liability", "Owed to stores", D(600)),
        ("provider", "Paybill", D(1500)),
    ]
    assert made.findings == ("1500.00 KES are with providers and not yet in a trust account.",)


def test_own_and_pooled_money_do_not_hide_each_other(
    counter: Counter, pooled: ProviderAccount, virtual_clock: VirtualClock
) -> None:
    """given wallets filled through the store's own account, and pooled money for the store / then both are owed."""
    wallet = counter.wallet(funds="1500")
    book("1", clearing(pooled), owned(AccountKind.STORE_PAYABLE, counter.store), "900")
    pay_intent_from_wallet(wallet=wallet, intent=counter.intent("600"))
    assert shown(report(virtual_clock)) == [
        ("liability", "Wallets", D(900)),
        ("liability", "Owed to stores", D(900)),  # the 600 are at its own account
        ("provider", "Paybill", D(900)),
    ]


def test_what_a_dispute_took_is_neither_owed_nor_there(
    counter: Counter, pooled: ProviderAccount, virtual_clock: VirtualClock
) -> None:
    """given KES 900 at the platform's account / when 300 are withdrawn, and lost / then 600 are owed, none missing."""
    store = make_store()
    payable, reserve = owned(AccountKind.STORE_PAYABLE, store), owned(AccountKind.DISPUTES_RESERVE, store)
    held = AccountRef(AccountKind.DISPUTES_HELD, pooled.public_id, "KES", False)
    book("1", clearing(pooled), payable, "900")
    moves = [Move(held, clearing(pooled), kes("300")), Move(payable, reserve, kes("300"))]
    record_transaction(key="d1", kind="dispute_withdrawn", reference="dp", livemode=False, moves=moves)
    expected = [("liability", "Owed to stores", D(600)), ("provider", "Paybill", D(600))]
    assert [row for row in shown(report(virtual_clock)) if row[2]] == expected
    book("d2", reserve, held, "300")
    assert [row for row in shown(report(virtual_clock)) if row[2]] == expected
    assert report(virtual_clock).shortfall == kes("0")


def test_what_came_in_another_currency_is_owed_in_that_of_the_intent(
    counter: Counter, pooled: ProviderAccount, virtual_clock: VirtualClock
) -> None:
    """given KES 1,500 paid as USD 11.55 at the platform's account / when reported / then the shillings are owed."""
    store = make_store()
    dollars = AccountRef(AccountKind.PROVIDER_CLEARING, pooled.public_id, "USD", False)
    moves = [
        Move(dollars, fx_trading("USD", "KES", livemode=False), Money("11.55", "USD")),
        Move(fx_trading("KES", "USD", livemode=False), owned(AccountKind.STORE_PAYABLE, store), kes("1500")),
    ]
    record_transaction(key="x", kind="charge", reference="ch", livemode=False, moves=moves)
    found = safeguarding_report(livemode=False, at=virtual_clock.now())
    assert {item.currency: item.total("liability").amount for item in found} == {"KES": D(1500), "USD": D(0)}


def test_it_is_as_of_any_instant(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given movements over hours / when reported as of each / then it shows what stood then."""
    wallet = counter.wallet(funds="1500")
    virtual_clock.advance(3600)
    pay_intent_from_wallet(wallet=wallet, intent=counter.intent("600"))
    totals = [report(virtual_clock, START + timedelta(hours=hours)).total("liability") for hours in (0, 1)]
    assert totals == [kes("1500"), kes("900")]
    assert safeguarding_report(livemode=False, at=START - timedelta(seconds=1)) == []
    assert safeguarding_report(livemode=True, at=virtual_clock.now()) == []


def test_the_latest_word_of_a_provider_is_shown_and_not_added_up(
    counter: Counter, pooled: ProviderAccount, virtual_clock: VirtualClock
) -> None:
    """given two balance snapshots and one that failed / when reported / then the last told before the instant."""
    book("1", clearing(pooled), owned(AccountKind.STORE_PAYABLE, counter.store), "900")
    for minutes, amount in ((1, "880"), (2, "900"), (90, "7")):
        at = START + timedelta(minutes=minutes)
        snapshot = BalanceSnapshot.objects.create(
            provider_account=pooled, livemode=False, status="reported", reported_at=at
        )
        BalanceLine.objects.create(snapshot=snapshot, name="Utility Account", currency="KES", current=D(amount))
    BalanceSnapshot.objects.create(provider_account=pooled, livemode=False, status="failed")

    made = report(virtual_clock, START + timedelta(hours=1))

    assert shown(made)[-1] == ("reported", "Paybill: Utility Account", D(900))
    assert made.rows[-1].detail == "as told at 2026-01-05 09:02 UTC"
    assert made.total("provider") == kes("900")


@pytest.mark.parametrize(
    ("deposits", "findings"),
    [
        ({"kcb": "100000000"}, []),
        ({"kcb": "100000001"}, ["at one bank", "KCB Bank holds 100.0 %"]),
        ({"kcb": "60000000", "eq": "60000000"}, ["Equity Bank holds 50.0 %", "KCB Bank holds 50.0 %"]),
        ({"kcb": "30000000", "eq": "30000000", "coop": "30000000", "absa": "30000000"}, []),
        ({"kcb": "20000000", "kcb2": "20000000", "eq": "30000000", "coop": "30000000", "absa": "30000000"}, ["KCB"]),
    ],
)
def test_a_hundred_million_is_spread(
    db: None, virtual_clock: VirtualClock, settings: Any, deposits: dict[str, str], findings: list[str]
) -> None:
    """given trust money at banks / when more than KES 100 million / then too much at one bank is told."""
    banks = {"kcb": "KCB Bank", "kcb2": "KCB Bank", "eq": "Equity Bank", "coop": "Co-op Bank", "absa": "Absa"}
    settings.MAJUU_TRUST_ACCOUNTS = {code: {"name": f"Trust {code}", "bank": bank} for code, bank in banks.items()}
    for code, amount in deposits.items():
        record_trust_movement(trust=code, incoming=True, amount=kes(amount), reference="FT1", livemode=False)

    made = report(virtual_clock)

    assert len(made.findings) == len(findings)
    assert all(part in finding for part, finding in zip(findings, made.findings, strict=True))


def test_a_trust_account_that_is_not_named_any_more_is_still_counted(
    counter: Counter, virtual_clock: VirtualClock, settings: Any
) -> None:
    """given trust money / when its account leaves the setting / then the report shows it and says so."""
    record_trust_movement(trust="kcb", incoming=True, amount=kes("10"), reference="FT1", livemode=False)
    settings.MAJUU_TRUST_ACCOUNTS = {}
    row = report(virtual_clock).rows[0]
    assert (row.name, row.detail, row.amount) == ("platform/kcb", "not in MAJUU_TRUST_ACCOUNTS", kes("10"))


def test_a_movement_is_booked_and_audited_once(counter: Counter) -> None:
    """given money that reached the bank / when recorded twice / then 409, and one booking and one entry."""
    counter.wallet(funds="1500")
    movement: dict[str, Any] = {"trust": "kcb", "incoming": True, "reference": "FT1", "livemode": False}
    made = record_trust_movement(amount=kes("1000"), provider_account=counter.account, **movement)

    with pytest.raises(Conflict) as refusal:
        record_trust_movement(amount=kes("1"), **movement)

    assert refusal.value.code == "trust_movement_recorded"
    assert balance(trust_ref("kcb", "KES", livemode=False)).posted == kes("1000")
    assert balance(clearing(counter.account)).posted == kes("500")
    entry = AuditEntry.objects.get(action="trust_movement.recorded")
    assert entry.object_id == made.public_id
    assert entry.changes == {"trust": "kcb", "amount": "1000.00 KES", "incoming": True}


def test_money_leaves_the_trust_account(counter: Counter) -> None:
    """given money in trust / when some goes back to pay customers out / then both accounts say so."""
    counter.wallet(funds="1500")
    movement: dict[str, Any] = {"trust": "kcb", "provider_account": counter.account, "livemode": False}
    record_trust_movement(incoming=True, amount=kes("1500"), reference="FT1", **movement)
    record_trust_movement(incoming=False, amount=kes("400"), reference="FT1", **movement)
    assert balance(trust_ref("kcb", "KES", livemode=False)).posted == kes("1100")
    assert balance(clearing(counter.account)).posted == kes("400")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trust": "none"}, "trust_account_unknown"),
        ({"amount": Money(0, "KES")}, "amount_not_positive"),
        ({"amount": Money(-1, "KES")}, "amount_not_positive"),
        ({"reference": ""}, "reference_invalid"),
        ({"reference": "FT\n1"}, "reference_invalid"),
        ({"livemode": True}, "mode_mismatch"),
    ],
)
def test_a_movement_that_cannot_be_is_refused(counter: Counter, changes: dict[str, Any], code: str) -> None:
    """given a wrong account, amount, reference or mode / when recorded / then Invalid and nothing is written."""
    wanted: dict[str, Any] = {
        "trust": "kcb",
        "incoming": True,
        "amount": kes("10"),
        "reference": "FT1",
        "provider_account": counter.account,
        "livemode": False,
    }
    with pytest.raises(Invalid) as refusal:
        record_trust_movement(**{**wanted, **changes})
    assert refusal.value.code == code
    assert not LedgerTransaction.objects.exists()


def test_the_commands_record_and_report(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given wallets / when money is recorded and reported from the command line / then figures, CSV, and exit codes."""
    counter.wallet(funds="1500")
    with pytest.raises(SystemExit) as stopped:
        call_command("majuu_safeguarding", "--test", stdout=StringIO())
    assert stopped.value.code == 1  # money is missing

    out = StringIO()
    call_command(
        "majuu_trust",
        "in",
        *("--trust", "kcb", "--amount", "1500", "--reference", "FT1", "--account", counter.account.public_id, "--test"),
        stdout=out,
    )
    assert out.getvalue().endswith(": 1500.00 KES in\n")

    table, exported = StringIO(), StringIO()
    call_command("majuu_safeguarding", "--test", stdout=table)
    call_command("majuu_safeguarding", "--test", "--csv", stdout=exported)
    lines = [line.split() for line in table.getvalue().splitlines()]
    assert ["total", "shortfall", "0.00", "KES"] in lines
    rows = list(csv.DictReader(exported.getvalue().splitlines()))
    assert [(row["section"], row["name"], row["amount"]) for row in rows] == [
        ("liability", "Wallets", "1500.00"),
        ("trust", "Majuu Trust", "1500.00"),
        ("total", "liability", "1500.00"),
        ("total", "trust", "1500.00"),
        ("total", "provider", "0.00"),
        ("total", "uncovered", "0.00"),
        ("total", "shortfall", "0.00"),
    ]
    earlier = StringIO()
    call_command("majuu_safeguarding", "--test", "--at", "2026-01-04", stdout=earlier)
    assert earlier.getvalue() == "As of 2026-01-05 00:00:00 UTC, test money\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("majuu_trust", "in", "--trust", "kcb", "--amount", "1.234", "--reference", "FT1"),
        ("majuu_trust", "in", "--trust", "no", "--amount", "1", "--reference", "FT1"),
        ("majuu_trust", "in", "--trust", "kcb", "--amount", "1", "--reference", "FT1", "--account", "pa_no"),
        ("majuu_safeguarding", "--at", "soon"),
    ],
)
def test_commands_refuse_what_cannot_be(counter: Counter, arguments: tuple[str, ...]) -> None:
    """given a wrong amount, account or time / when a command gets it / then CommandError and nothing is written."""
    with pytest.raises(CommandError):
        call_command(*arguments, stdout=StringIO())
    assert not LedgerTransaction.objects.exists()


def test_the_report_does_not_ask_wallet_by_wallet(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given 1 and then 20 wallets / when reported / then with the same number of queries."""

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            report(virtual_clock)
        return len(seen)

    counter.wallet("C-0", funds="10")
    one = queries()
    for number in range(1, 20):
        counter.wallet(f"C-{number}", funds="10")
    assert queries() == one <= 14
    row = report(virtual_clock).rows[0]
    assert (row.detail, row.amount) == ("20 with money on them", kes("200"))
