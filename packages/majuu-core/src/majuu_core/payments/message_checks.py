"""What a customer's pasted message is worth: it is read, then compared with what really arrived. Nothing is changed.

A store learns only of money it could claim or has, and of its own charges. Money of another merchant's account does
not exist for it; money of a shared account that somebody else has is "already_claimed", as a claim would tell it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from majuu_core.merchants.models import Store
from majuu_core.payments.account_references import canonical
from majuu_core.payments.claims import may_own, own_charges
from majuu_core.payments.models import Charge, IncomingPayment
from majuu_core.payments.sms import CURRENCY, PaidMessage, parse_message
from majuu_core.payments.suggestion_queries import on_permitted_accounts

_CLOCKS_DIFFER = timedelta(minutes=10)  # the message gives minutes, and is made after the money moved
_STATUS = IncomingPayment.Status
_GONE = {_STATUS.REVERSED: "taken_back", _STATUS.REFUTED: "refuted"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which message and inbox do not agree."""

    field: str
    said: str
    arrived: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCheck:
    """What came of it. ``verdict`` is one of VERDICTS; ``incoming`` or ``charge`` is money the store may see."""

    verdict: str
    message: PaidMessage | None = None
    differences: tuple[Difference, ...] = ()
    incoming: IncomingPayment | None = None
    charge: Charge | None = None


VERDICTS = {
    "unreadable": (
        "There is no M-Pesa receipt number in this text. Ask for the whole message.",
        "Hakuna namba ya risiti ya M-Pesa katika maandishi haya. Omba ujumbe wote.",
    ),
    "not_found": (
        "No such money has arrived. Do not deliver on this message; try again in a few minutes.",
        "Pesa hizo hazijafika. Usitoe bidhaa kwa ujumbe huu; jaribu tena baada ya dakika chache.",
    ),
    "found": (
        "The money arrived, and the message says what arrived. It is not yours until you claim it.",
        "Pesa zilifika, na ujumbe unalingana nazo. Si zako hadi uzidai.",
    ),
    "differs": (
        "Money with this receipt arrived, but the message says something else. Believe the inbox, not the message.",
        "Pesa zenye risiti hii zilifika, lakini ujumbe unasema tofauti. Amini kumbukumbu zetu, si ujumbe.",
    ),
    "used": (
        "The money arrived and is yours already: it has paid something before. Do not let it pay again.",
        "Pesa zilifika na tayari ni zako: zimeshalipia kitu. Usikubali zilipie tena.",
    ),
    "already_claimed": (
        "Money with this receipt is somebody else's.",
        "Pesa zenye risiti hii ni za mtu mwingine.",
    ),
    "taken_back": (
        "The money arrived and was taken back by the provider.",
        "Pesa zilifika, kisha zikarudishwa na mtoa huduma.",
    ),
    "refuted": (
        "The provider says that this money never arrived.",
        "Mtoa huduma anasema pesa hizi hazikufika.",
    ),
}


def check_message(*, store_id: uuid.UUID, livemode: bool, text: str) -> MessageCheck:
    """Read a message and compare it with the store's charges and with money it may claim."""
    message = parse_message(text)
    if message is None:
        return MessageCheck(verdict="unreadable")
    store = Store.objects.get(pk=store_id)
    charge = own_charges(store, livemode=livemode, receipt=message.receipt).select_related("payment_intent").first()
    if charge is not None:
        differences = tuple(_differences(message, charge.amount_received.amount, charge.currency))
        verdict = "differs" if differences else "used"
        return MessageCheck(verdict=verdict, message=message, differences=differences, charge=charge)
    incoming = _incoming(store_id, livemode, message.receipt)
    if incoming is None:
        return MessageCheck(verdict="not_found", message=message)
    return _check_incoming(message, incoming, store)


def _check_incoming(message: PaidMessage, incoming: IncomingPayment, store: Store) -> MessageCheck:
    is_free = incoming.ownership == IncomingPayment.Ownership.UNCLAIMED
    if not (may_own(incoming, store) if is_free else incoming.store_id == store.pk):
        return MessageCheck(verdict="already_claimed", message=message)
    differences = (
        *_differences(message, incoming.amount.amount, incoming.currency),
        *_more_differences(message, incoming),
    )
    agreed = "found" if is_free else "used"
    verdict = _GONE.get(_STATUS(incoming.status)) or ("differs" if differences else agreed)
    return MessageCheck(verdict=verdict, message=message, differences=differences, incoming=incoming)


def _incoming(store_id: uuid.UUID, livemode: bool, receipt: str) -> IncomingPayment | None:
    rows = IncomingPayment.objects.filter(on_permitted_accounts(store_id), receipt=receipt, livemode=livemode)
    return rows.select_related("provider_account__store", "store").order_by("pk").first()


def _differences(message: PaidMessage, arrived: Decimal, currency: str) -> Iterator[Difference]:
    if message.amount is not None and (message.amount, CURRENCY) != (arrived, currency):
        yield Difference("amount", f"{CURRENCY} {message.amount:.2f}", f"{currency} {arrived:.2f}")
    if message.direction == "received":
        yield Difference("direction", "received by the customer", "paid by the customer")


def _more_differences(message: PaidMessage, incoming: IncomingPayment) -> Iterator[Difference]:
    said, typed = canonical(message.account), canonical(incoming.account_reference)
    if said and typed and said != typed:
        yield Difference("account", message.account, incoming.account_reference)
    at = message.occurred_at
    if at is not None and abs(at - incoming.occurred_at) > _CLOCKS_DIFFER:
        yield Difference("occurred_at", at.isoformat(), incoming.occurred_at.isoformat())
