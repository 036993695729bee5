"""Sending money out: asking for it, checking it, and the second person above a limit.

First transaction: make sure the money is there, insert the payout and its hold, commit. Then the provider is called
with no transaction open (payout_sending.py), and a second transaction writes what it said. A reference is used once
for ever: the same payout asked for again is the one that exists.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, models, transaction
from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.common.redaction import contains_card_number
from majuu_core.configuration import payout_approval_limit
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef, parse_account
from majuu_core.merchants.models import Store
from majuu_core.merchants.people import acting_person, require_second_person
from majuu_core.payments.cover import Spending, require_cover
from majuu_core.payments.custody import require_may_hold_for
from majuu_core.payments.intents import check_metadata
from majuu_core.payments.locks import lock_payout
from majuu_core.payments.models import Payout
from majuu_core.payments.outgoing import first_question
from majuu_core.payments.outgoing_follow_ups import schedule_of
from majuu_core.payments.payout_accounts import PayoutDetails, PayoutRoute, choose_route
from majuu_core.payments.payout_bookings import hold_payout, release_payout
from majuu_core.payments.payout_records import add_payout_entry, add_payout_event
from majuu_core.payments.payout_sending import send_payout
from majuu_core.plugins.manager import collect

__all__ = ["PayoutDetails", "approve_payout", "cancel_payout", "create_payout", "get_payout", "reject_payout"]
Alongside = Callable[[Payout], Sequence[models.Model]]
_S = Payout.Status
_COMPARED = ("amount", "destination", "purpose", "description", "metadata", "source")


def create_payout(
    *,
    store: Store,
    livemode: bool,
    details: PayoutDetails,
    request_key: str = "",
    source: AccountRef | None = None,
    alongside: Alongside | None = None,
) -> Payout:
    """Send money, or have it wait for a second person; returns the payout as it is once the provider has answered.

    ``source`` is who pays in the books, by default what we owe the store. ``alongside`` is called in the first
    transaction, before the money is looked at: it may lock and refuse, and returns rows that are written with the
    payout. The same reference with the same content returns the payout that exists. Raises Invalid for what cannot be
    sent; Denied ``custodial_disabled``; Conflict ``payout_reference_used`` for other content under a known reference,
    ``insufficient_funds`` when the money is not there. Nothing is written then.
    """
    payout = build_payout(store=store, livemode=livemode, details=details, source=source)
    if not payout._state.adding:
        return payout
    payout.request_key = request_key
    if payout.status == _S.PENDING:
        payout.follow_up_at = first_question(schedule_of(payout), payout.created_at)
    try:
        with transaction.atomic():
            insert_payout(payout, () if alongside is None else alongside(payout))
    except (IntegrityError, Conflict):
        # Somebody was faster with this reference; perhaps the very same request.
        earlier = _existing(store.pk, livemode, payout.reference)
        if earlier is None:
            raise
        return _same_or_refused(earlier, payout)
    return send_payout(payout) if payout.status == _S.PENDING else payout


def build_payout(*, store: Store, livemode: bool, details: PayoutDetails, source: AccountRef | None = None) -> Payout:
    """The payout, checked and not saved; or the one that exists with this reference and content. Raises as above."""
    check_details(details)
    earlier = _existing(store.pk, livemode, details.reference)
    if earlier is not None:
        route = PayoutRoute(earlier.provider_account)
        return _same_or_refused(earlier, fill_payout(store, livemode, details, source, route))
    payout = fill_payout(store, livemode, details, source, choose_route(store, livemode, details))
    require_permission_to_hold([payout])
    ask_plugins(payout)
    return payout


def require_permission_to_hold(payouts: Iterable[Payout]) -> None:
    """Raise Denied (``custodial_disabled``) when a store is to be paid for from the platform's account without custody.

    What a wallet pays is let out in any case: nobody's money is locked in when custody is switched off.
    """
    ways = {(payout.store_id, payout.provider_account_id, payout.source): payout for payout in payouts}
    for payout in ways.values():
        if parse_account(payout.source).kind is AccountKind.STORE_PAYABLE:
            require_may_hold_for(payout.store, payout.provider_account, "Payouts from the platform's account")


def ask_plugins(payout: Payout) -> None:
    """Raise Invalid for the first objection of a plugin."""
    for objection in collect("validate_payout", payout=payout):
        raise Invalid(objection.code, objection.message, field=objection.field)


def insert_payout(payout: Payout, also: Sequence[models.Model] = ()) -> None:
    """Make sure of the money, hold it and insert the payout, and rows of the caller's. Call inside ``atomic()``.

    Raises Conflict.
    """
    require_payout_cover([payout])
    batch = WriteBatch()
    add_payout(batch, payout)
    batch.insert(*also)
    batch.execute()


def require_payout_cover(payouts: Sequence[Payout]) -> None:
    """The money of all of them is there: see ``cover.require_cover``. Raises Conflict ``insufficient_funds``."""
    spendings = [
        Spending(payout.store, payout.provider_account, parse_account(payout.source), payout.amount)
        for payout in payouts
    ]
    require_cover(spendings, "payout")


def add_payout(batch: WriteBatch, payout: Payout) -> None:
    """The payout with its hold, events and audit entry."""
    hold_payout(batch, payout)
    batch.insert(payout)
    add_payout_event(batch, payout, "created")
    if payout.status == _S.REQUIRES_APPROVAL:
        add_payout_event(batch, payout, "requires_approval")
    shown = {"amount": [None, str(payout.amount.amount)], "currency": payout.currency, "reference": payout.reference}
    add_payout_entry(batch, payout, "created", shown)


def approve_payout(*, payout: Payout) -> Payout:
    """Let a payout go that waits for a second person; a worker sends it. Approving twice by the same person is a no-op.

    Raises Denied when no person acts, Conflict when it is the one who asked for it, or when it does not wait any more.
    """
    with transaction.atomic():
        locked = lock_payout(payout.pk)
        person = require_second_person(locked.created_by)
        if locked.approved_by != person:
            batch = WriteBatch()
            add_approval(batch, locked, person)
            batch.execute()
    return locked


def add_approval(batch: WriteBatch, payout: Payout, person: str) -> None:
    """Put the approval of a locked payout into the batch. Raises Conflict when it does not wait."""
    _require_waiting(payout)
    now = clock.now()
    values = {"status": _S.PENDING, "approved_by": person, "approved_at": now, "send_at": now, "updated_at": now}
    _add_decision(batch, payout, values, "updated", "approved", {})


def reject_payout(*, payout: Payout, reason: str) -> Payout:
    """Refuse a payout that waits for a second person; its money is free again. Raises as approve_payout."""
    if len(reason.strip()) < 5:
        raise Invalid("reason_missing", "Say why, for whoever asked for it.", field="reason")
    with transaction.atomic():
        locked = lock_payout(payout.pk)
        require_second_person(locked.created_by)
        _require_waiting(locked)
        _decide(locked, _canceling(f"Refused: {reason.strip()}"), "canceled", "rejected", {"reason": reason.strip()})
    return locked


def cancel_payout(*, payout: Payout) -> Payout:
    """Take back a payout that waits for a second person. Canceling twice is a no-op. Raises Conflict afterwards."""
    with transaction.atomic():
        locked = lock_payout(payout.pk)
        if locked.status == _S.CANCELED:
            return locked
        _require_waiting(locked)
        _decide(locked, _canceling("Canceled before it was approved."), "canceled", "canceled", {})
    return locked


def get_payout(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> Payout:
    """The store's payout. Raises NotFound, also for another store's and another mode's."""
    try:
        rows = Payout.objects.select_related("store", "provider_account")
        return rows.get(pk=Payout.uuid_of(public_id), store_id=store_id, livemode=livemode)
    except (ValueError, Payout.DoesNotExist):
        raise NotFound("payout_not_found", "There is no such payout in this store and mode.") from None


