"""Payment intents: create, find, cancel."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from moneyed import Money

from majuu_core import configuration
from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import build_entry
from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.common.redaction import contains_card_number
from majuu_core.database.batch import WriteBatch
from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.merchants.models import Store
from majuu_core.payments.addresses import new_link_token, payment_url
from majuu_core.payments.by_hand import add_giving_way, lock_intent_and_waiting
from majuu_core.payments.capture_methods import check_capture_method
from majuu_core.payments.captures import authorized_charge
from majuu_core.payments.customer_keys import email_key, phone_key
from majuu_core.payments.exchange import takes_exchanged
from majuu_core.payments.locks import lock_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.representation import refund_status_of_intent, represent_intent
from majuu_core.payments.settling import add_event
from majuu_core.payments.voids import call_back, void_charge, waiting_on_a_page
from majuu_core.plugins.manager import collect
from majuu_core.providers.installed import installed_providers

MAX_METADATA_ENTRIES = 50
MAX_LIFETIME = timedelta(days=90)
MIN_LIFETIME = timedelta(minutes=1)
_PART_PAID = "It expired with a part of the amount paid."

Guard = Callable[[Mapping[str, Any]], IdempotencyKey]


class AlreadyRequested(Exception):
    """The guard row was there: another request with this key was first. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentDetails:
    """What a shop may say about a payment. ``lifetime`` defaults to MAJUU_INTENT_LIFETIME."""

    amount: Money
    capture_method: str = "automatic"
    payment_methods: Sequence[str] = ()
    reference: str = ""
    description: str = ""
    customer_email: str = ""
    customer_phone: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    return_url: str = ""
    lifetime: timedelta | None = None


def create_payment_intent(
    *, store: Store, livemode: bool, details: IntentDetails, guard: Guard | None = None
) -> PaymentIntent:
    """Create an intent with its event and audit entry, all in one statement where the database can.

    ``guard`` builds the idempotency row for the new intent, given as events show it; if that row exists already,
    AlreadyRequested is raised.
    Raises Invalid for anything that cannot be paid.
    """
    _check_details(details)
    intent = _build_intent(store, livemode, details)
    for objection in collect("validate_payment_intent", payment_intent=intent):
        raise Invalid(objection.code, objection.message, field=objection.field)
    batch = WriteBatch()
    shown = represent_intent(intent, payment_url=payment_url(intent))
    if guard is not None:
        batch.insert_guard(guard(shown))
    batch.insert(intent)
    add_event(batch, intent, "payment_intent.created", shown=shown)
    batch.insert(_audit(intent, "payment_intent.created", {"amount": [None, str(intent.amount.amount)]}))
    if not batch.execute():
        raise AlreadyRequested
    return intent


