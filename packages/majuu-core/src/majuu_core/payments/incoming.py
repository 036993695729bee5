"""Money that arrives by itself: kept and booked first, understood afterwards (``incoming_settling``).

The same receipt is the same money. It is told by webhooks, several times perhaps, by the provider's list, and by the
charge of a customer who was asked to pay; in whatever order that happens, it is in the books once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.common.money import AmountError, format_amount, to_minor_units
from majuu_core.common.storable import storable
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.services import ledger_errors
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.services import intake_store
from majuu_core.payments.incoming_books import book_arrival
from majuu_core.payments.incoming_links import charge_with_receipt
from majuu_core.payments.incoming_settling import answer_to_question, settle_incoming
from majuu_core.payments.incoming_shown import add_incoming_event, incoming_entry
from majuu_core.payments.locks import lock_incoming
from majuu_core.payments.models import IncomingPayment
from majuu_core.payments.notices import APPLIED, Notice, Verdict, duplicate, parked, waiting
from majuu_core.payments.outgoing_follow_ups import was_given
from majuu_core.providers import IncomingMoney, Trust

logger = logging.getLogger("majuu.payments")
_Ownership, _Status = IncomingPayment.Ownership, IncomingPayment.Status
# If the process dies after the first transaction, the worker goes on when this is over.
_LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Money as one channel told of it. ``verified_by`` is "" for a message that anybody could have sent."""

    account: ProviderAccount
    money: IncomingMoney
    source: str = "webhook"
    verified_by: str = ""
    raw: str = ""


def receive_incoming(notice: Notice) -> Verdict:
    """Take an "incoming.received" event: see ``take_incoming``."""
    money = notice.event.incoming
    if money is None:
        return parked("The provider package says that money arrived, but not which.")
    signed = notice.trust is Trust.SIGNED
    return take_incoming(
        Arrival(
            account=notice.account,
            money=money,
            verified_by="signature" if signed else "",
            raw=storable(notice.body.decode("utf-8", "replace")),
        )
    )


def take_incoming(arrival: Arrival) -> Verdict:
    """Keep and book money that arrived, then find out whose it is. Any number of times for the same money.

    A message that cannot be true as it stands (another shortcode, an amount the books cannot hold, another amount for a
    known receipt) changes nothing and is parked.
    """
    if objection := _objection(arrival.money):
        return parked(objection)
    incoming = _build(arrival)
    charge = charge_with_receipt(provider=incoming.provider, livemode=incoming.livemode, receipt=incoming.receipt)
    if charge is not None:
        if charge.amount_received != incoming.amount:
            return parked(f"{charge.public_id} has this receipt and brought {_plain(charge.amount_received)}.")
        incoming.ownership, incoming.charge = _Ownership.CHARGE, charge
        incoming.payment_intent, incoming.store = charge.payment_intent, charge.payment_intent.store
        incoming.follow_up_at = None
    if not _insert(incoming):
        return _known_already(arrival)
    settle_incoming(incoming.pk)
    return APPLIED


def check_incoming(notice: Notice) -> Verdict:
    """Take an "incoming.checked" event: the answer to our question whether money really arrived."""
    try:
        key = IncomingPayment.uuid_of(notice.subject_id or notice.event.reference or "")
        incoming = IncomingPayment.objects.get(pk=key, provider_account=notice.account)
    except (ValueError, IncomingPayment.DoesNotExist):
        return parked("It answers a question about money that is not known here.")
    if notice.trust is Trust.UNSIGNED:
        return parked("An answer that anybody could have sent proves nothing.")
    if notice.trust is Trust.CORRELATED:
        if not incoming.check_reference:
            return waiting("The question's own answer is not written yet.")
        named = notice.event.provider_reference  # an answer may take longer than we wait before we ask once more
        if named != incoming.check_reference and not was_given(incoming.public_id, named):
            return parked("It does not name the question that was asked.")
    if incoming.verified_at is not None:
        return duplicate("It is known that this money arrived.")
    answer_to_question(incoming.pk, notice.event.result)
    return APPLIED


def _objection(money: IncomingMoney) -> str:
    if not money.at_this_account:
        return f"It went to {money.receiver[:64]}, which is not this account's."
    if not money.receipt or len(money.receipt) > 64 or storable(money.receipt) != money.receipt:
        return f"The receipt {storable(money.receipt, 80)!r} cannot be one."
    try:
        to_minor_units(money.amount)
    except AmountError as problem:
        return f"The books cannot hold {_plain(money.amount)}: {problem}"
    return "" if money.amount.amount > 0 else f"It names {_plain(money.amount)}, which is no money."


