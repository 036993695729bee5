"""Opening, freezing and closing wallets, and the setting that allows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.money import AmountError
from majuu_core.common.problems import Conflict, Denied, Invalid, NotFound
from majuu_core.events.models import Event
from majuu_core.payments.models import Charge, PaymentIntent, Payout
from majuu_core.testing.factories import make_store
from majuu_core.wallets.models import Wallet, WalletDeposit, WalletPayment, WalletWithdrawal
from majuu_core.wallets.services import (
    WalletDetails,
    close_wallet,
    freeze_wallet,
    get_wallet,
    open_wallet,
    unfreeze_wallet,
)
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.wallets.withdrawals import WithdrawalDetails, withdraw
from tests.core.wallets.support import Counter, on, told

D = Decimal


def audited(wallet: Wallet) -> list[str]:
    return list(AuditEntry.objects.filter(object_id=wallet.public_id).order_by("pk").values_list("action", flat=True))


def test_a_wallet_is_opened_once_for_a_customer(counter: Counter) -> None:
    """given a customer / when a wallet is asked for twice / then it is the same, active and empty, and told of once."""
    wallet = counter.wallet("C-1")
    again = counter.wallet("C-1")

    assert again.pk == wallet.pk
    assert (wallet.status, on(wallet)) == ("active", (D(0), D(0)))
    assert told(wallet) == ["wallet.created"] == audited(wallet)


def test_each_currency_mode_and_store_has_its_own(counter: Counter) -> None:
    """given a customer's reference / when wallets differ in currency, mode or store / then each is another."""
    other = Counter()
    details = WalletDetails(currency="USD", customer_reference="C-1")
    wallets = [
        counter.wallet("C-1"),
        open_wallet(store=counter.store, livemode=False, details=details),
        open_wallet(store=counter.store, livemode=True, details=details),
        other.wallet("C-1"),
    ]
    assert len({wallet.pk for wallet in wallets}) == 4


def test_another_person_under_the_same_reference_is_refused(counter: Counter) -> None:
    """given a customer's wallet / when it is opened with another phone / then 409 and it is as it was."""
    wallet = counter.wallet("C-1")
    with pytest.raises(Conflict) as refusal:
        counter.wallet("C-1", customer_phone="254700000000")
    assert refusal.value.code == "wallet_exists"
    wallet.refresh_from_db()
    assert wallet.customer_phone == "254712345678"


@pytest.mark.parametrize("reference", ["", " C-1", "C-1 ", "C\n1", "x" * 65])
def test_an_unusable_reference_is_refused(counter: Counter, reference: str) -> None:
    """given a reference that cannot be one / when a wallet is opened / then Invalid and there is none."""
    with pytest.raises(Invalid) as refusal:
        counter.wallet(reference)
    assert (refusal.value.code, refusal.value.field) == ("customer_reference_invalid", "customer_reference")
    assert not Wallet.objects.exists()


def test_card_numbers_and_unknown_currencies_are_refused(counter: Counter) -> None:
    """given a card number as the reference, or no such currency / when opened / then refused and nothing written."""
    with pytest.raises(Invalid) as refusal:
        counter.wallet("4111111111111111")
    assert refusal.value.code == "card_number_refused"
    with pytest.raises(AmountError):
        open_wallet(
            store=counter.store, livemode=False, details=WalletDetails(currency="XYZ", customer_reference="C-1")
        )
    assert not Wallet.objects.exists()


def test_another_store_s_and_mode_s_wallet_is_not_found(counter: Counter) -> None:
    """given a wallet / when another store, or the other mode, asks for it / then there is none."""
    wallet = counter.wallet()
    assert get_wallet(store_id=counter.store.pk, livemode=False, public_id=wallet.public_id) == wallet
    for store_id, livemode, name in (
        (make_store().pk, False, wallet.public_id),
        (counter.store.pk, True, wallet.public_id),
        (counter.store.pk, False, "wal_nonsense"),
        (counter.store.pk, False, counter.store.public_id),
    ):
        with pytest.raises(NotFound):
            get_wallet(store_id=store_id, livemode=livemode, public_id=name)


def test_nothing_leaves_a_frozen_wallet_and_deposits_arrive(counter: Counter) -> None:
    """given 500 on a wallet / when it is frozen / then paying and withdrawing are refused, a deposit is credited."""
    wallet = counter.wallet(funds="500")
    intent = counter.intent("100")
    freeze_wallet(wallet=wallet, reason="The phone was stolen.")
    freeze_wallet(wallet=wallet, reason="Said twice.")

    with pytest.raises(Conflict) as refusal:
        pay_intent_from_wallet(wallet=wallet, intent=intent)
    assert refusal.value.code == "wallet_frozen"
    with pytest.raises(Conflict) as refusal:
        withdraw(wallet=wallet, details=WithdrawalDetails(amount=Money(100, "KES"), reference="W-1"))
    assert refusal.value.code == "wallet_frozen"
    counter.fill(wallet, "250")

    wallet.refresh_from_db()
    assert (wallet.status, wallet.status_reason) == ("frozen", "The phone was stolen.")
    assert on(wallet) == (D(750), D(750))
    assert (Payout.objects.count(), WalletPayment.objects.count()) == (0, 0)
    assert told(wallet) == ["wallet.created", "wallet.updated"]


