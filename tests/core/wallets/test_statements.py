"""What moved on a wallet: pages, statements between any two instants, CSV and PDF."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneyed import Money

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.problems import Invalid
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.services import Move, record_transaction
from majuu_core.wallets import statements
from majuu_core.wallets.models import Wallet
from majuu_core.wallets.pdf import printable, statement_pdf
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.wallets.statements import (
    list_movements,
    parse_instant,
    represent_statement,
    statement_csv,
    wallet_statement,
)
from majuu_core.wallets.withdrawals import WithdrawalDetails, withdraw
from tests.core.wallets.support import Counter, on

D = Decimal
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def lived_in(counter: Counter, clock: VirtualClock) -> Wallet:
    """A wallet with a deposit, a payment and a withdrawal, an hour apart."""
    wallet = counter.wallet(funds="1500")
    clock.advance(3600)
    pay_intent_from_wallet(wallet=wallet, intent=counter.intent("300", description="=HYPERLINK(1)"))
    clock.advance(3600)
    withdraw(wallet=wallet, details=WithdrawalDetails(amount=Money(200, "KES"), reference="W-1"))
    return wallet


def test_movements_are_newest_first_with_the_balance_after_each(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a deposit, a payment, a withdrawal / when listed / then the newest is first and balances run."""
    wallet = lived_in(counter, virtual_clock)
    found, following = list_movements(wallet, limit=10)
    assert [(item.type, item.amount.amount, item.balance.amount) for item in found] == [
        ("withdrawal", D(-200), D(1000)),
        ("payment", D(-300), D(1200)),
        ("deposit", D(1500), D(1500)),
    ]
    assert following is None
    assert found[1].reference.startswith("ch_")
    assert found[1].at == START + timedelta(hours=1)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_join_without_a_gap(counter: Counter, virtual_clock: VirtualClock, limit: int) -> None:
    """given movements, one added between two pages / when read page by page / then each older one comes once."""
    wallet = lived_in(counter, virtual_clock)
    whole, _ = list_movements(wallet, limit=10)
    seen, cursor = list_movements(wallet, limit=limit)
    virtual_clock.advance(5)
    counter.fill(wallet, "50")
    while cursor:
        page, cursor = list_movements(wallet, limit=limit, cursor=cursor)
        seen += page
    assert seen == whole


def test_money_that_is_committed_while_the_statement_is_read_still_adds_up(
    counter: Counter, virtual_clock: VirtualClock
) -> None:
    """given a statement that was begun / when a deposit of its time is committed / then closing is after the last."""
    wallet = lived_in(counter, virtual_clock)
    as_csv, as_json = wallet_statement(wallet), wallet_statement(wallet)
    counter.fill(wallet, "50")
    rows = list(csv.reader(statement_csv(as_csv)))
    assert [row[5] for row in rows[-2:]] == ["1050.00", "1050.00"]
    shown = represent_statement(as_json)
    assert (shown["movements"][-1]["balance"], shown["closing_balance"]) == ("1050.00", "1050.00")


def test_a_hold_is_no_movement(counter: Counter) -> None:
    """given a withdrawal on its way / when listed / then it has not moved yet."""
    wallet = counter.wallet(funds="8000")
    withdraw(wallet=wallet, details=WithdrawalDetails(amount=Money(7723, "KES"), reference="W-1"))
    assert [item.type for item in list_movements(wallet, limit=10)[0]] == ["deposit"]
    assert wallet_statement(wallet).closing == Money(8000, "KES")


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_limits_of_a_page(counter: Counter, limit: int) -> None:
    """given a limit outside 1 to 100 / when listed / then Invalid."""
    with pytest.raises(Invalid) as refusal:
        list_movements(counter.wallet(), limit=limit)
    assert refusal.value.code == "limit_invalid"