def fill_payout(
    store: Store, livemode: bool, details: PayoutDetails, source: AccountRef | None, route: PayoutRoute
) -> Payout:
    """The payout in the provider's canonical form. Raises Invalid, and Conflict for an account that cannot be used."""
    prepared = route.prepare(details)
    currency = prepared.amount.currency.code
    paid_from = source or AccountRef(AccountKind.STORE_PAYABLE, store.public_id, currency, livemode)
    if paid_from.currency != currency or paid_from.livemode != livemode:
        raise ValueError(f"{paid_from} cannot pay {prepared.amount}")
    limit, now = payout_approval_limit(currency), clock.now()
    waits = limit is not None and prepared.amount.amount > limit
    amounts: dict[str, Any] = {"amount": prepared.amount, "fee": Money(0, prepared.amount.currency)}
    return Payout(
        **amounts,
        id=ids.new_uuid(),
        store=store,
        provider_account=route.account,
        provider=route.account.provider,
        livemode=livemode,
        reference=details.reference,
        purpose=prepared.purpose,
        destination=dict(prepared.destination),
        description=details.description,
        metadata=dict(details.metadata),
        source=str(paid_from),
        status=_S.REQUIRES_APPROVAL if waits else _S.PENDING,
        created_by=acting_person()[:80],
        created_at=now,
        updated_at=now,
    )