def _plain(amount: Money) -> str:
    return f"{amount.amount.normalize():f} {amount.currency.code}"


def _build(arrival: Arrival) -> IncomingPayment:
    account, money, now = arrival.account, arrival.money, clock.now()
    amount: dict[str, Any] = {"amount": money.amount}
    return IncomingPayment(
        **amount,
        id=ids.new_uuid(),
        provider_account=account,
        provider=account.provider,
        livemode=account.livemode,
        store=account.store or intake_store(),
        receipt=money.receipt,
        receiver=storable(money.receiver, 64),
        channel=storable(money.channel, 32),
        account_reference=storable(money.account_reference, 64),
        payer_name=storable(money.payer_name, 200),
        payer_phone=storable(money.payer_phone, 32),
        payer_phone_hash=storable(money.payer_phone_hash, 128),
        payer_phone_masked=storable(money.payer_phone_masked, 128),
        source=arrival.source,
        verified_by=arrival.verified_by,
        verified_at=now if arrival.verified_by else None,
        follow_up_at=now + _LEASE,
        raw=arrival.raw,
        occurred_at=money.occurred_at,
        created_at=now,
        updated_at=now,
    )


def _description(money: IncomingMoney) -> dict[str, Any]:
    """Who paid, when and what for, as far as it is told."""
    payer = {
        "payer_phone": storable(money.payer_phone, 32),
        "payer_phone_hash": storable(money.payer_phone_hash, 128),
        "payer_phone_masked": storable(money.payer_phone_masked, 128),
    }
    texts = {
        "account_reference": storable(money.account_reference, 64),
        "payer_name": storable(money.payer_name, 200),
    }
    told = {name: text for name, text in texts.items() if text}
    return {"occurred_at": money.occurred_at, **told, **(payer if any(payer.values()) else {})}


def _insert(incoming: IncomingPayment) -> bool:
    """The first transaction. False when the receipt is known."""
    batch = WriteBatch()
    batch.insert_guard(incoming)
    if incoming.ownership == _Ownership.UNCLAIMED:
        book_arrival(batch, incoming)
    add_incoming_event(batch, incoming, "incoming_payment.received")
    changes = {"amount": [None, format_amount(incoming.amount)], "receipt": [None, incoming.receipt]}
    batch.insert(incoming_entry(incoming, "incoming_payment.received", changes))
    with ledger_errors():
        return batch.execute()


def _known_already(arrival: Arrival) -> Verdict:
    """The receipt is known. A better source may still prove what was only told, or bring back what was doubted."""
    account, money = arrival.account, arrival.money
    known = IncomingPayment.objects.get(provider=account.provider, livemode=account.livemode, receipt=money.receipt)
    if known.amount != money.amount:
        return parked(f"It names {_plain(money.amount)}; {_plain(known.amount)} is known by this receipt.")
    if known.status == _Status.REFUTED and not arrival.verified_by:
        return parked("The provider was asked about this receipt, and said that no such money arrived.")
    if arrival.verified_by and (known.verified_at is None or known.status == _Status.REFUTED):
        _prove(known, arrival)
    settle_incoming(known.pk)
    return duplicate("This receipt is known already.")


def _prove(known: IncomingPayment, arrival: Arrival) -> None:
    """Another channel, which can be trusted, tells of the same money. What it says of it counts."""
    now, verified_by = clock.now(), arrival.verified_by
    with transaction.atomic():
        incoming = lock_incoming(known.pk)
        values: dict[str, Any] = {"verified_by": verified_by, "verified_at": now, "follow_up_at": now}
        batch, action = WriteBatch(), "incoming_payment.verified"
        if incoming.status == _Status.REFUTED:
            values["status"], action = _Status.SUCCEEDED, "incoming_payment.reinstated"
            book_arrival(batch, incoming, again="reinstated")
        elif incoming.verified_at is not None:
            return
        if incoming.ownership == _Ownership.UNCLAIMED:
            values |= _description(arrival.money)
        for name, value in values.items():
            setattr(incoming, name, value)
        batch.update(IncomingPayment, incoming.pk, values | {"updated_at": now})
        add_incoming_event(batch, incoming, action)
        batch.insert(incoming_entry(incoming, action, {"verified_by": ["", verified_by]}))
        with ledger_errors():
            batch.execute()
