"""Wallets: open, find, freeze, release, close."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from majuu_core.common import clock
from majuu_core.common.money import currency_of, format_amount
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.common.redaction import contains_card_number
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.selectors import balance
from majuu_core.merchants.models import Store
from majuu_core.payments.custody import require_custodial
from majuu_core.wallets.locks import lock_wallet
from majuu_core.wallets.models import Wallet
from majuu_core.wallets.records import records_of, represent_wallet

_S = Wallet.Status
_COMPARED = ("customer_name", "customer_phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletDetails:
    """Whose wallet it is. ``customer_reference`` is the shop's own number of the customer."""

    currency: str
    customer_reference: str
    customer_name: str = ""
    customer_phone: str = ""


def open_wallet(*, store: Store, livemode: bool, details: WalletDetails) -> Wallet:
    """The customer's wallet: a new one, or the one they have; a closed one is opened again.

    Raises Denied ``custodial_disabled``, Invalid, and Conflict ``wallet_exists`` when the customer's wallet names
    another person or phone.
    """
    require_custodial("Wallets")
    _check_details(details)
    earlier = _existing(store, livemode, details)
    if earlier is None:
        try:
            return _insert(_build(store, livemode, details))
        except IntegrityError:  # somebody was faster
            earlier = _existing(store, livemode, details)
            if earlier is None:
                raise
    if any(getattr(earlier, name) != getattr(details, name) for name in _COMPARED):
        raise Conflict(
            "wallet_exists",
            f"{earlier.public_id} is this customer's wallet, with another name or phone.",
            field="customer_reference",
        )
    return _reopen(earlier) if earlier.status == _S.CLOSED else earlier


def get_wallet(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> Wallet:
    """The store's wallet. Raises NotFound, also for another store's and another mode's."""
    try:
        rows = Wallet.objects.select_related("store")
        return rows.get(pk=Wallet.uuid_of(public_id), store_id=store_id, livemode=livemode)
    except (ValueError, Wallet.DoesNotExist):
        raise NotFound("wallet_not_found", "There is no such wallet in this store and mode.") from None


def freeze_wallet(*, wallet: Wallet, reason: str) -> Wallet:
    """Let no money out; deposits still arrive. What has been sent already goes on. Freezing twice is a no-op."""
    _check_reason(reason)
    with transaction.atomic():
        locked = lock_wallet(wallet.pk)
        if locked.status == _S.FROZEN:
            return locked
        require_open(locked)
        return set_status(locked, _S.FROZEN, reason.strip())


def unfreeze_wallet(*, wallet: Wallet) -> Wallet:
    """Let money out again. Releasing an active wallet is a no-op. Raises Conflict for a closed one."""
    with transaction.atomic():
        locked = lock_wallet(wallet.pk)
        if locked.status == _S.ACTIVE:
            return locked
        require_open(locked)
        return set_status(locked, _S.ACTIVE, "")


def close_wallet(*, wallet: Wallet, reason: str = "") -> Wallet:
    """Close a wallet on which nothing stands and nothing is held. Closing twice is a no-op.

    Raises Conflict ``wallet_not_empty``. Money of a deposit that arrives later opens it again, frozen: it stays the
    customer's.
    """
    with transaction.atomic():
        locked = lock_wallet(wallet.pk)
        if locked.status == _S.CLOSED:
            return locked
        present = balance(locked.account)
        if present.posted.amount or present.debits_pending.amount or present.credits_pending.amount:
            raise Conflict(
                "wallet_not_empty",
                f"{format_amount(present.posted)} {locked.currency} stand on the wallet. Pay it out first.",
            )
        return set_status(locked, _S.CLOSED, reason.strip())


def require_open(wallet: Wallet) -> None:
    """Raise Conflict for a closed wallet."""
    if wallet.status == _S.CLOSED:
        raise Conflict("wallet_closed", "The wallet is closed. Open it again first.")


def require_spendable(wallet: Wallet) -> None:
    """Raise Conflict unless money may leave the wallet. Look at it under its lock."""
    require_open(wallet)
    if wallet.status == _S.FROZEN:
        raise Conflict("wallet_frozen", "The wallet is frozen: nothing can be taken from it now.")


def set_status(wallet: Wallet, status: str, reason: str) -> Wallet:
    """Write the new state of a wallet that is locked."""
    batch, before = WriteBatch(), wallet.status
    values: dict[str, Any] = {"status": status, "status_reason": reason[:255], "updated_at": clock.now()}
    batch.update(Wallet, wallet.pk, values)
    for name, value in values.items():
        setattr(wallet, name, value)
    changes = {"status": [before, str(status)], **({"reason": reason} if reason else {})}
    shown = {"wallet": represent_wallet(wallet)}
    batch.insert(*records_of(wallet, "wallet.updated", about=wallet, data=shown, changes=changes))
    batch.execute()
    return wallet


def _reopen(wallet: Wallet) -> Wallet:
    with transaction.atomic():
        locked = lock_wallet(wallet.pk)
        return set_status(locked, _S.ACTIVE, "") if locked.status == _S.CLOSED else locked


def _existing(store: Store, livemode: bool, details: WalletDetails) -> Wallet | None:
    rows = Wallet.objects.select_related("store").filter(store_id=store.pk, livemode=livemode)
    return rows.filter(currency=details.currency, customer_reference=details.customer_reference).first()


def _build(store: Store, livemode: bool, details: WalletDetails) -> Wallet:
    now = clock.now()
    return Wallet(
        store=store,
        livemode=livemode,
        currency=details.currency,
        customer_reference=details.customer_reference,
        customer_name=details.customer_name,
        customer_phone=details.customer_phone,
        created_at=now,
        updated_at=now,
    )


def _insert(wallet: Wallet) -> Wallet:
    batch = WriteBatch()
    batch.insert(wallet)
    changes = {"customer_reference": [None, wallet.customer_reference], "currency": [None, wallet.currency]}
    shown = {"wallet": represent_wallet(wallet)}
    batch.insert(*records_of(wallet, "wallet.created", about=wallet, data=shown, changes=changes))
    with transaction.atomic():
        batch.execute()
    return wallet


def _check_details(details: WalletDetails) -> None:
    currency_of(details.currency)
    reference = details.customer_reference
    if not 1 <= len(reference) <= 64 or reference != reference.strip() or not reference.isprintable():
        text = "Give your own number of the customer: 1 to 64 printable characters, no space at the ends."
        raise Invalid("customer_reference_invalid", text, field="customer_reference")
    for name in ("customer_reference", "customer_name"):
        if contains_card_number(getattr(details, name)):
            text = "This looks like a card number. Never send card numbers here."
            raise Invalid("card_number_refused", text, field=name)


def _check_reason(reason: str) -> None:
    if len(reason.strip()) < 5:
        raise Invalid("reason_missing", "Say why, for whoever looks at it later.", field="reason")