def test_a_released_wallet_pays_again(counter: Counter) -> None:
    """given a frozen wallet / when released, twice / then it pays, and the change was written once."""
    wallet = counter.wallet(funds="500")
    freeze_wallet(wallet=wallet, reason="A mistake.")
    unfreeze_wallet(wallet=wallet)
    unfreeze_wallet(wallet=wallet)

    pay_intent_from_wallet(wallet=wallet, intent=counter.intent("100"))

    assert on(wallet) == (D(400), D(400))
    assert audited(wallet) == ["wallet.created", "wallet.updated", "wallet.updated"]


@pytest.mark.parametrize("reason", ["", "  ", "why"])
def test_freezing_needs_a_reason(counter: Counter, reason: str) -> None:
    """given a wallet / when frozen without a reason / then Invalid and it is active."""
    wallet = counter.wallet()
    with pytest.raises(Invalid):
        freeze_wallet(wallet=wallet, reason=reason)
    wallet.refresh_from_db()
    assert wallet.status == "active"


def test_only_an_empty_wallet_is_closed(counter: Counter) -> None:
    """given 0.01 on a wallet / when closed / then 409; when it is spent / then it closes, once."""
    wallet = counter.wallet(funds="0.01")
    with pytest.raises(Conflict) as refusal:
        close_wallet(wallet=wallet)
    assert refusal.value.code == "wallet_not_empty"

    pay_intent_from_wallet(wallet=wallet, intent=counter.intent("0.01"))
    close_wallet(wallet=wallet, reason="The customer left.")
    close_wallet(wallet=wallet)

    wallet.refresh_from_db()
    assert (wallet.status, wallet.status_reason) == ("closed", "The customer left.")
    assert told(wallet) == ["wallet.created", "wallet.updated"]


def test_a_wallet_with_money_on_its_way_out_is_not_closed(counter: Counter) -> None:
    """given a withdrawal of everything that is pending / when closed / then 409: it may come back."""
    wallet = counter.wallet(funds="7000")
    counter.fill(wallet, "723")  # the mock provider keeps 7723 pending for an hour
    withdraw(wallet=wallet, details=WithdrawalDetails(amount=Money(7723, "KES"), reference="W-1"))
    with pytest.raises(Conflict) as refusal:
        close_wallet(wallet=wallet)
    assert refusal.value.code == "wallet_not_empty"


def test_a_closed_wallet_does_nothing_until_it_is_opened_again(counter: Counter) -> None:
    """given a closed wallet / when used / then 409s; when the customer's wallet is asked for / then it is active."""
    wallet = close_wallet(wallet=counter.wallet("C-1"))
    refused = (
        lambda: counter.begin(wallet, "100"),
        lambda: pay_intent_from_wallet(wallet=wallet, intent=counter.intent("100")),
        lambda: withdraw(wallet=wallet, details=WithdrawalDetails(amount=Money(1, "KES"), reference="W-1")),
        lambda: freeze_wallet(wallet=wallet, reason="Too late."),
        lambda: unfreeze_wallet(wallet=wallet),
    )
    for attempt in refused:
        with pytest.raises(Conflict) as refusal:
            attempt()
        assert refusal.value.code == "wallet_closed"
    assert not WalletDeposit.objects.exists()

    assert counter.wallet("C-1").status == "active"
    assert audited(wallet) == ["wallet.created", "wallet.updated", "wallet.updated"]


def test_without_the_setting_nothing_changes(counter: Counter, settings: Any) -> None:
    """given wallets were allowed / when they are not any more / then nothing can be opened, filled or paid."""
    wallet = counter.wallet(funds="500")
    intent = counter.intent("100")
    settings.MAJUU_CUSTODIAL = False
    counts = [model.objects.count() for model in (Wallet, WalletDeposit, PaymentIntent, Charge, Event, AuditEntry)]

    for attempt in (
        lambda: counter.wallet("C-2"),
        lambda: counter.wallet(),
        lambda: counter.begin(wallet, "100"),
        lambda: pay_intent_from_wallet(wallet=wallet, intent=intent),
    ):
        with pytest.raises(Denied) as refusal:
            attempt()
        assert refusal.value.code == "custodial_disabled"

    assert counts == [
        model.objects.count() for model in (Wallet, WalletDeposit, PaymentIntent, Charge, Event, AuditEntry)
    ]
    assert on(wallet) == (D(500), D(500))


def test_without_the_setting_customers_still_get_their_money(counter: Counter, settings: Any) -> None:
    """given money on a wallet / when the setting is switched off / then it can be withdrawn and the wallet closed."""
    wallet = counter.wallet(funds="500")
    settings.MAJUU_CUSTODIAL = False

    withdraw(wallet=wallet, details=WithdrawalDetails(amount=Money(500, "KES"), reference="W-1"))

    assert close_wallet(wallet=wallet).status == "closed"
    assert on(wallet) == (D(0), D(0))


@pytest.mark.parametrize("model", [WalletDeposit, WalletPayment, WalletWithdrawal])
def test_the_database_keeps_test_and_live_apart(counter: Counter, virtual_clock: VirtualClock, model: Any) -> None:
    """given a test wallet's rows / when their mode is changed / then the database refuses."""
    wallet = counter.wallet(funds="500")
    pay_intent_from_wallet(wallet=wallet, intent=counter.intent("100"))
    withdraw(wallet=wallet, details=WithdrawalDetails(amount=Money(100, "KES"), reference="W-1"))
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(livemode=True)
    assert model.objects.get().livemode is False
