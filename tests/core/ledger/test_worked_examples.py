"""Bookkeeping as in a textbook: a story, the entries, and every balance afterwards."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction

from majuu_core.database.batch import WriteBatch
from majuu_core.ledger import services
from majuu_core.ledger.chart import PLATFORM, AccountKind, AccountRef, fx_trading
from majuu_core.ledger.exceptions import HoldAlreadyResolved
from majuu_core.ledger.models import LedgerBalance
from majuu_core.ledger.selectors import balance, trial_balance
from majuu_core.ledger.services import Move
from tests.core.ledger.books import (
    assert_in_order,
    available,
    bank,
    book,
    clearing,
    hold,
    incoming,
    kes,
    payable,
    posted,
    sale,
    store,
    usd,
    wallet,
)

pytestmark = pytest.mark.django_db

FEES = store(AccountKind.PROVIDER_FEES)
SURPLUS = store(AccountKind.STORE_SURPLUS)
UNAPPLIED = store(AccountKind.STORE_UNAPPLIED)
RESERVE = store(AccountKind.DISPUTES_RESERVE)
HELD = AccountRef(AccountKind.DISPUTES_HELD, "pa_01", "KES", False)
IN_TRANSIT = store(AccountKind.PAYOUTS_IN_TRANSIT)


def fee(amount: str) -> Move:
    """The provider keeps part of what it holds for us."""
    return Move(debit=FEES, credit=clearing(), amount=kes(amount))


def assert_balances(expected: dict[AccountRef, str]) -> None:
    """These accounts have these posted balances, all others nothing; and debits equal credits."""
    assert {ref: posted(ref) for ref in expected} == expected
    touched = set(LedgerBalance.objects.values_list("account_id", flat=True))
    assert touched <= {ref.id for ref in expected}
    for line_currency in {line.debits.currency.code for line in trial_balance(False)}:
        lines = [line for line in trial_balance(False) if line.debits.currency.code == line_currency]
        assert sum(line.debits.amount for line in lines) == sum(line.credits.amount for line in lines)
    assert_in_order()


def test_sale_with_fee() -> None:
    """A customer pays KES 1,500.00; the provider keeps KES 22.50."""
    book(sale("1500.00"), fee("22.50"))

    assert_balances({clearing(): "1477.50", payable(): "1500.00", FEES: "22.50"})


def test_sale_whose_fee_the_store_bears() -> None:
    """As above, and the platform charges the store 1 % more and passes the provider's fee on."""
    income = AccountRef(AccountKind.PLATFORM_FEES, PLATFORM, "KES", False)

    book(sale("1500.00"), fee("22.50"), Move(debit=payable(), credit=FEES, amount=kes("22.50")))
    book(Move(debit=payable(), credit=income, amount=kes("15.00")), kind="platform_fee")

    assert_balances({clearing(): "1477.50", payable(): "1462.50", FEES: "0.00", income: "15.00"})


def test_partial_refund_the_fee_is_not_returned() -> None:
    book(sale("1500.00"), fee("22.50"))

    book(Move(debit=payable(), credit=clearing(), amount=kes("400.00")), kind="refund")

    assert_balances({clearing(): "1077.50", payable(): "1100.00", FEES: "22.50"})


def refund_hold(*parts: tuple[AccountRef, str], key: str = "re_01") -> list[tuple[uuid.UUID, Move]]:
    """Money held to go back, from each of these accounts."""
    moves = [Move(debit=ref, credit=clearing(), amount=kes(amount), phase="pending") for ref, amount in parts]
    made = services.record_transaction(
        key=f"{key}:hold", kind="refund_reversal", reference=key, livemode=False, moves=moves
    )
    return list(zip([transfer.pk for transfer in made], moves, strict=True))


def refund_ends(holds: list[tuple[uuid.UUID, Move]], *also: Move, posts: bool, kind: str, key: str = "re_01") -> None:
    batch = WriteBatch()
    services.add_resolution(
        batch,
        key=f"{key}:{'post' if posts else 'void'}",
        kind=kind,
        reference=key,
        livemode=False,
        holds=holds,
        posts=posts,
        also=also,
    )
    batch.execute()


def test_refund_by_reversal_takes_what_was_paid_too_much_first() -> None:
    """KES 1,200.00 came for KES 1,000.00. The provider undoes KES 300.00 of it: 200.00 surplus, 100.00 of the sale."""
    book(sale("1000.00"), Move(debit=clearing(), credit=SURPLUS, amount=kes("200.00")))

    holds = refund_hold((SURPLUS, "200.00"), (payable(), "100.00"))
    assert (available(SURPLUS), available(payable()), posted(clearing())) == ("0.00", "900.00", "1200.00")
    refund_ends(holds, posts=True, kind="refund_reversal")

    assert_balances({clearing(): "900.00", payable(): "900.00", SURPLUS: "0.00"})


def test_refund_by_payout_costs_a_fee_that_the_store_bears() -> None:
    """The payment is too old to be undone: KES 400.00 are sent to the customer's phone, which costs KES 13.00."""
    book(sale("1500.00"), fee("22.50"))

    holds = refund_hold((payable(), "400.00"))
    refund_ends(holds, fee("13.00"), posts=True, kind="refund_payout")

    assert_balances({clearing(): "1064.50", payable(): "1100.00", FEES: "35.50"})


