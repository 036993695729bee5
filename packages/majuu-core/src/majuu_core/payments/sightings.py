"""Money that people see: one says so, another confirms it, and only then does it count.

For charges and refunds of providers that nobody can ask. The second person is a signed-in user and not the first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import build_entry, current_actor
from majuu_core.common import clock
from majuu_core.common.money import format_amount
from majuu_core.common.problems import Conflict, Denied, Invalid
from majuu_core.common.storable import storable
from majuu_core.configuration import payout_approval_limit
from majuu_core.database.batch import WriteBatch
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.people import acting_person, require_second_person
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.by_hand import is_by_hand
from majuu_core.payments.incoming import Arrival, take_incoming
from majuu_core.payments.locks import lock_charge, lock_refund
from majuu_core.payments.models import Charge, Refund, Sighting
from majuu_core.payments.notices import Ending
from majuu_core.payments.refund_outcomes import resolve_refund
from majuu_core.payments.settling import apply_result
from majuu_core.payments.transitions import OPEN_OUTGOING
from majuu_core.providers import IncomingMoney, ReadsReferences, ReadsStatements, Result, ResultStatus

logger = logging.getLogger("majuu.payments")
_SHORTEST_NOTE = 5
_S = Sighting.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What somebody saw. ``bank_reference`` is the bank's number of it, or that of the receipt for cash."""

    amount: Money
    on: date
    bank_reference: str = ""
    note: str = ""


def report_money(*, charge: Charge, seen: Seen) -> Sighting:
    """Say that the money of a charge was seen. Nothing is booked before somebody else confirms it.

    Also for a charge that has ended: late money follows the rules for late money. Raises Invalid for what cannot be,
    Conflict when the charge is paid or waits for a confirmation already, Denied unless a person says it.
    """
    _require_person()
    if not is_by_hand(charge.provider):
        raise Conflict("charge_not_by_hand", "The provider tells what became of this charge; ask it instead.")
    if charge.status == Charge.Status.SUCCEEDED:
        raise Conflict("charge_settled", "The charge is paid already.")
    _check(seen, charge.provider_account, charge.amount)
    if seen.amount != charge.amount and not _takes_other_amounts(charge.provider_account):
        raise Invalid(
            "amount_differs",
            f"{format_amount(charge.amount)} {charge.currency} was asked for. This account takes no other amount: "
            "import the statement, and claim the money for the order that it pays.",
            field="amount",
        )
    return _insert(charge.payment_intent.store, seen, charge=charge)


def report_refund_paid(*, refund: Refund, seen: Seen) -> Sighting | Refund:
    """Say that a refund was paid out by hand. Above the limit for payouts somebody else confirms it first.

    Returns the refund when it is done, and what waits for confirmation otherwise. Raises as ``report_money``.
    """
    _require_person()
    _check_open(refund)
    _check(seen, refund.provider_account, refund.amount)
    if seen.amount != refund.amount:
        text = f"The refund is {format_amount(refund.amount)} {refund.currency}: pay exactly that."
        raise Invalid("amount_differs", text, field="amount")
    limit = payout_approval_limit(refund.currency)
    if limit is None or refund.amount.amount <= limit:
        receipt = _receipt(refund.provider_account, seen.bank_reference, seen.on)
        return resolve_refund(refund=refund, succeeded=True, reason=_reason(seen), receipt=receipt)
    return _insert(refund.store, seen, refund=refund)


def report_refund_failed(*, refund: Refund, reason: str) -> Refund:
    """Say that a refund could not be paid out: its money is free again. Raises Invalid without a reason, Conflict."""
    _require_person()
    _check_open(refund)
    with transaction.atomic():
        lock_refund(refund.pk)
        if Sighting.objects.filter(refund=refund, status=_S.WAITING).exists():
            raise _waits()
        return resolve_refund(refund=refund, succeeded=False, reason=reason)


def confirm_sighting(*, sighting: Sighting) -> Sighting:
    """The second person has seen it too: the charge is paid, or the refund done. Confirming twice is a no-op.

    Raises Denied unless a person does it, Conflict when it is the same one or there is nothing to confirm any more.
    """
    if _is_plain(sighting):
        with transaction.atomic():
            row, person = _lock(sighting)
            if row.status == _S.CONFIRMED:
                return row
            _decide(row, person, _S.CONFIRMED, "")
            _carry_out(row)
        return row
    return _confirm_other_amount(sighting)


