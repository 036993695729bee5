"""What incoming money means in the books.

It arrives from the provider's clearing account into the intake's unclaimed money, and leaves that once: to a store that
claims it, to the charge of an intent that it pays, or back, when the provider takes it back or another channel told of
the same money.
"""

from __future__ import annotations

from django.db import transaction

from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.exceptions import InsufficientFunds
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.services import Move, add_transaction, lock_for_spending, reverse_transaction
from majuu_core.merchants.models import Store
from majuu_core.merchants.services import intake_store
from majuu_core.payments.models import Claim, IncomingPayment


def book_arrival(batch: WriteBatch, incoming: IncomingPayment, *, again: str = "") -> None:
    """Money came in: we owe it to whoever claims it. ``again`` names a later arrival of money that was reversed."""
    clearing = AccountRef(
        kind=AccountKind.PROVIDER_CLEARING,
        owner=incoming.provider_account.public_id,
        currency=incoming.currency,
        livemode=incoming.livemode,
    )
    add_transaction(
        batch,
        key=_arrival_key(incoming, again),
        kind="incoming",
        reference=incoming.public_id,
        livemode=incoming.livemode,
        moves=[Move(debit=clearing, credit=unclaimed_account(incoming), amount=incoming.amount)],
    )


def book_claim(batch: WriteBatch, incoming: IncomingPayment, claim: Claim, store: Store) -> None:
    """Unclaimed money becomes the store's."""
    add_transaction(
        batch,
        key=claim_key(claim),
        kind="incoming_claim",
        reference=claim.public_id,
        livemode=incoming.livemode,
        moves=[
            Move(debit=unclaimed_account(incoming), credit=payable_account(incoming, store), amount=incoming.amount)
        ],
    )


def reverse_arrival(incoming: IncomingPayment, *, why: str) -> None:
    """Take the last arrival back. Inside the caller's transaction, with the incoming payment locked."""
    assert transaction.get_connection().in_atomic_block  # noqa: S101 - the reversal belongs to what it explains
    keys = [_arrival_key(incoming, again) for again in ("", "corrected", "reinstated")]
    booked = LedgerTransaction.objects.filter(key__in=keys, reversal__isnull=True).order_by("pk").last()
    if booked is not None:
        key = f"{booked.key}:back"
        reverse_transaction(
            transaction_id=booked.pk, key=key, kind="incoming_back", reference=incoming.public_id, description=why
        )


def reverse_claim(claim: Claim, *, why: str) -> None:
    """Put a claim's money back into the intake. Inside the caller's transaction, with both rows locked."""
    booked = LedgerTransaction.objects.filter(key=claim_key(claim), reversal__isnull=True).first()
    if booked is not None:
        reverse_transaction(
            transaction_id=booked.pk,
            key=f"{booked.key}:back",
            kind="incoming_claim_back",
            reference=claim.public_id,
            description=why,
        )


def keep_if_there(incoming: IncomingPayment, store: Store) -> bool:
    """Whether the store has at least the claimed amount, which it has not if it was paid out meanwhile.

    Call it inside ``atomic()``: until the transaction ends, no payout can spend the amount. They take the same lock.
    """
    try:
        lock_for_spending(payable_account(incoming, store), incoming.amount, guarded_here=True)
    except InsufficientFunds:
        return False
    return True


def unclaimed_account(incoming: IncomingPayment) -> AccountRef:
    """Where unclaimed money of this currency and mode stands."""
    return AccountRef(
        kind=AccountKind.INTAKE_UNCLAIMED,
        owner=intake_store().public_id,
        currency=incoming.currency,
        livemode=incoming.livemode,
    )


def payable_account(incoming: IncomingPayment, store: Store) -> AccountRef:
    """What we owe the store in this currency and mode."""
    return AccountRef(
        kind=AccountKind.STORE_PAYABLE, owner=store.public_id, currency=incoming.currency, livemode=incoming.livemode
    )


def claim_key(claim: Claim) -> str:
    """The name of a claim's transaction in the books."""
    return f"{claim.public_id}:claim"


def _arrival_key(incoming: IncomingPayment, again: str) -> str:
    return f"{incoming.public_id}:arrived" + (f":{again}" if again else "")
