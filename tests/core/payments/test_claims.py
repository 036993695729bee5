"""A receipt is claimed by one store, for one purpose, once; undoing it takes two people."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.problems import Conflict, Denied, Invalid, NotFound
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.services import intake_store, update_store
from majuu_core.payments.claim_undoing import confirm_claim_undo, request_claim_undo, withdraw_claim_undo
from majuu_core.payments.models import Charge, Claim, IncomingPayment
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.payments.incoming_support import arrive, claim, payable, the_money, unclaimed
from tests.core.payments.support import Till

WRONG = "The customer had typed another shop's number."


@pytest.fixture
def paybill(till: Till, custodian: None) -> ProviderAccount:
    return make_provider_account(platform=True)


def person(name: str) -> Any:
    return acting_as(Actor(type="user", id=name))


def refusal(work: Any) -> str:
    with pytest.raises((Conflict, NotFound, Invalid, Denied)) as caught:
        work()
    return str(caught.value.code)


def test_a_claim_moves_the_money_with_the_ownership(till: Till, paybill: ProviderAccount) -> None:
    """Given unclaimed money, when a store claims it, then row, ledger, event and audit entry all say so."""
    arrive(paybill)
    made = claim(till.store)
    kept = the_money()
    assert (kept.ownership, kept.store, made.incoming, made.method) == ("claimed", till.store, kept, "manual")
    assert (unclaimed(), payable(till.store)) == (Decimal(0), Decimal(1500))
    told = Event.objects.get(type="incoming_payment.claimed")
    assert (told.store_id, told.data["incoming_payment"]["receipt"]) == (till.store.pk, "UKP7X1A2B3")
    assert AuditEntry.objects.filter(action="incoming_payment.claimed", store_id=till.store.pk).count() == 1
    assert list(find_problems()) == []


def test_the_same_claim_again_has_the_same_answer(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill)
    first = claim(till.store)
    assert claim(till.store, "ukp7x1a2b3 ", " 1001 ").pk == first.pk
    assert (Claim.objects.count(), payable(till.store)) == (1, Decimal(1500))


def test_a_second_claim_is_refused_and_does_not_say_who_has_it(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill)
    claim(till.store)
    other = make_store(name="Another")
    for store, reference in ((other, "1001"), (till.store, "1002")):
        with pytest.raises(Conflict) as caught:
            claim(store, reference=reference)
        assert caught.value.code == "incoming_payment_claimed"
        assert till.store.name not in caught.value.message
    assert (Claim.objects.count(), payable(other), payable(till.store)) == (1, Decimal(0), Decimal(1500))


def test_money_at_a_merchants_own_account_is_not_there_for_others(till: Till) -> None:
    arrive(till.account)
    stranger, sister = make_store(), make_store(merchant=till.store.merchant)
    assert refusal(lambda: claim(stranger)) == "receipt_not_found"
    assert (the_money().ownership, unclaimed()) == ("unclaimed", Decimal(1500))
    assert claim(sister).store == sister


def test_a_receipt_of_the_other_mode_is_not_there(till: Till) -> None:
    live = make_provider_account(platform=True, livemode=True)
    arrive(live)
    assert refusal(lambda: claim(till.store)) == "receipt_not_found"


def test_a_claim_can_pay_an_intent(till: Till, paybill: ProviderAccount) -> None:
    intent = till.intent("1000", reference="1001")
    arrive(paybill)
    made = claim(till.store, payment_intent=intent.public_id)
    intent.refresh_from_db()
    charge = Charge.objects.get()
    assert (intent.status, intent.amount_received.amount, intent.surplus.amount) == ("succeeded", 1000, 500)
    assert (charge.status, charge.payment_method, charge.receipt, charge.hold_id) == (
        "succeeded",
        "incoming",
        "UKP7X1A2B3",
        None,
    )
    assert (the_money().payment_intent, the_money().charge, made.incoming) == (intent, charge, the_money())
    assert unclaimed() == Decimal(0)
    assert till.books() == {
        "store_payable": (Decimal(1000), Decimal(0)),
        "store_surplus": (Decimal(500), Decimal(0)),
    }
    assert claim(till.store, payment_intent=intent.public_id).pk == made.pk
    assert list(find_problems()) == []


def test_an_intent_that_cannot_be_paid_leaves_the_money_free(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill)
    paid, _ = till.pay_new("700")
    in_dollars = till.intent("10", currency="USD")
    foreign = Till().intent("1500")
    for intent, code in ((paid, "payment_intent_final"), (in_dollars, "currency_mismatch")):
        assert refusal(lambda intent=intent: claim(till.store, payment_intent=intent.public_id)) == code
    assert refusal(lambda: claim(till.store, payment_intent=foreign.public_id)) == "payment_intent_not_found"
    assert (the_money().ownership, Claim.objects.count(), unclaimed()) == ("unclaimed", 0, Decimal(1500))


def test_a_claim_says_what_for(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill)
    assert refusal(lambda: claim(till.store, reference="  ")) == "reference_missing"
    assert the_money().ownership == "unclaimed"


def test_the_receipt_of_an_own_charge_is_used_once(till: Till) -> None:
    _, charge = till.pay_new("1500")
    receipt = charge.receipt or ""
    first = claim(till.store, receipt)
    assert (first.method, first.charge, first.incoming) == ("charge", charge, None)
    assert claim(till.store, receipt).pk == first.pk
    assert refusal(lambda: claim(till.store, receipt, "1002")) == "incoming_payment_claimed"
    assert refusal(lambda: claim(make_store(), receipt)) == "receipt_not_found"
    assert (Claim.objects.count(), payable(till.store)) == (1, Decimal(1500))


def test_undoing_needs_a_second_person_and_puts_the_money_back(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill)
    made = claim(till.store)
    assert refusal(lambda: request_claim_undo(claim=made, reason=" ")) == "reason_missing"
    with person("1"):
        assert refusal(lambda: confirm_claim_undo(claim=made)) == "undo_not_requested"
        request_claim_undo(claim=made, reason=WRONG)
        assert refusal(lambda: confirm_claim_undo(claim=made)) == "second_person_required"
    assert refusal(lambda: confirm_claim_undo(claim=made)) == "person_required"
    assert (the_money().ownership, payable(till.store)) == ("claimed", Decimal(1500))
    with person("2"):
        undone = confirm_claim_undo(claim=made)
        assert refusal(lambda: confirm_claim_undo(claim=made)) == "claim_undone"
    assert (undone.active_key, undone.undone_by, undone.undo_requested_by) == (None, "user:2", "user:1")
    assert (the_money().ownership, the_money().store) == ("unclaimed", intake_store())
    assert (unclaimed(), payable(till.store)) == (Decimal(1500), Decimal(0))
    assert Event.objects.get(type="incoming_payment.claim_undone").store_id == till.store.pk
    other = make_store()
    assert claim(other).store == other
    assert payable(other) == Decimal(1500)
    assert list(find_problems()) == []


def test_a_withdrawn_request_leaves_the_claim(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill)
    made = claim(till.store)
    with person("1"):
        request_claim_undo(claim=made, reason=WRONG)
    with person("2"):
        withdraw_claim_undo(claim=made)
        assert refusal(lambda: confirm_claim_undo(claim=made)) == "undo_not_requested"
    assert payable(till.store) == Decimal(1500)


def test_money_that_paid_an_intent_is_refunded_not_unclaimed(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill)
    made = claim(till.store, payment_intent=till.intent("1500").public_id)
    assert refusal(lambda: request_claim_undo(claim=made, reason=WRONG)) == "claim_applied"


def test_money_that_was_paid_out_cannot_be_unclaimed(till: Till, paybill: ProviderAccount) -> None:
    from moneyed import Money

    from majuu_core.ledger.chart import AccountKind, AccountRef
    from majuu_core.ledger.services import Move, record_transaction
    from majuu_core.payments.incoming_books import payable_account

    arrive(paybill)
    made = claim(till.store)
    with person("1"):
        request_claim_undo(claim=made, reason=WRONG)
    bank = AccountRef(AccountKind.BANK, till.store.merchant.public_id, "KES", False)
    out = Move(debit=payable_account(the_money(), till.store), credit=bank, amount=Money(1, "KES"))
    record_transaction(key="out", kind="payout", reference="po_1", livemode=False, moves=[out])
    with person("2"):
        assert refusal(lambda: confirm_claim_undo(claim=made)) == "claim_money_gone"
    assert (the_money().ownership, payable(till.store)) == ("claimed", Decimal(1499))


def test_undoing_the_mark_on_a_charge_moves_no_money(till: Till) -> None:
    _, charge = till.pay_new("1500")
    made = claim(till.store, charge.receipt or "")
    booked = LedgerTransaction.objects.count()
    with person("1"):
        request_claim_undo(claim=made, reason=WRONG)
    with person("2"):
        confirm_claim_undo(claim=made)
    assert LedgerTransaction.objects.count() == booked
    assert claim(till.store, charge.receipt or "", "1002").reference == "1002"


def test_refuted_money_cannot_be_claimed(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill)
    IncomingPayment.objects.update(status="refuted")
    assert refusal(lambda: claim(till.store)) == "receipt_not_found"


# --- without custody ------------------------------------------------------------------------------------------------


def test_without_custody_money_at_the_platform_s_account_is_kept_and_claimed_by_nobody(till: Till) -> None:
    """given no custody / when money arrives at the platform's account and is claimed / then it stays, unclaimed."""
    arrive(make_provider_account(platform=True))
    for more in ({}, {"payment_intent": till.intent("1500").public_id}):
        with pytest.raises(Denied) as refused:
            claim(till.store, **more)
        assert refused.value.code == "custodial_disabled"
        assert refused.value.message.startswith("Money at the platform's account for other merchants: ")
    assert (the_money().ownership, unclaimed(), payable(till.store)) == ("unclaimed", Decimal(1500), Decimal(0))
    assert (Claim.objects.count(), Event.objects.filter(type="incoming_payment.received").count()) == (0, 1)


