from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import PHONE, Client
from tests.sim.money_client import MoneyClient

EVENING = datetime(2026, 1, 15, 20, 59, 50, tzinfo=UTC)  # ten seconds before midnight in Nairobi


def test_every_kind_of_money_is_in_the_books_with_its_balances(money: MoneyClient) -> None:
    sim = money.sim
    receipt = sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 300, "ORDER1").receipt
    money.client.pushed(Amount=40)
    sim.advance(2)
    money.payout(Amount=100)
    money.reverse(receipt, 300)
    money.pay_business(Amount=50)
    sim.advance(2)
    sim.fund(SANDBOX_SHORTCODE, Decimal("0.50"))
    sim.withdraw(SANDBOX_SHORTCODE, 1000, account="working")
    seen = [(one.kind, one.amount, [(p.account, p.amount, p.balance) for p in one.postings]) for one in sim.movements()]
    assert seen == [
        ("c2b", Decimal(300), [("utility", Decimal(300), Decimal(1_000_300))]),
        ("stk", Decimal(40), [("utility", Decimal(40), Decimal(1_000_340))]),
        ("b2c", Decimal(100), [("utility", Decimal(-100), Decimal(1_000_240))]),
        ("reversal", Decimal(300), [("utility", Decimal(-300), Decimal(999_940))]),
        ("b2b", Decimal(50), [("working", Decimal(-50), Decimal(999_950))]),
        ("deposit", Decimal("0.50"), [("utility", Decimal("0.50"), Decimal("999940.50"))]),
        ("withdrawal", Decimal(1000), [("working", Decimal(-1000), Decimal(998_950))]),
    ]
    assert len({one.receipt for one in sim.movements()}) == 7


@pytest.mark.parametrize("amount", [0, -5, 2_000_000])
def test_impossible_withdrawals_are_refused(money: MoneyClient, amount: int) -> None:
    with pytest.raises(ValueError, match="cannot be moved"):
        money.sim.withdraw(SANDBOX_SHORTCODE, amount if amount > 0 else 0)
    with pytest.raises(ValueError, match="an account is one of"):
        money.sim.fund(SANDBOX_SHORTCODE, 5, account="savings")
    with pytest.raises(KeyError):
        money.sim.fund("999999", 5)
    assert money.sim.movements() == []


def test_a_statement_has_one_row_a_posting(money: MoneyClient) -> None:
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 300, "ORDER1", names="Jane Doe")
    money.payout(Amount=100)
    money.sim.advance(2)
    money.pay_business(Amount=50)
    money.sim.advance(2)
    rows = money.sim.statement(SANDBOX_SHORTCODE, date(2026, 1, 15))
    assert [(row.paid_in, row.withdrawn, row.balance, row.account) for row in rows] == [
        (Decimal(300), None, Decimal(1_000_300), "utility"),
        (None, Decimal(100), Decimal(1_000_200), "utility"),
        (None, Decimal(50), Decimal(999_950), "working"),
    ]
    assert [row.other_party for row in rows] == [
        "254712345678 - JANE DOE",
        "254712345678 - JOHN DOE",
        "600000 - Another organisation",
    ]
    first = rows[0]
    assert (first.receipt, first.details) == (
        money.sim.movements()[0].receipt,
        "Pay Bill from 254712345678 - JANE DOE Acc. ORDER1",
    )
    assert (first.status, first.account_reference, first.account_label) == ("Completed", "ORDER1", "Utility Account")
    assert [row.receipt for row in money.sim.statement(SANDBOX_SHORTCODE, account="working")] == [rows[2].receipt]
    assert money.sim.statement("600100") == []
    with pytest.raises(ValueError, match="an account is one of"):
        money.sim.statement(SANDBOX_SHORTCODE, account="savings")


def test_a_charge_is_a_row_of_its_own_and_a_reversal_names_what_it_takes_back() -> None:
    mail = CollectingTransport()
    config = DarajaConfig(payout_charge=Decimal("22.40"))
    with DarajaSimulator(seed=1, clock=VirtualClock(), config=config, transport=mail) as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), mail)
        receipt = sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 300, "A").receipt
        money.payout()
        money.reverse(receipt, 300)
        sim.advance(2)
        _, payout, charge, reversal = sim.statement(SANDBOX_SHORTCODE)
        assert (payout.receipt, payout.is_charge, payout.withdrawn) == (charge.receipt, False, Decimal(100))
        assert (charge.is_charge, charge.withdrawn, charge.balance) == (True, Decimal("22.40"), Decimal("-22.40"))
        assert charge.reason == "Business Payment to Customer via API Charge"
        assert (reversal.linked_receipt, reversal.withdrawn) == (receipt, Decimal(300))


def test_a_day_ends_at_midnight_in_nairobi() -> None:
    with DarajaSimulator(clock=VirtualClock(EVENING), transport=CollectingTransport()) as sim:
        before = sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 1, "A").receipt
        sim.advance(10)
        after = sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 2, "A").receipt
        assert [row.receipt for row in sim.statement(SANDBOX_SHORTCODE, date(2026, 1, 15))] == [before]
        assert [row.receipt for row in sim.statement(SANDBOX_SHORTCODE, date(2026, 1, 16))] == [after]
        assert len(sim.statement(SANDBOX_SHORTCODE)) == 2