def _existing(store_id: uuid.UUID, livemode: bool, reference: str) -> Payout | None:
    rows = Payout.objects.select_related("store", "provider_account")
    return rows.filter(store_id=store_id, livemode=livemode, reference=reference).first()


def _same_or_refused(earlier: Payout, asked: Payout) -> Payout:
    if any(getattr(earlier, name) != getattr(asked, name) for name in _COMPARED):
        raise Conflict(
            "payout_reference_used",
            f"The reference {earlier.reference} belongs to {earlier.public_id}, which is another payout. "
            "A reference is used once, for ever: use a new one for a new debt.",
            field="reference",
        )
    return earlier


def check_details(details: PayoutDetails) -> None:
    """What holds whoever the provider is. Raises Invalid."""
    if details.amount.amount <= 0:
        raise Invalid("amount_not_positive", "The amount must be greater than zero.", field="amount")
    reference = details.reference
    if not 1 <= len(reference) <= 64 or reference != reference.strip() or not reference.isprintable():
        text = "Give your own number for this debt: 1 to 64 printable characters, no space at the ends."
        raise Invalid("payout_reference_invalid", text, field="reference")
    check_metadata(details.metadata)
    if len(details.description) > 255:
        raise Invalid("description_too_long", "A description has at most 255 characters.", field="description")
    texts = {"reference": reference, "description": details.description}
    texts |= {f"destination.{name}": value for name, value in details.destination.items()}
    _check_texts(texts)


def _check_texts(texts: Mapping[str, str]) -> None:
    for name, value in texts.items():
        if len(value) > 255 or "\0" in name + value:
            text = "At most 255 characters, and no NUL among them."
            raise Invalid("parameter_invalid", text, field=name.replace("\0", ""))
        if contains_card_number(value):
            text = "This looks like a card number. Never send card numbers here."
            raise Invalid("card_number_refused", text, field=name)


def _require_waiting(payout: Payout) -> None:
    if payout.status != _S.REQUIRES_APPROVAL:
        raise Conflict("payout_not_waiting", f"The payout is {payout.status}; it does not wait for approval.")


def _canceling(reason: str) -> dict[str, Any]:
    return {"status": _S.CANCELED, "hold_id": None, "failure_message": reason[:500], "updated_at": clock.now()}


def _decide(payout: Payout, values: dict[str, Any], event: str, action: str, changes: dict[str, Any]) -> None:
    batch = WriteBatch()
    _add_decision(batch, payout, values, event, action, changes)
    batch.execute()


def _add_decision(
    batch: WriteBatch, payout: Payout, values: dict[str, Any], event: str, action: str, changes: dict[str, Any]
) -> None:
    """A person's decision on a payout that is locked."""
    before = payout.status
    if "hold_id" in values:
        release_payout(batch, payout)
    batch.update(Payout, payout.pk, values)
    for name, value in values.items():
        setattr(payout, name, value)
    add_payout_event(batch, payout, event)
    add_payout_entry(batch, payout, action, {"status": [before, str(payout.status)], **changes})