def test_without_custody_money_at_an_own_account_is_claimed(till: Till) -> None:
    arrive(till.account)
    assert claim(till.store).store == till.store
    assert payable(till.store) == Decimal(1500)


def test_without_custody_the_platform_s_own_stores_claim_their_money(till: Till) -> None:
    """given a store of the platform's own business / when it claims at the platform's account / then it has it."""
    arrive(make_provider_account(platform=True))
    own = make_store(merchant=intake_store().merchant)
    assert (claim(own).store, payable(own)) == (own, Decimal(1500))


def test_what_was_claimed_with_custody_is_still_answered_without(
    till: Till, paybill: ProviderAccount, settings: Any
) -> None:
    """given a claim / when custody is switched off and the same claim comes again / then it is the same."""
    arrive(paybill)
    made = claim(till.store)
    settings.MAJUU_CUSTODIAL = False
    assert claim(till.store).pk == made.pk


def test_without_custody_a_reference_reserves_and_does_not_pay(till: Till) -> None:
    """given a prefix and an order number / when money comes without custody / then it waits for the store alone."""
    update_store(store=till.store, account_prefix="DUKA")
    intent = till.intent("1500", reference="1001")
    arrive(make_provider_account(platform=True), account_reference="DUKA 1001")
    intent.refresh_from_db()
    assert (intent.status, the_money().ownership, the_money().store) == (
        "requires_payment_method",
        "unclaimed",
        till.store,
    )
    assert (unclaimed(), payable(till.store)) == (Decimal(1500), Decimal(0))