def test_a_statement_as_comma_separated_values(money: MoneyClient) -> None:
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 1500, 'A "1", x', names="Jane Doe")
    money.sim.withdraw(SANDBOX_SHORTCODE, 200)
    text = money.sim.statement_csv(SANDBOX_SHORTCODE, date(2026, 1, 15))
    first, second = csv.DictReader(io.StringIO(text))
    paid, gone = (one.receipt for one in money.sim.movements())
    assert first == {
        "Receipt No.": paid,
        "Completion Time": "15-01-2026 12:00:00",
        "Initiation Time": "15-01-2026 12:00:00",
        "Details": 'Pay Bill from 254712345678 - JANE DOE Acc. A "1", x',
        "Transaction Status": "Completed",
        "Paid In": "1500.00",
        "Withdrawn": "",
        "Balance": "1001500.00",
        "Reason Type": "Pay Bill",
        "Other Party Info": "254712345678 - JANE DOE",
        "Linked Transaction ID": "",
        "A/C No.": 'A "1", x',
    }
    assert (second["Receipt No."], second["Paid In"], second["Withdrawn"]) == (gone, "", "200.00")


def test_balances_are_the_sum_of_what_happened_whatever_is_heard_of_it(money: MoneyClient) -> None:
    """Two hundred payments and payouts with faults: opening balance and statement add up to every balance."""
    money.register()
    rng = Random(7)
    faults = ["normal", "lost", "late", "duplicate", "out_of_order", "wrong_amount", "forged_amount"]
    for number in range(200):
        amount = rng.randint(10, 5000)
        if number % 4:
            money.sim.pay_paybill(
                f"2547{number:08}", SANDBOX_SHORTCODE, amount, f"A{number}", script=rng.choice(faults)
            )
        else:
            money.sim.script(rng.choice([*faults, "queue_timeout", "insufficient"]), operation="b2c_payment")
            money.payout(Amount=amount)
            money.sim.advance(1)
    money.sim.settle()
    rows = money.sim.statement(SANDBOX_SHORTCODE, account="utility")
    moved = sum((row.paid_in or Decimal(0)) - (row.withdrawn or Decimal(0)) for row in rows)
    assert money.sim.shortcode_balances(SANDBOX_SHORTCODE)["utility"] == 1_000_000 + moved
    running = Decimal(1_000_000)
    for row in rows:
        running += (row.paid_in or Decimal(0)) - (row.withdrawn or Decimal(0))
        assert row.balance == running
    kinds = Counter(one.kind for one in money.sim.movements())
    assert kinds["c2b"] == 150
    assert len(rows) == kinds["c2b"] + kinds["b2c"]


def test_a_run_repeats_with_its_seed() -> None:
    def play(seed: int) -> Any:
        mail = CollectingTransport()
        config = DarajaConfig(check_credentials=False, result_shape="mixed", confirmation_shape="mixed")
        with DarajaSimulator(seed=seed, clock=VirtualClock(), config=config, transport=mail) as sim:
            money = MoneyClient(sim, Client(sim.base_url, "https://shop.example/in/push"), mail)
            money.register()
            for number in range(10):
                sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 10 + number, "A")
                money.payout(SecurityCredential="x")
            money.client.pushed()
            sim.settle()
            return mail.take(), sim.movements()

    assert play(1) == play(1)
    assert play(1) != play(2)


def test_a_reset_opens_the_accounts_anew(money: MoneyClient) -> None:
    money.register()
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 300, "A")
    money.payout(OriginatorConversationID="po_1", InitiatorName="nobody")
    money.sim.advance(2)
    money.sim.set_validation(SANDBOX_SHORTCODE)
    money.sim.reset(seed=1)
    state = money.sim.state()
    assert (state["movements"], state["c2b_payments"], state["jobs"], state["registrations"]) == (0, 0, [], [])
    assert money.sim.shortcode_balances(SANDBOX_SHORTCODE)["utility"] == Decimal(1_000_000)
    money.client.fetch_token()
    assert money.payout(OriginatorConversationID="po_1").status == 200
    assert money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A").state == "completed"


# Messages.


def test_messages_in_two_languages(money: MoneyClient) -> None:
    paid = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 1500, "ORDER1").receipt
    till = money.sim.pay_till(PHONE, "600101", 50).receipt
    money.payout(Amount=100)
    money.sim.advance(2)
    received = money.sim.movements()[-1].receipt
    assert [one.text for one in money.sim.messages(PHONE)] == [
        f"{paid} Confirmed. Ksh1,500.00 sent to SIMULATED SHOP 174379 for account ORDER1 on 15/1/26 at 12:00 PM.",
        f"{till} Confirmed. Ksh50.00 paid to SIMULATED SHOP 600100 on 15/1/26 at 12:00 PM.",
        f"{received} Confirmed. You have received Ksh100.00 from SIMULATED SHOP 174379 on 15/1/26 at 12:00 PM.",
    ]
    assert [one.text for one in money.sim.messages(PHONE, "sw")] == [
        f"{paid} Imethibitishwa. Ksh1,500.00 imetumwa kwa SIMULATED SHOP 174379 kwa akaunti ORDER1 "
        "tarehe 15/1/26 saa 12:00 PM.",
        f"{till} Imethibitishwa. Ksh50.00 imetumwa kwa SIMULATED SHOP 600100 tarehe 15/1/26 saa 12:00 PM.",
        f"{received} Imethibitishwa. Ksh100.00 imepokelewa kutoka SIMULATED SHOP 174379 tarehe 15/1/26 saa 12:00 PM.",
    ]
    assert money.sim.messages("254711111111") == []
    with pytest.raises(ValueError, match="a language is one of en, sw"):
        money.sim.messages(PHONE, "fr")
