"""Disputes of charges whose money is not simply the store's: exchanged ones, and those that wait for a decision."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction
from moneyed import Money

from majuu_core.common.problems import Conflict
from majuu_core.console.cells import money_text
from majuu_core.console.dispute_page import store_debt
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.services import Move, record_transaction
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.cover import Spending, require_cover
from majuu_core.payments.models import Charge
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.mock_amounts import amount_named
from tests.core.payments.dispute_support import hear_of, told
from tests.core.payments.refund_support import give_back
from tests.core.payments.support import Till
from tests.core.payments.test_exchange import Exchange, dollar_till, exchange, pay, trading

__all__ = ["dollar_till", "exchange"]


def posted(till: Till, currency: str) -> dict[str, Decimal]:
    return {kind: amounts[0] for kind, amounts in till.books(currency).items()}


def test_an_exchanged_charge_is_disputed_in_both_currencies(dollar_till: Till) -> None:
    """given KES 1,500 charged as USD 11.55 / when all of it is withdrawn / then the store has neither of the two."""
    _, charge = pay(dollar_till, dollar_till.intent("1500"))
    hear_of(dollar_till, told(charge, withdrawn="11.55"))
    assert posted(dollar_till, "KES") == {}
    assert posted(dollar_till, "USD") == {"disputes_held": Decimal("11.55"), "disputes_reserve": Decimal("11.55")}
    assert (trading("USD", "KES"), trading("KES", "USD")) == (Decimal(0), Decimal(0))
    # won: all is as before
    hear_of(dollar_till, told(charge, "won", hours=30, withdrawn="0"))
    assert posted(dollar_till, "KES") == {"store_payable": Decimal(1500)}
    assert posted(dollar_till, "USD") == {"provider_clearing": Decimal("11.55")}
    assert (trading("USD", "KES"), trading("KES", "USD")) == (Decimal("11.55"), Decimal(-1500))
    assert list(find_problems()) == []


def test_a_part_that_is_lost_and_a_refund_of_the_rest_take_all_that_was_settled(dollar_till: Till) -> None:
    _, charge = pay(dollar_till, dollar_till.intent("1000"))  # USD 7.70
    hear_of(dollar_till, told(charge, amount="2.57", withdrawn="2.57"))
    assert posted(dollar_till, "KES") == {"store_payable": Decimal("666.23")}
    hear_of(dollar_till, told(charge, "lost", hours=30, amount="2.57", withdrawn="2.57"))
    refund = give_back(dollar_till, Charge.objects.get())
    assert (refund.amount, refund.settles_amount) == (Money("5.13", "USD"), Decimal("666.23"))
    assert posted(dollar_till, "KES") == posted(dollar_till, "USD") == {}
    assert list(find_problems()) == []


def test_what_a_dispute_took_at_an_account_of_its_own_is_not_taken_at_the_platforms(dollar_till: Till) -> None:
    """given KES 1,000 at the platform / when dollars at the merchant's own account are withdrawn / then 1,000 cover."""
    _, charge = pay(dollar_till, dollar_till.intent("1500"))
    platform = make_provider_account(platform=True, name="Platform")
    payable = AccountRef(AccountKind.STORE_PAYABLE, dollar_till.store.public_id, "KES", False)
    clearing = AccountRef(AccountKind.PROVIDER_CLEARING, platform.public_id, "KES", False)
    came = Move(debit=clearing, credit=payable, amount=Money(1000, "KES"))
    record_transaction(key="came", kind="charge", reference="test", livemode=False, moves=[came])
    # when
    hear_of(dollar_till, told(charge, withdrawn="11.55"))
    # then
    with transaction.atomic():
        require_cover([Spending(dollar_till.store, platform, payable, Money(1000, "KES"))], "payout")
    with pytest.raises(Conflict), transaction.atomic():
        require_cover([Spending(dollar_till.store, platform, payable, Money(1001, "KES"))], "payout")


def test_money_that_waits_for_a_decision_is_disputed_where_it_stands(till: Till) -> None:
    """given an amount that was not asked for / when it is disputed / then what the store has earned is not touched."""
    _, charge = till.pay_new(str(amount_named("wrong_amount")))
    charge.refresh_from_db()
    received = charge.amount_received.amount
    assert posted(till, "KES")["store_unapplied"] == received
    hear_of(till, told(charge, withdrawn=str(received)))
    assert posted(till, "KES") == {"disputes_held": received, "disputes_reserve": received}
    hear_of(till, told(charge, "won", hours=30, withdrawn="0"))
    assert posted(till, "KES") == {"provider_clearing": received, "store_unapplied": received}
    assert list(find_problems()) == []


def test_a_parked_exchanged_charge_is_disputed_in_its_own_currency(dollar_till: Till, exchange: Exchange) -> None:
    exchange.wrong = Money(amount_named("wrong_amount"), "USD")
    _, charge = pay(dollar_till, dollar_till.intent("900000"))
    charge.refresh_from_db()
    hear_of(dollar_till, told(charge, "lost", withdrawn="7750"))
    assert posted(dollar_till, "USD") == posted(dollar_till, "KES") == {}
    assert (trading("USD", "KES"), trading("KES", "USD")) == (Decimal(0), Decimal(0))


def test_what_the_store_owes_is_shown_in_the_currency_it_earned(dollar_till: Till) -> None:
    """given KES 1,500 paid as USD 11.55, and paid out / when it is disputed / then the store owes shillings."""
    _, charge = pay(dollar_till, dollar_till.intent("1500"))
    payable = AccountRef(AccountKind.STORE_PAYABLE, dollar_till.store.public_id, "KES", False)
    bank = AccountRef(AccountKind.BANK, dollar_till.store.public_id, "KES", False)
    out = Move(debit=payable, credit=bank, amount=Money(1500, "KES"))
    record_transaction(key="out", kind="payout", reference="test", livemode=False, moves=[out])
    dispute = hear_of(dollar_till, told(charge, withdrawn="11.55")).dispute
    assert store_debt(dispute) == money_text(Money(1500, "KES"))
