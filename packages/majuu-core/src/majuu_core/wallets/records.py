"""Wallets as the API and events show them, and the events and audit entries of what happens to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from moneyed import Money

from majuu_core.audit.services import build_entry
from majuu_core.common.money import currency_of, format_amount
from majuu_core.events.services import build_event
from majuu_core.ledger.selectors import Balance
from majuu_core.payments.addresses import payment_url
from majuu_core.payments.payout_records import represent_payout
from majuu_core.payments.representation import represent_charge, represent_intent, represent_time
from majuu_core.wallets.models import Wallet, WalletDeposit, WalletPayment, WalletWithdrawal


def represent_wallet(wallet: Wallet, present: Balance | None = None) -> dict[str, Any]:
    """A wallet; with its balance where that was read (events leave it out: it may have changed since)."""
    shown: dict[str, Any] = {
        "id": wallet.public_id,
        "object": "wallet",
        "livemode": wallet.livemode,
        "currency": wallet.currency,
        "customer_reference": wallet.customer_reference,
        "customer_name": wallet.customer_name,
        "customer_phone": wallet.customer_phone,
        "status": wallet.status,
        "status_reason": wallet.status_reason or None,
        "created_at": represent_time(wallet.created_at),
    }
    if present is not None:
        shown["balance"] = format_amount(present.posted)
        shown["available"] = format_amount(present.available)
    return shown


def represent_deposit(deposit: WalletDeposit) -> dict[str, Any]:
    """A deposit with the intent that collects it. Confirm that intent to have it paid."""
    intent = deposit.payment_intent
    return {
        "id": deposit.public_id,
        "object": "wallet_deposit",
        "livemode": deposit.livemode,
        "wallet": deposit.wallet.public_id,
        "amount": format_amount(intent.amount),
        "currency": intent.currency,
        "credited": format_amount(deposit.total_credited),
        "credited_surplus": format_amount(Money(deposit.credited_surplus, currency_of(intent.currency))),
        "payment_intent": represent_intent(intent, payment_url=payment_url(intent)),
        "created_at": represent_time(deposit.created_at),
    }


def represent_payment(payment: WalletPayment) -> dict[str, Any]:
    """A payment from a wallet with its charge and intent."""
    charge = payment.charge
    intent = charge.payment_intent
    return {
        "id": payment.public_id,
        "object": "wallet_payment",
        "livemode": payment.livemode,
        "wallet": payment.wallet.public_id,
        "amount": format_amount(charge.amount),
        "currency": charge.currency,
        "charge": represent_charge(charge, intent_id=intent.public_id),
        "payment_intent": represent_intent(intent, payment_url=payment_url(intent)),
        "created_at": represent_time(payment.created_at),
    }


def represent_withdrawal(withdrawal: WalletWithdrawal) -> dict[str, Any]:
    """A withdrawal with its payout, whose status says how far it is."""
    payout = withdrawal.payout
    return {
        "id": withdrawal.public_id,
        "object": "wallet_withdrawal",
        "livemode": withdrawal.livemode,
        "wallet": withdrawal.wallet.public_id,
        "amount": format_amount(payout.amount),
        "currency": payout.currency,
        "status": payout.status,
        "payout": represent_payout(payout),
        "created_at": represent_time(withdrawal.created_at),
    }


def records_of(
    wallet: Wallet, type: str, *, about: models.Model, data: Mapping[str, Any], changes: Mapping[str, Any]
) -> list[models.Model]:
    """The event and the audit entry of one change, to be written with it. Both are called ``type``."""
    public_id: str = about.public_id  # type: ignore[attr-defined]
    return [
        build_event(store_id=wallet.store_id, livemode=wallet.livemode, type=type, object_id=public_id, data=data),
        audit_of(wallet, type, about=about, changes=changes),
    ]


def audit_of(wallet: Wallet, action: str, *, about: models.Model, changes: Mapping[str, Any]) -> models.Model:
    """The audit entry alone."""
    public_id: str = about.public_id  # type: ignore[attr-defined]
    return build_entry(
        action=action,
        object_id=public_id,
        merchant_id=wallet.store.merchant_id,
        store_id=wallet.store_id,
        changes=changes,
    )