def refuse_sighting(*, sighting: Sighting, reason: str) -> Sighting:
    """It was not so. Also whoever said it may take it back. Raises Invalid without a reason, Conflict, Denied."""
    person = _require_person()
    if len(reason.strip()) < _SHORTEST_NOTE:
        raise Invalid("reason_missing", f"Say why, in at least {_SHORTEST_NOTE} characters.", field="reason")
    with transaction.atomic():
        row = Sighting.objects.select_for_update().get(pk=sighting.pk)
        _require_waiting(row)
        _decide(row, person, _S.REFUSED, reason.strip())
    return row


def _confirm_other_amount(sighting: Sighting) -> Sighting:
    """Another amount is incoming money that names the charge: it pays a part of the intent, or leaves a surplus.

    The intake takes it once, however often it is given: confirmed already, and interrupted, it is given again.
    """
    with transaction.atomic():
        row, person = _lock(sighting)
        if row.status != _S.CONFIRMED:
            _decide(row, person, _S.CONFIRMED, "")
    charge = row.charge
    assert charge is not None  # noqa: S101 - a refund is always paid in full
    account = charge.provider_account
    verdict = take_incoming(
        Arrival(account=account, money=_as_incoming(row, charge), source="person", verified_by="person")
    )
    if verdict.ending is Ending.PARKED:
        logger.error("%s is confirmed, and not taken in: %s", row.public_id, verdict.reason)
        raise Conflict("sighting_conflict", verdict.reason)
    return row


def _as_incoming(row: Sighting, charge: Charge) -> IncomingMoney:
    account = charge.provider_account
    return IncomingMoney(
        receipt=_receipt(account, row.bank_reference, row.seen_on) or row.public_id,
        amount=row.amount,
        occurred_at=_moment(account, row.seen_on),
        receiver=storable(account.name, 64),
        account_reference=charge.provider_reference or "",
        channel=charge.payment_method,
    )


def _carry_out(row: Sighting) -> None:
    receipt = _receipt(_account_of(row), row.bank_reference, row.seen_on)
    if row.refund is not None:
        if row.refund.status not in OPEN_OUTGOING:
            raise Conflict("refund_settled", f"The refund is {row.refund.status} already.")
        reason = _reason(Seen(amount=row.amount, on=row.seen_on, bank_reference=row.bank_reference, note=row.note))
        resolve_refund(refund=row.refund, succeeded=True, reason=reason, receipt=receipt)
        return
    charge = row.charge
    assert charge is not None  # noqa: S101 - the database sees to it
    if charge.status == Charge.Status.SUCCEEDED:
        raise Conflict(
            "charge_settled", "The charge has been paid meanwhile. Refuse this, or find out whose money it is."
        )
    told = Result(
        status=ResultStatus.SUCCEEDED,
        amount=row.amount,
        receipt=receipt or None,
        occurred_at=_moment(charge.provider_account, row.seen_on),
    )
    apply_result(charge_id=charge.pk, result=told, extend=_entry_for(charge, row))


def _entry_for(charge: Charge, row: Sighting) -> Callable[[WriteBatch], None]:
    changes = {"outcome": [charge.status, "succeeded"], "sighting": row.public_id, "bank_reference": row.bank_reference}
    entry = _audit("charge.resolved", charge.public_id, charge.payment_intent.store, changes)
    return lambda batch: batch.insert(entry)


def _lock(sighting: Sighting) -> tuple[Sighting, str]:
    """The sighting after what it is about, both locked, and the person who decides. Raises Denied, Conflict."""
    person = require_second_person(sighting.created_by)
    charge = lock_charge(sighting.charge_id) if sighting.charge_id else None
    refund = lock_refund(sighting.refund_id) if sighting.refund_id else None
    row = Sighting.objects.select_for_update().get(pk=sighting.pk)
    row.charge, row.refund = charge, refund
    if row.status != _S.CONFIRMED:
        _require_waiting(row)
    return row, person


def _decide(row: Sighting, person: str, status: str, note: str) -> None:
    row.status, row.open_key, row.decided_by, row.decided_at = status, None, person[:80], clock.now()
    row.decision_note = storable(note, 255)
    row.save(update_fields=["status", "open_key", "decided_by", "decided_at", "decision_note"])
    changes = {"status": ["waiting", status], "by": [row.created_by, person], **({"why": note} if note else {})}
    _audit(f"sighting.{status}", row.public_id, _store_of(row), changes).save(force_insert=True)