def test_refund_that_fails_leaves_everybody_what_they_had() -> None:
    book(sale("1000.00"), Move(debit=clearing(), credit=UNAPPLIED, amount=kes("50.00")))

    refund_ends(refund_hold((UNAPPLIED, "50.00"), (payable(), "70.00")), posts=False, kind="refund_void")

    assert (available(UNAPPLIED), available(payable())) == ("50.00", "1000.00")
    assert_balances({clearing(): "1050.00", payable(): "1000.00", UNAPPLIED: "50.00"})


def test_refund_that_comes_back_days_later() -> None:
    """The customer's account was closed: the provider credits the KES 400.00 again, not its fee."""
    book(sale("1500.00"))
    refund_ends(refund_hold((payable(), "400.00")), fee("5.00"), posts=True, kind="refund_reversal")

    book(Move(debit=clearing(), credit=payable(), amount=kes("400.00")), kind="refund_failed_late")

    assert_balances({clearing(): "1495.00", payable(): "1500.00", FEES: "5.00"})


def test_a_hold_of_a_refund_ends_once() -> None:
    book(sale("1000.00"))
    holds = refund_hold((payable(), "400.00"))
    refund_ends(holds, posts=True, kind="refund_reversal")

    with pytest.raises(HoldAlreadyResolved), services.ledger_errors(), transaction.atomic():
        refund_ends(holds, posts=False, kind="refund_void")

    assert_balances({clearing(): "600.00", payable(): "600.00"})


def dispute_opens() -> None:
    """The provider takes KES 1,000.00 back; we set as much of the store's money aside."""
    book(sale("3000.00"))
    book(
        Move(debit=HELD, credit=clearing(), amount=kes("1000.00")),
        Move(debit=payable(), credit=RESERVE, amount=kes("1000.00")),
        fee("150.00"),
        kind="dispute_opened",
    )


def test_chargeback_open() -> None:
    dispute_opens()

    assert_balances({clearing(): "1850.00", payable(): "2000.00", HELD: "1000.00", RESERVE: "1000.00", FEES: "150.00"})


def test_chargeback_lost() -> None:
    dispute_opens()

    book(Move(debit=RESERVE, credit=HELD, amount=kes("1000.00")), kind="dispute_lost")

    assert_balances({clearing(): "1850.00", payable(): "2000.00", HELD: "0.00", RESERVE: "0.00", FEES: "150.00"})


def test_chargeback_won() -> None:
    dispute_opens()

    book(
        Move(debit=clearing(), credit=HELD, amount=kes("1000.00")),
        Move(debit=RESERVE, credit=payable(), amount=kes("1000.00")),
        kind="dispute_won",
    )

    assert_balances({clearing(): "2850.00", payable(): "3000.00", HELD: "0.00", RESERVE: "0.00", FEES: "150.00"})


def test_payout_that_arrives() -> None:
    """The store is sent KES 900.00; the provider confirms and takes KES 23.00 for it."""
    book(sale("1000.00"))

    book(Move(debit=payable(), credit=IN_TRANSIT, amount=kes("900.00")), kind="payout_sent")
    assert_balances({clearing(): "1000.00", payable(): "100.00", IN_TRANSIT: "900.00"})

    book(Move(debit=IN_TRANSIT, credit=clearing(), amount=kes("900.00")), fee("23.00"), kind="payout_paid")
    assert_balances({clearing(): "77.00", payable(): "100.00", IN_TRANSIT: "0.00", FEES: "23.00"})


def test_payout_that_fails_is_reversed() -> None:
    book(sale("1000.00"))
    sent = book(Move(debit=payable(), credit=IN_TRANSIT, amount=kes("900.00")), kind="payout_sent")

    services.reverse_transaction(
        transaction_id=sent[0].transaction_id, key="po_01:failed", kind="payout_failed", reference="po_01"
    )

    assert_balances({clearing(): "1000.00", payable(): "1000.00", IN_TRANSIT: "0.00"})


def test_settlement_to_the_bank() -> None:
    book(sale("1000.00"), fee("15.00"))

    book(Move(debit=bank(), credit=clearing(), amount=kes("985.00")), kind="settlement")

    assert_balances({clearing(): "0.00", bank(): "985.00", payable(): "1000.00", FEES: "15.00"})


def test_foreign_exchange_passes_through_the_trading_accounts() -> None:
    """A customer pays USD 100.00; the store gets KES 12,900.00; later we buy those shillings for USD 99.20."""
    in_usd, in_kes = fx_trading("USD", "KES", livemode=False), fx_trading("KES", "USD", livemode=False)

    book(
        Move(debit=clearing("USD"), credit=in_usd, amount=usd("100.00")),
        Move(debit=in_kes, credit=payable(), amount=kes("12900.00")),
    )
    assert_balances({clearing("USD"): "100.00", in_usd: "100.00", in_kes: "-12900.00", payable(): "12900.00"})

    book(
        Move(debit=in_usd, credit=clearing("USD"), amount=usd("99.20")),
        Move(debit=bank(), credit=in_kes, amount=kes("12900.00")),
        kind="fx_trade",
    )
    # What is left on the trading account is what the exchange earned.
    assert_balances(
        {clearing("USD"): "0.80", in_usd: "0.80", in_kes: "0.00", payable(): "12900.00", bank(): "12900.00"}
    )