def test_another_wallet_s_cursor_is_refused(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a cursor of another wallet, or nonsense / when a page is asked for / then Invalid: it tells nothing."""
    lived_in(counter, virtual_clock)
    other, wallet = Counter().wallet("C-2", funds="70"), counter.wallet("C-3")
    foreign = list_movements(other, limit=1)[0][0].id
    for cursor in (foreign, "mov_nonsense", "nonsense"):
        with pytest.raises(Invalid) as refusal:
            list_movements(wallet, limit=1, cursor=cursor)
        assert refusal.value.code == "cursor_invalid"


def test_a_statement_is_whole(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a wallet's life / when the statement of its first 90 minutes is made / then exactly that is in it."""
    wallet = lived_in(counter, virtual_clock)
    made = represent_statement(wallet_statement(wallet, START, START + timedelta(minutes=90)))
    assert (made["opening_balance"], made["closing_balance"], made["currency"]) == ("0.00", "1200.00", "KES")
    assert [(item["type"], item["amount"], item["balance"]) for item in made["movements"]] == [
        ("deposit", "1500.00", "1500.00"),
        ("payment", "-300.00", "1200.00"),
    ]
    assert (made["start"], made["end"]) == ("2026-01-05T09:00:00.000Z", "2026-01-05T10:30:00.000Z")


def test_without_a_period_it_is_all_until_now(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given movements up to this very moment / when the statement is made / then all of them are in it."""
    wallet = lived_in(counter, virtual_clock)
    made = wallet_statement(wallet)
    assert (made.opening.amount, made.closing.amount, len(list(made.movements))) == (D(0), D(1000), 3)


def test_the_end_is_not_in_it_and_the_start_is(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a payment at an instant / when periods begin and end there / then it belongs to the one that begins."""
    wallet = lived_in(counter, virtual_clock)
    instant = START + timedelta(hours=1)
    before, after = wallet_statement(wallet, START, instant), wallet_statement(wallet, instant, instant)
    assert (before.closing, after.opening) == (Money(1500, "KES"), Money(1500, "KES"))
    begins = wallet_statement(wallet, instant, instant + timedelta(microseconds=1))
    assert [item.type for item in begins.movements] == ["payment"]


def test_a_period_that_ends_before_it_begins_is_refused(counter: Counter) -> None:
    """given a start after the end / when a statement is asked for / then Invalid."""
    with pytest.raises(Invalid) as refusal:
        wallet_statement(counter.wallet(), START, START - timedelta(seconds=1))
    assert refusal.value.code == "period_invalid"


Deal = tuple[int, int]  # seconds after the one before, amount in cents (negative: out)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deals=st.lists(st.tuples(st.integers(0, 3), st.integers(-500, 500).filter(bool)), max_size=12),
    cuts=st.lists(st.integers(0, 40), min_size=2, max_size=5).map(sorted),
)
def test_statements_as_of_any_instants_add_up(db: None, settings: Any, deals: list[Deal], cuts: list[int]) -> None:
    """given any movements and instants / when statements are made between them / then they join and equal the sums."""
    settings.MAJUU_CUSTODIAL = True
    clock = VirtualClock(START)
    with use_clock(clock):
        counter = Counter()
        wallet = counter.wallet(f"C-{counter.store.pk}")
        store = AccountRef(AccountKind.STORE_PAYABLE, counter.store.public_id, "KES", False)
        made: list[tuple[datetime, Decimal]] = []
        for number, (pause, cents) in enumerate(deals):
            clock.advance(pause)
            amount = Money(D(abs(cents)) / 100, "KES")
            sides = (store, wallet.account) if cents > 0 else (wallet.account, store)
            move = Move(debit=sides[0], credit=sides[1], amount=amount)
            key = f"{wallet.public_id}:{number}"
            record_transaction(key=key, kind="wallet_payment", reference="test", livemode=False, moves=[move])
            made.append((clock.now(), D(cents) / 100))
        edges = [START + timedelta(seconds=cut) for cut in cuts]
        closing = None
        for begins, ends in pairwise(edges):
            found = wallet_statement(wallet, begins, ends)
            moved = list(found.movements)
            assert [item.amount.amount for item in moved] == [cents for at, cents in made if begins <= at < ends]
            assert found.opening.amount == sum(cents for at, cents in made if at < begins)
            assert found.closing.amount == found.opening.amount + sum(item.amount.amount for item in moved)
            assert closing in (None, found.opening)
            assert [item.balance.amount for item in moved[-1:]] in ([], [found.closing.amount])
            closing = found.closing
        pages, _ = list_movements(wallet, limit=100)
        assert [item.amount.amount for item in reversed(pages)] == [cents for _, cents in made]
        assert [item.balance.amount for item in pages[:1]] in ([], [on(wallet)[0]])


def test_csv_is_complete_and_no_cell_is_a_formula(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a description that is a formula / when exported / then it is text, and amounts stay numbers."""
    wallet = lived_in(counter, virtual_clock)
    rows = list(csv.DictReader("".join(statement_csv(wallet_statement(wallet))).splitlines()))
    assert [(row["type"], row["amount"], row["balance"], row["currency"]) for row in rows] == [
        ("opening balance", "", "0.00", "KES"),
        ("deposit", "1500.00", "1500.00", "KES"),
        ("payment", "-300.00", "1200.00", "KES"),
        ("withdrawal", "-200.00", "1000.00", "KES"),
        ("closing balance", "", "1000.00", "KES"),
    ]
    assert rows[2]["description"] == "'=HYPERLINK(1)"
    assert rows[1]["time"] == "2026-01-05T09:00:00+00:00"


def test_a_pdf_names_the_wallet_and_is_the_same_every_time(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given names with markup and letters no built-in font has / when printed twice / then one and the same PDF."""
    pytest.importorskip("reportlab")
    wallet = counter.wallet("C-9", customer_name="<b>ኃይሌ</b> & Söhne", funds="1500")
    period = (START, START + timedelta(days=1))
    first = statement_pdf(wallet_statement(wallet, *period))
    assert first.startswith(b"%PDF-")
    assert first == statement_pdf(wallet_statement(wallet, *period))
    assert wallet.public_id.encode() in first  # its title


def test_a_pdf_of_many_movements_has_many_pages(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given 120 movements, and none / when printed / then several pages, and one."""
    pytest.importorskip("reportlab")
    wallet = counter.wallet(funds="1500")
    store = AccountRef(AccountKind.STORE_PAYABLE, counter.store.public_id, "KES", False)
    for number in range(119):
        move = Move(debit=wallet.account, credit=store, amount=Money(1, "KES"))
        record_transaction(key=f"k:{number}", kind="wallet_payment", reference="test", livemode=False, moves=[move])
    pages = {
        name: statement_pdf(wallet_statement(found)).count(b"/Type /Page\n")
        for name, found in (("many", wallet), ("none", counter.wallet("C-2")))
    }
    assert pages == {"many": 3, "none": 1}


def test_without_reportlab_a_pdf_is_refused_and_says_why(counter: Counter) -> None:
    """given a server without the extra / when a PDF is asked for / then Invalid."""
    with mock.patch.dict("sys.modules", {"reportlab.platypus": None}), pytest.raises(Invalid) as refusal:
        statement_pdf(wallet_statement(counter.wallet()))
    assert refusal.value.code == "pdf_unavailable"


def test_printable_keeps_what_the_fonts_have() -> None:
    """given text / when made printable / then Latin letters stay, others are question marks, and it is cut."""
    assert printable("Café – ኃ", 8) == "Café – ?"


def test_a_statement_that_is_too_long_is_refused_but_streams_as_csv(
    counter: Counter, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """given a limit of two lines and three movements / when made whole / then Invalid; as CSV / then all of them."""
    wallet = lived_in(counter, virtual_clock)
    monkeypatch.setattr(statements, "MAX_LINES", 2)
    with pytest.raises(Invalid) as refusal:
        represent_statement(wallet_statement(wallet))
    assert refusal.value.code == "period_too_long"
    assert len(list(statement_csv(wallet_statement(wallet)))) == 1 + 1 + 3 + 1


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("2026-01-31", "start", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31", "end", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", "end", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+03:00", "start", datetime(2026, 1, 31, 9, tzinfo=UTC)),
    ],
)
def test_instants(text: str, field: str, expected: datetime) -> None:
    """given a day or a time / when read / then a day begins, or ends, in UTC and a time is converted."""
    assert parse_instant(text, field) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "2026-01-31T12:00:00", "9999-12-31", "0001-01-01T00:00:00+03:00"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    """given no time, one without an offset, or one beyond the calendar / when read as an end / then Invalid."""
    with pytest.raises(Invalid) as refusal:
        parse_instant(text, "end")
    assert (refusal.value.code, refusal.value.field) == ("time_invalid", "end")


def test_pages_need_as_many_queries_however_long_the_history_is(counter: Counter) -> None:
    """given a wallet with 1 and with 20 movements / when a page is read / then with the same number of queries."""
    wallet = counter.wallet(funds="1500")

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            list_movements(wallet, limit=20)
        return len(seen)

    one = queries()
    for _ in range(19):
        pay_intent_from_wallet(wallet=wallet, intent=counter.intent("1"))
    assert queries() == one == 4