def _insert(store: Store, seen: Seen, *, charge: Charge | None = None, refund: Refund | None = None) -> Sighting:
    subject = charge or refund
    assert subject is not None  # noqa: S101
    amount: dict[str, Any] = {"amount": seen.amount}
    row = Sighting(
        **amount,
        livemode=subject.livemode,
        charge=charge,
        refund=refund,
        seen_on=seen.on,
        bank_reference=storable(seen.bank_reference.strip(), 80),
        note=storable(seen.note.strip(), 255),
        open_key=subject.public_id,
        created_by=acting_person()[:80],
    )
    changes = {"about": subject.public_id, "amount": [None, format_amount(seen.amount)], "on": str(seen.on)}
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _audit("sighting.reported", row.public_id, store, changes).save(force_insert=True)
    except IntegrityError:
        raise _waits() from None
    return row


def _check(seen: Seen, account: ProviderAccount, asked: Money) -> None:
    if seen.amount.currency != asked.currency:
        raise Invalid("currency_mismatch", f"It is in {asked.currency.code}.", field="amount")
    if seen.amount.amount <= 0:
        raise Invalid("amount_not_positive", "The amount must be greater than zero.", field="amount")
    today = clock.now().astimezone(_zone(account)).date()
    if not date(2000, 1, 1) <= seen.on <= today:
        raise Invalid("date_in_future", "Give the day on which it was seen: today or earlier.", field="on")
    if not seen.bank_reference.strip() and len(seen.note.strip()) < _SHORTEST_NOTE:
        text = "Give the bank's number of it or the receipt's, or say in a note how it was seen."
        raise Invalid("evidence_missing", text, field="bank_reference")


def _check_open(refund: Refund) -> None:
    if not is_by_hand(refund.provider_account.provider):
        raise Conflict("refund_not_by_hand", "The provider pays this refund; ask it instead.")
    if refund.status not in OPEN_OUTGOING:
        raise Conflict("refund_settled", f"The refund is {refund.status} already.")


def _require_person() -> str:
    actor = current_actor()
    if actor.type != "user" or not actor.id:
        raise Denied("person_required", "A signed-in person has to do this, in the console.")
    return acting_person()


def _require_waiting(row: Sighting) -> None:
    if row.status != _S.WAITING:
        raise Conflict("sighting_decided", f"It is {row.get_status_display().lower()} already.")


def _waits() -> Conflict:
    return Conflict("sighting_waits", "Somebody has said so already; it waits for a second person to confirm it.")


def _is_plain(sighting: Sighting) -> bool:
    return sighting.charge is None or sighting.charge.amount == sighting.amount


def _account_of(row: Sighting) -> ProviderAccount:
    subject = row.charge or row.refund
    assert subject is not None  # noqa: S101
    return subject.provider_account


def _store_of(row: Sighting) -> Store:
    return row.charge.payment_intent.store if row.charge is not None else row.refund.store  # type: ignore[union-attr]


def _receipt(account: ProviderAccount, bank_reference: str, on: date) -> str:
    """What a statement's line with this number will be called, so that it is known to be the same money."""
    provider = provider_for(account)
    if not bank_reference.strip() or not isinstance(provider, ReadsReferences):
        return ""
    return provider.posting_receipt(bank_reference, on)


def _takes_other_amounts(account: ProviderAccount) -> bool:
    provider = provider_for(account)
    return isinstance(provider, ReadsReferences) and provider.takes_other_amounts()


def _zone(account: ProviderAccount) -> ZoneInfo:
    provider = provider_for(account)
    return ZoneInfo(provider.statement_time_zone() if isinstance(provider, ReadsStatements) else "UTC")


def _moment(account: ProviderAccount, on: date) -> datetime:
    return datetime.combine(on, time(), tzinfo=_zone(account))


def _reason(seen: Seen) -> str:
    return f"Paid by hand on {seen.on}: {seen.bank_reference} {seen.note}".strip()


def _audit(action: str, object_id: str, store: Store, changes: dict[str, Any]) -> AuditEntry:
    return build_entry(
        action=action, object_id=object_id, merchant_id=store.merchant_id, store_id=store.pk, changes=changes
    )
