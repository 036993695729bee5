"""A charge that waits for money people see: how long, what ends it, and what gives way to what."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.handlers import run_due_handlers
from majuu_core.events.models import Event
from majuu_core.payments import charges as charges_module
from majuu_core.payments.charges import offered_accounts
from majuu_core.payments.follow_ups import follow_up_charge, run_due_follow_ups
from majuu_core.payments.intents import cancel_payment_intent, expire_due_intents
from majuu_core.payments.models import Charge, ProviderCall
from majuu_core.testing.factories import make_provider_account
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.webhooks.dispatch import dispatch_due
from tests.core.manual.harness import ACCOUNT
from tests.core.manual.office import Office, csv_of, state_of
from tests.core.wallets.support import Counter

DAY = "2026-01-12"


def test_the_charge_waits_until_its_intent_expires(office: Office, virtual_clock: VirtualClock) -> None:
    charge = office.wait_for(lifetime=timedelta(days=5))
    assert (charge.status, charge.payment_intent.status) == ("requires_action", "requires_action")
    assert charge.follow_up_at == charge.payment_intent.expires_at
    # Everybody asks about it for four days: nothing changes, and nothing is parked.
    for _ in range(4):
        virtual_clock.advance(86_400)
        assert follow_up_charge(charge.pk) is False
        run_due_follow_ups()
    charge.refresh_from_db()
    assert (charge.status, charge.is_parked, charge.follow_up_count) == ("requires_action", False, 0)
    # The fifth day ends both, and frees the hold.
    virtual_clock.advance(86_400)
    run_due_follow_ups()
    assert expire_due_intents() == 1
    assert (state_of(charge), state_of(charge.payment_intent)) == ("canceled", "canceled")
    assert office.books() == {}
    assert not ProviderCall.objects.exists()


def test_the_customer_may_choose_another_method(office: Office) -> None:
    first = office.wait_for()
    intent, second = office.pay(first.payment_intent)
    assert (state_of(first), second.status, intent.status) == ("canceled", "succeeded", "succeeded")
    assert not Event.objects.filter(type="payment_intent.payment_failed").exists()
    office.account = office.mock_account
    assert office.books() == {
        "provider_clearing": (Decimal(1500), Decimal(0)),
        "store_payable": (Decimal(1500), Decimal(0)),
    }


@pytest.mark.usefixtures("custodian")
def test_a_wallet_pays_although_a_transfer_is_waited_for(db, virtual_clock) -> None:
    counter = Counter()
    wallet = counter.wallet(funds="2000")
    account = make_provider_account(store=counter.store, provider="manual", credentials=ACCOUNT)
    intent = counter.intent("1500")
    _, charge = charges_module.confirm_payment_intent(
        intent=intent, choice=charges_module.PaymentChoice(payment_method="bank_transfer")
    )
    assert charge.provider_account_id == account.pk
    pay_intent_from_wallet(wallet=wallet, intent=intent)
    assert (state_of(charge), state_of(intent)) == ("canceled", "succeeded")


def test_choosing_a_transfer_twice_gives_a_new_reference(office: Office) -> None:
    first = office.wait_for()
    second = office.choose(first.payment_intent)
    assert (state_of(first), second.status) == ("canceled", "requires_action")
    assert first.provider_reference != second.provider_reference
    assert office.books() == {
        "provider_clearing": (Decimal(0), Decimal(1500)),
        "store_payable": (Decimal(0), Decimal(1500)),
    }


def test_the_same_request_again_joins_its_charge(office: Office) -> None:
    intent = office.intent()
    choice = charges_module.PaymentChoice(payment_method="bank_transfer")
    _, first = charges_module.confirm_payment_intent(intent=intent, choice=choice, request_key="k1")
    _, again = charges_module.confirm_payment_intent(intent=intent, choice=choice, request_key="k1")
    assert again.pk == first.pk
    assert state_of(first) == "requires_action"


def test_a_charge_that_may_move_by_itself_gives_way_to_nothing(office: Office) -> None:
    intent, open_charge = office.pay_new("7721")  # the mock provider takes a while
    assert open_charge.status == "pending"
    with pytest.raises(Conflict) as refusal:
        office.choose(intent)
    assert refusal.value.code == "charge_in_progress"
    assert state_of(open_charge) == "pending"
    assert Charge.objects.count() == 1


def test_canceling_the_intent_ends_what_waits(office: Office) -> None:
    charge = office.wait_for()
    cancel_payment_intent(intent=charge.payment_intent)
    assert (state_of(charge), state_of(charge.payment_intent)) == ("canceled", "canceled")
    assert office.books() == {}


@pytest.mark.parametrize(("late_success", "intent_state"), [("succeed", "succeeded"), ("park", "canceled")])
def test_late_money_follows_the_rules_for_late_money(db, virtual_clock, late_success: str, intent_state: str) -> None:
    office = Office(late_success=late_success)
    charge = office.wait_for()
    cancel_payment_intent(intent=charge.payment_intent)
    office.upload(csv_of((DAY, "FT1", f"RENT {charge.provider_reference}", "1500", "")))
    charge.refresh_from_db()
    assert (charge.status, charge.is_parked) == ("succeeded", late_success == "park")
    assert state_of(charge.payment_intent) == intent_state
    kind = "store_payable" if late_success == "succeed" else "store_unapplied"
    assert office.books() == {"provider_clearing": (Decimal(1500), Decimal(0)), kind: (Decimal(1500), Decimal(0))}


def test_money_for_a_charge_that_gave_way_is_surplus(office: Office) -> None:
    first = office.wait_for()
    office.pay(first.payment_intent)
    office.upload(csv_of((DAY, "FT1", str(first.provider_reference), "1500.00", "")))
    assert state_of(first) == "succeeded"
    first.payment_intent.refresh_from_db()
    assert first.payment_intent.surplus.amount == 1500


def test_an_intent_paid_otherwise_leaves_nothing_waiting(office: Office) -> None:
    charge = office.wait_for(reference="ORD-4711")
    office.upload(csv_of((DAY, "FT1", "ORD-4711", "1500", "")))  # the order number instead of the reference
    assert state_of(charge.payment_intent) == "succeeded"
    while dispatch_due() or run_due_handlers():
        pass
    assert state_of(charge) == "canceled"
    assert office.books() == {
        "provider_clearing": (Decimal(1500), Decimal(0)),
        "store_payable": (Decimal(1500), Decimal(0)),
    }


def test_nothing_shown_means_nothing_waits(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies between the two transactions: no customer has seen a reference."""
    intent = office.intent()
    monkeypatch.setattr(charges_module, "take_money", _die)
    with pytest.raises(SystemExit):
        office.choose(intent)
    charge = Charge.objects.get()
    assert (charge.status, charge.provider_reference) == ("pending", None)
    follow_up_charge(charge.pk)
    assert (state_of(charge), state_of(intent)) == ("canceled", "requires_payment_method")


def test_a_reference_that_is_taken_fails_the_attempt_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    first = office.wait_for()
    monkeypatch.setattr("majuu_core.manual.provider.make_reference", lambda seed: first.provider_reference)
    second = office.wait_for()
    assert (second.status, second.provider_failure_code) == ("failed", "reference_taken")
    assert (state_of(first), state_of(second.payment_intent)) == ("requires_action", "requires_payment_method")


def test_an_account_offers_what_it_takes(office: Office) -> None:
    assert {"bank_transfer", "cash", "mock"} == set(offered_accounts(office.intent()))
    dollars = offered_accounts(office.intent("10", "UGX"))
    assert "bank_transfer" not in dollars
    assert "cash" not in dollars
    with pytest.raises(Invalid) as refusal:
        office.choose(office.intent("10", "UGX"))
    assert refusal.value.code == "no_provider_account"
    assert Charge.objects.count() == 0


def _die(*arguments: object, **options: object) -> None:
    raise SystemExit
