"""Incoming payments and claims as the API and events show them; payers of other people's money stay masked."""

from __future__ import annotations

import uuid
from typing import Any

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import build_entry
from majuu_core.common import ids
from majuu_core.common.money import format_amount
from majuu_core.database.batch import WriteBatch
from majuu_core.events.services import build_event
from majuu_core.merchants.models import Store
from majuu_core.payments.models import Charge, Claim, IncomingPayment, PaymentIntent
from majuu_core.payments.representation import represent_time


def represent_incoming(incoming: IncomingPayment) -> dict[str, Any]:
    """An incoming payment as its owner sees it."""
    return {
        "id": incoming.public_id,
        "object": "incoming_payment",
        "livemode": incoming.livemode,
        "receipt": incoming.receipt,
        "receiver": incoming.receiver,
        "channel": incoming.channel,
        "amount": format_amount(incoming.amount),
        "currency": incoming.currency,
        "account_reference": incoming.account_reference,
        "payer_name": incoming.payer_name,
        "payer_phone": incoming.payer_phone or incoming.payer_phone_masked,
        "status": incoming.status,
        "ownership": incoming.ownership,
        "verified": incoming.verified_at is not None,
        "charge": _id_of(Charge, incoming.charge_id),
        "payment_intent": _id_of(PaymentIntent, incoming.payment_intent_id),
        "occurred_at": represent_time(incoming.occurred_at),
        "created_at": represent_time(incoming.created_at),
    }


def represent_claim(claim: Claim) -> dict[str, Any]:
    """A claim as its store sees it."""
    incoming = claim.incoming
    intent_id = incoming.payment_intent_id if incoming is not None else None
    return {
        "id": claim.public_id,
        "object": "claim",
        "livemode": claim.livemode,
        "receipt": claim.receipt,
        "reference": claim.reference,
        "method": claim.method,
        "incoming_payment": represent_incoming(incoming) if incoming is not None else None,
        "charge": _id_of(Charge, claim.charge_id),
        "payment_intent": _id_of(PaymentIntent, intent_id),
        "created_at": represent_time(claim.created_at),
        "undone_at": represent_time(claim.undone_at),
    }


def mask_name(name: str) -> str:
    """The first letter of every word: ``Jane Wanjiru`` becomes ``J*** W***``."""
    return " ".join(f"{word[0]}***" for word in name.split())


def mask_phone(phone: str) -> str:
    """The network and the last three digits: ``2547*****678``. What is too short to recognise is hidden wholly."""
    return f"{phone[:4]}*****{phone[-3:]}" if len(phone) >= 10 else "*****" if phone else ""


def add_incoming_event(batch: WriteBatch, incoming: IncomingPayment, type: str, *, store: Store | None = None) -> None:
    """Tell the owner (or ``store``) of the incoming payment as it now is."""
    owner = store or incoming.store
    batch.insert(
        build_event(
            store_id=owner.pk,
            livemode=incoming.livemode,
            type=type,
            object_id=incoming.public_id,
            data={"incoming_payment": represent_incoming(incoming)},
        )
    )


def incoming_entry(incoming: IncomingPayment, action: str, changes: dict[str, Any]) -> AuditEntry:
    """An audit entry about the incoming payment, under its present owner."""
    return build_entry(
        action=action,
        object_id=incoming.public_id,
        merchant_id=incoming.store.merchant_id,
        store_id=incoming.store_id,
        changes=changes,
    )


def claim_entry(claim: Claim, action: str, changes: dict[str, Any]) -> AuditEntry:
    """An audit entry about the claim."""
    return build_entry(
        action=action,
        object_id=claim.public_id,
        merchant_id=claim.store.merchant_id,
        store_id=claim.store_id,
        changes={"receipt": claim.receipt, **changes},
    )


def _id_of(model: type[Charge | PaymentIntent], key: uuid.UUID | None) -> str | None:
    return None if key is None else ids.encode_id(model.id_prefix, key)
