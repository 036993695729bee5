"""What payments know about a person: customers, intents and charges, incoming money, payouts and refunds.

Rows about money stay, and so do their amounts. Who paid is taken out once nothing obliges us to keep it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from majuu_core.configuration import retention
from majuu_core.payments.models import (
    Charge,
    Customer,
    Dispute,
    IncomingPayment,
    PaymentIntent,
    Payout,
    Refund,
    SavedMethod,
)
from majuu_core.payments.representation import represent_time
from majuu_core.plugins.personal_data import Identity, PersonalData, PersonalRecord

_OPEN_DISPUTES = (Dispute.Status.NEEDS_RESPONSE, Dispute.Status.UNDER_REVIEW)
_SETTLED = (PaymentIntent.Status.SUCCEEDED, PaymentIntent.Status.CANCELED)
_LAW = "Payments are kept for {} days (MAJUU_RETENTION)."
UNDER_WAY = "It is still under way."


def find_customers(identity: Identity) -> QuerySet[Customer]:
    """The customers behind these addresses and ids, of every store."""
    wanted = Q(pk__in=_keys(Customer, identity.customer_ids))
    for address in identity.emails:
        wanted |= Q(email__iexact=address)
    return Customer.objects.filter(wanted).order_by("pk")


def _keys(model: Any, names: Iterable[str]) -> list[Any]:
    found = []
    for name in names:
        try:
            found.append(model.uuid_of(name))
        except ValueError:
            continue
    return found


def _find_customers(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    for customer in find_customers(identity).prefetch_related("saved_methods"):
        methods = [
            {"id": saved.public_id, "method": saved.payment_method, "brand": saved.brand, "last4": saved.last4}
            for saved in customer.saved_methods.all()
        ]
        data = {
            "store": str(customer.store_id),
            "reference": customer.reference,
            "name": customer.name,
            "email": customer.email,
            "metadata": customer.metadata,
            "created_at": represent_time(customer.created_at),
            "saved_methods": methods,
        }
        yield PersonalRecord(id=customer.public_id, kind="Customer", data=data)


def _erase_customers(names: Sequence[str]) -> int:
    keys = _keys(Customer, names)
    # The provider's tokens are forgotten here; what the provider itself keeps, the shop asks it to remove.
    SavedMethod.objects.filter(customer__in=keys).update(
        status=SavedMethod.Status.REMOVED,
        customer_reference="",
        method_reference="",
        brand="",
        last4="",
        expires="",
        next_action=None,
        follow_up_at=None,
        failure_message="",
    )
    return Customer.objects.filter(pk__in=keys).update(name="", email="", reference=None, metadata={})


def _intents(identity: Identity) -> QuerySet[PaymentIntent]:
    payers = Charge.objects.filter(payer__in=identity.phones | identity.emails).values("payment_intent")
    saved = Charge.objects.filter(saved_method__customer__in=find_customers(identity).values("pk"))
    wanted = Q(customer_phone__in=identity.phones) | Q(pk__in=payers) | Q(pk__in=saved.values("payment_intent"))
    for address in identity.emails:
        wanted |= Q(customer_email__iexact=address)
    return PaymentIntent.objects.filter(wanted).order_by("pk")


def _find_payments(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    for intent in _intents(identity).prefetch_related("charges"):
        charges = list(intent.charges.all())
        why = _why_kept(intent, charges)
        yield PersonalRecord(id=intent.public_id, kind="Payment", data=_intent_data(intent), **why)
        for charge in charges:
            data = {
                "amount": str(charge.amount),
                "status": charge.status,
                "payer": charge.payer,
                "payment_method": charge.payment_method,
                "receipt": charge.receipt,
                "created_at": represent_time(charge.created_at),
            }
            yield PersonalRecord(id=charge.public_id, kind="Charge", data=data, follows=intent.public_id)


def _intent_data(intent: PaymentIntent) -> dict[str, Any]:
    return {
        "amount": str(intent.amount),
        "amount_received": str(intent.amount_received),
        "status": intent.status,
        "reference": intent.reference,
        "description": intent.description,
        "customer_email": intent.customer_email,
        "customer_phone": intent.customer_phone,
        "metadata": intent.metadata,
        "created_at": represent_time(intent.created_at),
    }


def _why_kept(intent: PaymentIntent, charges: Sequence[Charge]) -> dict[str, Any]:
    dispute = Dispute.objects.filter(charge__in=charges, status__in=_OPEN_DISPUTES).first()
    if dispute is not None:
        return {"hold": f"The dispute {dispute.public_id} is open."}
    if intent.status not in _SETTLED:
        return {"keep_reason": UNDER_WAY}
    moved = [charge.occurred_at or charge.created_at for charge in charges if charge.amount_received.amount]
    return kept_for_payments(max(moved)) if moved else {}


def kept_for_payments(moved_at: datetime) -> dict[str, Any]:
    """Until when, and why, it is kept who paid money that moved then."""
    period = retention("payments")
    return {"keep_until": moved_at + period, "keep_reason": _LAW.format(period.days)}


def _erase_payments(names: Sequence[str]) -> int:
    blank: dict[str, Any] = {"payer": "", "next_action": None, "failure_message": ""}
    done = Charge.objects.filter(pk__in=_keys(Charge, names)).update(**blank)
    intents = PaymentIntent.objects.filter(pk__in=_keys(PaymentIntent, names))
    contacts = dict.fromkeys(("customer_email", "customer_phone", "customer_email_key", "customer_phone_key"), "")
    return done + intents.update(**contacts, description="", metadata={})


def _find_incoming(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    wanted = Q(payer_phone__in=identity.phones) | Q(payment_intent__in=_keys(PaymentIntent, related))
    for money in IncomingPayment.objects.filter(wanted).order_by("pk"):
        data = {
            "amount": str(money.amount),
            "receipt": money.receipt,
            "payer_name": money.payer_name,
            "payer_phone": money.payer_phone or money.payer_phone_masked,
            "account_reference": money.account_reference,
            "occurred_at": represent_time(money.occurred_at),
        }
        yield PersonalRecord(
            id=money.public_id, kind="Incoming payment", data=data, **kept_for_payments(money.occurred_at)
        )


def _erase_incoming(names: Sequence[str]) -> int:
    return IncomingPayment.objects.filter(pk__in=_keys(IncomingPayment, names)).update(
        payer_name="", payer_phone="", payer_phone_hash="", payer_phone_masked="", account_reference="", raw=""
    )


def _find_outgoing(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    phones = sorted(identity.phones)
    for payout in Payout.objects.filter(destination__phone__in=phones).order_by("pk"):
        data = _outgoing_data(payout) | {"recipient_name": payout.recipient_name}
        yield PersonalRecord(id=payout.public_id, kind="Payout", data=data, **_outgoing_kept(payout))
    wanted = Q(destination__phone__in=phones) | Q(charge__in=_keys(Charge, related))
    for refund in Refund.objects.filter(wanted).order_by("pk"):
        yield PersonalRecord(id=refund.public_id, kind="Refund", data=_outgoing_data(refund), **_outgoing_kept(refund))


def _outgoing_data(row: Payout | Refund) -> dict[str, Any]:
    created = represent_time(row.created_at)
    return {"amount": str(row.amount), "status": row.status, "destination": row.destination, "created_at": created}


def _outgoing_kept(row: Payout | Refund) -> dict[str, Any]:
    if row.status in ("pending", "unknown", "processing", "requires_approval", "requires_action"):
        return {"keep_reason": UNDER_WAY}
    return kept_for_payments(row.created_at) if row.status == "succeeded" else {}


def _erase_outgoing(names: Sequence[str]) -> int:
    blank: dict[str, Any] = {"destination": {}, "failure_message": ""}
    done = Payout.objects.filter(pk__in=_keys(Payout, names)).update(
        **blank, recipient_name="", description="", metadata={}
    )
    return done + Refund.objects.filter(pk__in=_keys(Refund, names)).update(**blank)


CUSTOMERS = PersonalData(name="payments.customers", label="Customers", find=_find_customers, erase=_erase_customers)
PAYMENTS = PersonalData(name="payments.payments", label="Payments", find=_find_payments, erase=_erase_payments)
INCOMING = PersonalData(name="payments.incoming", label="Incoming payments", find=_find_incoming, erase=_erase_incoming)
OUTGOING = PersonalData(name="payments.outgoing", label="Payouts", find=_find_outgoing, erase=_erase_outgoing)