def get_payment_intent(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> PaymentIntent:
    """The store's intent. Raises NotFound, also for another store's and another mode's."""
    try:
        key = PaymentIntent.uuid_of(public_id)
        return PaymentIntent.objects.select_related("store").get(pk=key, store_id=store_id, livemode=livemode)
    except (ValueError, PaymentIntent.DoesNotExist):
        raise NotFound("payment_intent_not_found", "There is no such payment intent in this store and mode.") from None


def cancel_payment_intent(*, intent: PaymentIntent, reason: str = "requested") -> PaymentIntent:
    """Cancel an intent that is not paid, or whose money has all gone back. Canceling twice is a no-op.

    Authorized money is let go first: the intent is canceled when the provider confirms that, and comes back as it was
    while the answer is missing. A page that waits for the customer at the provider is closed where the provider can. A
    prompt that is already on a phone cannot be called back: if it is paid all the same, the money is booked, and the
    store's ``late_success`` decides what becomes of the intent. Raises Conflict when it has succeeded or is being
    captured.
    """
    because = PaymentIntent.CancellationReason(reason)
    held = authorized_charge(intent)
    if held is not None:
        return void_charge(charge=held, reason=because).payment_intent
    canceled, open_charge = _cancel_unless_authorized(intent, because)
    if canceled is None:
        return cancel_payment_intent(intent=intent, reason=reason)
    if open_charge is not None:
        canceled = call_back(open_charge).payment_intent
    return canceled


def _cancel_unless_authorized(
    intent: PaymentIntent, reason: PaymentIntent.CancellationReason
) -> tuple[PaymentIntent | None, Charge | None]:
    """The canceled intent, and its charge that waits for the customer on a page. None when it is authorized by now."""
    with transaction.atomic():
        locked, by_hand = lock_intent_and_waiting(intent.pk)
        if locked.status == PaymentIntent.Status.REQUIRES_CAPTURE and authorized_charge(locked) is not None:
            return None, None
        waiting = waiting_on_a_page(locked)
        if locked.status == PaymentIntent.Status.CANCELED:
            return locked, None
        if locked.status == PaymentIntent.Status.SUCCEEDED:
            raise Conflict("payment_intent_succeeded", "The payment intent has succeeded; refund it instead.")
        if locked.amount_received.amount > 0 and refund_status_of_intent(locked) != "refunded":
            raise Conflict(
                "payment_intent_partially_paid", "Part of this payment intent has been paid; refund that part instead."
            )
        return _cancel(locked, reason, by_hand), waiting


def expire_due_intents(limit: int = 100) -> int:
    """Cancel intents whose time is over and that no open charge may still pay; returns how many.

    One that is paid in part is parked instead: somebody has to decide between the rest and a refund.
    """
    waiting = PaymentIntent.Status.REQUIRES_PAYMENT_METHOD
    due = PaymentIntent.objects.filter(status=waiting, expires_at__lte=clock.now(), is_parked=False).order_by(
        "expires_at"
    )[:limit]
    return sum(_expire(intent.pk) for intent in due)


def _expire(intent_id: uuid.UUID) -> bool:
    with transaction.atomic():
        intent = lock_intent(intent_id)
        # It may have been paid, in part even, since it was found.
        waiting = intent.status == PaymentIntent.Status.REQUIRES_PAYMENT_METHOD and not intent.is_parked
        if not waiting or intent.expires_at > clock.now():
            return False
        if intent.amount_received.amount > 0:
            _park_part_paid(intent)
        else:
            _cancel(intent, PaymentIntent.CancellationReason.EXPIRED)
        return True


def _park_part_paid(intent: PaymentIntent) -> None:
    values = {"is_parked": True, "parked_reason": _PART_PAID, "updated_at": clock.now()}
    batch = WriteBatch()
    batch.update(PaymentIntent, intent.pk, values)
    for name, value in values.items():
        setattr(intent, name, value)
    add_event(batch, intent, "payment_intent.parked")
    batch.insert(_audit(intent, "payment_intent.parked", {"reason": _PART_PAID}))
    batch.execute()


def _cancel(
    intent: PaymentIntent, reason: PaymentIntent.CancellationReason, waiting: Sequence[Charge] = ()
) -> PaymentIntent:
    """Write the cancellation of an intent that is locked, and of its charges that only wait for people's money."""
    now, before = clock.now(), intent.status
    values: dict[str, Any] = {
        "status": PaymentIntent.Status.CANCELED,
        "cancellation_reason": reason,
        "canceled_at": now,
        "updated_at": now,
    }
    if intent.parked_reason == _PART_PAID:  # decided: the part went back
        values |= {"is_parked": False, "parked_reason": ""}
    batch = WriteBatch()
    add_giving_way(batch, waiting)
    batch.update(PaymentIntent, intent.pk, values)
    for name, value in values.items():
        setattr(intent, name, value)
    add_event(batch, intent, "payment_intent.canceled")
    changes = {"status": [before, intent.status], "reason": str(reason)}
    batch.insert(_audit(intent, "payment_intent.canceled", changes))
    batch.execute()
    return intent


def _check_details(details: IntentDetails) -> None:
    if details.amount.amount <= 0:
        raise Invalid("amount_not_positive", "The amount must be greater than zero.", field="amount")
    for number, code in enumerate(details.payment_methods):
        refuse_unsupported_method(code, details.amount, f"payment_methods.{number}")
    check_capture_method(details.capture_method, details.payment_methods)
    lifetime = details.lifetime
    if lifetime is not None and not MIN_LIFETIME <= lifetime <= MAX_LIFETIME:
        raise Invalid("expires_in_invalid", "expires_in must be between 60 seconds and 90 days.", field="expires_in")
    check_metadata(details.metadata)
    for name in ("reference", "description"):
        if contains_card_number(getattr(details, name)):
            raise _card_number(name)


def refuse_unsupported_method(method: str, owed: Money, field_name: str) -> None:
    """Raise Invalid for a payment method that no provider has, or that can neither be paid in the currency nor in
    another one at a promised rate."""
    providers = installed_providers()
    if not providers.for_method(method, owed.currency.code) and not takes_exchanged(providers, method, owed):
        raise _unsupported_method(method, owed.currency.code, field_name)


def _unsupported_method(method: str, currency: str, field_name: str) -> Invalid:
    """The refusal says what is offered."""
    known = sorted({item.code for provider in installed_providers() for item in provider.info.payment_methods})
    if method not in known:
        text = f"No installed provider offers {method[:32]!r}. Known methods: {', '.join(known) or 'none'}."
        return Invalid("payment_method_unknown", text, field=field_name)
    takes = sorted(
        {
            code
            for provider in installed_providers()
            for item in provider.info.payment_methods
            if item.code == method
            for code in (item.currencies or provider.info.currencies)
        }
    )
    return Invalid(
        "payment_method_currency_unsupported",
        f"{method} does not take {currency}, and nobody offers a rate into what it takes: {', '.join(takes[:20])}.",
        field=field_name,
    )


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Raise Invalid for metadata that is too large or holds a card number."""
    if len(metadata) > MAX_METADATA_ENTRIES:
        raise Invalid("metadata_too_large", f"metadata holds at most {MAX_METADATA_ENTRIES} entries.", field="metadata")
    for key, value in metadata.items():
        if len(key) > 40 or len(value) > 500:
            raise Invalid(
                "metadata_too_large",
                "A metadata key has at most 40 characters and a value at most 500.",
                field=f"metadata.{key[:40]}",
            )
        if contains_card_number(value):
            raise _card_number(f"metadata.{key}")


def check_method_data(data: Mapping[str, str]) -> None:
    """Raise Invalid for data of a payment method that holds a card number: those are for the provider's own page."""
    for key, value in data.items():
        if contains_card_number(value):
            raise _card_number(f"payment_method_data.{key[:40]}")


def _card_number(field_name: str) -> Invalid:
    return Invalid(
        "card_number_refused", "This looks like a card number. Never send card numbers here.", field=field_name
    )


def _build_intent(store: Store, livemode: bool, details: IntentDetails) -> PaymentIntent:
    now: datetime = clock.now()
    zero = Money(0, details.amount.currency)
    amounts: dict[str, Any] = {"amount": details.amount, "amount_received": zero, "surplus": zero}
    return PaymentIntent(
        **amounts,
        store=store,
        livemode=livemode,
        capture_method=details.capture_method,
        payment_methods=list(details.payment_methods),
        reference=details.reference,
        description=details.description,
        customer_email=details.customer_email,
        customer_phone=details.customer_phone,
        customer_email_key=email_key(details.customer_email),
        customer_phone_key=phone_key(details.customer_phone, details.amount.currency.code),
        metadata=dict(details.metadata),
        return_url=details.return_url,
        link_token=new_link_token(),
        expires_at=now + (details.lifetime or configuration.intent_lifetime()),
        created_at=now,
        updated_at=now,
    )


def _audit(intent: PaymentIntent, action: str, changes: Mapping[str, object]) -> AuditEntry:
    return build_entry(
        action=action,
        object_id=intent.public_id,
        merchant_id=intent.store.merchant_id,
        store_id=intent.store_id,
        changes=changes,
    )