def test_hold_posted_whole() -> None:
    charge = hold("1500.00")
    assert (posted(payable()), incoming(payable()), posted(clearing()), incoming(clearing())) == (
        "0.00",
        "1500.00",
        "0.00",
        "1500.00",
    )

    services.post_hold(key="ch_01:post", kind="charge", reference="ch_01", hold_id=charge)

    assert (incoming(payable()), incoming(clearing())) == ("0.00", "0.00")
    assert_balances({clearing(): "1500.00", payable(): "1500.00"})


def test_hold_posted_partly_releases_the_rest() -> None:
    charge = hold("1500.00")

    services.post_hold(key="ch_01:post", kind="charge", reference="ch_01", hold_id=charge, amount=kes("900.50"))

    assert (incoming(payable()), incoming(clearing())) == ("0.00", "0.00")
    assert_balances({clearing(): "900.50", payable(): "900.50"})


def test_hold_voided_leaves_nothing() -> None:
    charge = hold("1500.00")

    services.void_hold(key="ch_01:void", kind="charge_void", reference="ch_01", hold_id=charge)

    assert (incoming(payable()), incoming(clearing())) == ("0.00", "0.00")
    assert_balances({clearing(): "0.00", payable(): "0.00"})


def test_surplus_is_owed_apart_and_applied_later() -> None:
    """KES 1,000.00 were asked for, KES 1,200.00 came; the store keeps 150.00 as a tip and gives 50.00 back."""
    book(sale("1000.00"), Move(debit=clearing(), credit=SURPLUS, amount=kes("200.00")))
    assert_balances({clearing(): "1200.00", payable(): "1000.00", SURPLUS: "200.00"})

    book(Move(debit=SURPLUS, credit=payable(), amount=kes("150.00")), kind="surplus_kept")
    book(Move(debit=SURPLUS, credit=clearing(), amount=kes("50.00")), kind="refund")
    assert_balances({clearing(): "1150.00", payable(): "1150.00", SURPLUS: "0.00"})


def test_money_that_waits_for_a_decision() -> None:
    book(Move(debit=clearing(), credit=UNAPPLIED, amount=kes("700.00")), kind="unapplied")
    assert_balances({clearing(): "700.00", UNAPPLIED: "700.00"})

    book(Move(debit=UNAPPLIED, credit=payable(), amount=kes("700.00")), kind="applied")
    assert_balances({clearing(): "700.00", UNAPPLIED: "0.00", payable(): "700.00"})


def test_money_nobody_asked_for_is_claimed() -> None:
    unclaimed = AccountRef(AccountKind.INTAKE_UNCLAIMED, "st_intake", "KES", False)
    book(Move(debit=clearing(), credit=unclaimed, amount=kes("2500.00")), kind="incoming")

    book(Move(debit=unclaimed, credit=payable(), amount=kes("2500.00")), kind="claim")

    assert_balances({clearing(): "2500.00", unclaimed: "0.00", payable(): "2500.00"})


def test_wallet_is_filled_spent_and_kept_from_overdraft_by_a_hold() -> None:
    book(Move(debit=clearing(), credit=wallet(), amount=kes("500.00")), kind="deposit")

    book(Move(debit=wallet(), credit=payable(), amount=kes("300.00"), phase="pending"), kind="charge_hold")

    assert (posted(wallet()), available(wallet())) == ("500.00", "200.00")
    assert_balances({clearing(): "500.00", wallet(): "500.00", payable(): "0.00"})


def test_loss_and_tax() -> None:
    """VAT is set aside; after a refund the store owes KES 80.00 and is gone."""
    losses, tax = store(AccountKind.LOSSES), store(AccountKind.TAX_PAYABLE)
    book(sale("100.00"), Move(debit=payable(), credit=tax, amount=kes("16.00")))
    book(Move(debit=payable(), credit=clearing(), amount=kes("164.00")), kind="refund")
    assert posted(payable()) == "-80.00"

    book(Move(debit=losses, credit=payable(), amount=kes("80.00")), kind="write_off")

    assert_balances({clearing(): "-64.00", payable(): "0.00", tax: "16.00", losses: "80.00"})


def test_currencies_without_decimals_and_with_three() -> None:
    from majuu_core.common.money import parse_amount

    book(Move(debit=clearing("UGX"), credit=payable("UGX"), amount=parse_amount("185000", "UGX")))
    book(Move(debit=clearing("BHD"), credit=payable("BHD"), amount=parse_amount("12.345", "BHD")))

    assert balance(payable("UGX")).posted == parse_amount("185000", "UGX")
    assert balance(payable("BHD")).posted == parse_amount("12.345", "BHD")
    assert_in_order()
