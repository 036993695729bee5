"""What a store may know about a receipt before it claims it. Other people's payers stay masked, other stores hidden."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from majuu_core.common.money import format_amount
from majuu_core.common.problems import Invalid
from majuu_core.merchants.models import Store
from majuu_core.payments.claims import find_active, find_incoming, is_reachable, may_own, own_charges
from majuu_core.payments.incoming_links import find_charge, open_charges_for
from majuu_core.payments.incoming_settling import is_doubtful
from majuu_core.payments.incoming_shown import mask_name, mask_phone
from majuu_core.payments.models import Charge, Claim, IncomingPayment, PaymentIntent
from majuu_core.payments.representation import represent_time

_Ownership = IncomingPayment.Ownership
_ORDERED_LATER = timedelta(hours=1)  # a payment may come a little before its order
_NOTHING: dict[str, Any] = {
    "amount": None,
    "currency": None,
    "occurred_at": None,
    "payer_name": None,
    "payer_phone": None,
    "account_reference": None,
    "incoming_payment": None,
    "charge": None,
    "reference": None,
}


def verify_receipt(
    *, store: Store, livemode: bool, receipt: str | None = None, external_reference: str | None = None
) -> dict[str, Any]:
    """What the receipt, or the account reference that a payer typed, is worth to this store.

    ``state`` is "unknown", "available" (claim it), "waiting" (not yet certain: ask again), "yours", "used" (yours, and
    claimed for ``reference``) or "taken". Raises Invalid unless exactly one of both is given.
    """
    if bool(receipt) == bool(external_reference):
        raise Invalid("parameter_missing", "Give either receipt or external_reference.", field="receipt")
    if external_reference:
        found = _by_reference(store, livemode, external_reference)
        if len(found) != 1:
            return _shown(external_reference, "ambiguous" if found else "unknown", by="external_reference")
        receipt = found[0].receipt
    assert receipt  # noqa: S101 - one of both is given
    incoming = find_incoming(store=store, livemode=livemode, receipt=receipt)
    if incoming is None or incoming.ownership == _Ownership.CHARGE:
        charge = own_charges(store, livemode=livemode, receipt=receipt).first()
        return _about_charge(charge) if charge is not None else _shown(receipt, "unknown")
    return _about_incoming(incoming, store)


def _by_reference(store: Store, livemode: bool, text: str) -> list[IncomingPayment]:
    """Unclaimed money, and the store's own, sent with this account reference; at most two are looked at.

    Who knows a receipt may claim its money, so a number alone tells the receipt only where nobody else could have been
    meant: on the merchant's accounts, or where the store had an order of this number.
    """
    rows = IncomingPayment.objects.select_related("provider_account__store", "store").filter(
        livemode=livemode, account_reference=text.strip()[:64], status=IncomingPayment.Status.SUCCEEDED
    )
    mine = [
        incoming
        for incoming in rows.order_by("-pk")[:50]
        if is_reachable(incoming, store)
        and (incoming.store_id == store.pk or (incoming.ownership == _Ownership.UNCLAIMED and may_own(incoming, store)))
        and _is_meant(incoming, store)
    ]
    return mine[:2]


def _is_meant(incoming: IncomingPayment, store: Store) -> bool:
    """Whether this store is one that the payer's number may have named."""
    if incoming.store.merchant_id == store.merchant_id or incoming.provider_account.store is not None:
        return True
    orders = PaymentIntent.objects.filter(store=store, livemode=incoming.livemode)
    named = orders.filter(reference=incoming.account_reference, created_at__lte=incoming.occurred_at + _ORDERED_LATER)
    return named.exists()


def _about_charge(charge: Charge) -> dict[str, Any]:
    claim = find_active(provider=charge.provider, livemode=charge.livemode, receipt=charge.receipt or "")
    return _shown(
        charge.receipt or "",
        "used" if claim else "yours",
        amount=format_amount(charge.amount_received),
        currency=charge.currency,
        occurred_at=represent_time(charge.occurred_at),
        payer_phone=charge.payer,
        charge=charge.public_id,
        reference=claim.reference if claim else None,
    )


def _about_incoming(incoming: IncomingPayment, store: Store) -> dict[str, Any]:
    claimed = incoming.ownership == _Ownership.CLAIMED
    if claimed and incoming.store_id == store.pk:
        claim = find_active(provider=incoming.provider, livemode=incoming.livemode, receipt=incoming.receipt)
        return _shown(incoming.receipt, "used", **_facts(incoming, claim))
    if claimed or not may_own(incoming, store):
        return _shown(incoming.receipt, "taken")
    if find_charge(incoming) is not None or open_charges_for(incoming) or is_doubtful(incoming):
        return _shown(incoming.receipt, "waiting")
    facts = _facts(incoming, None)
    if incoming.store.merchant_id != store.merchant_id:
        facts["payer_name"] = mask_name(incoming.payer_name)
        facts["payer_phone"] = mask_phone(incoming.payer_phone or incoming.payer_phone_masked)
    return _shown(incoming.receipt, "available", **facts)


def _facts(incoming: IncomingPayment, claim: Claim | None) -> dict[str, Any]:
    return {
        "amount": format_amount(incoming.amount),
        "currency": incoming.currency,
        "occurred_at": represent_time(incoming.occurred_at),
        "payer_name": incoming.payer_name,
        "payer_phone": incoming.payer_phone or incoming.payer_phone_masked,
        "account_reference": incoming.account_reference,
        "incoming_payment": incoming.public_id,
        "reference": claim.reference if claim else None,
    }


def _shown(text: str, state: str, *, by: str = "receipt", **facts: Any) -> dict[str, Any]:
    asked = {"receipt": text if by == "receipt" else None}
    return {
        "object": "receipt_verification",
        "state": state,
        "claimable": state == "available",
        **asked,
        **_NOTHING,
    } | facts
