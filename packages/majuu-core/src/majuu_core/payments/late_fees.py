"""Fees that a provider told only with its statement: booked once, and shown on the payment they are of."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.services import Move, add_transaction
from majuu_core.payments.locks import lock_for_fees
from majuu_core.payments.models import Charge, Payout, Refund
from majuu_core.payments.payout_records import add_payout_event
from majuu_core.payments.refund_outcomes import add_refund_event
from majuu_core.payments.settling import add_event

_PIECE = 100  # payments locked at once, for a moment
_MODELS: tuple[type[Any], ...] = (Charge, Refund, Payout)


def book_late_fees(fees: Iterable[tuple[str, Money]]) -> int:
    """Book what the provider kept of these charges, refunds and payouts, by public id; returns of how many.

    The store bears it, and the provider's clearing account is less by it. An amount below zero was given back. A fee in
    the payment's own currency is shown on it, and told by an event. What has a fee already stays as it is.
    """
    by_object: dict[str, list[Money]] = defaultdict(list)
    for object_id, fee in fees:
        by_object[object_id].append(fee)
    booked = 0
    for model in _MODELS:
        found = {
            ids.decode_id(model.id_prefix, name): amounts
            for name, amounts in by_object.items()
            if name.startswith(f"{model.id_prefix}_")
        }
        keys = sorted(found)
        for start in range(0, len(keys), _PIECE):
            booked += _book(model, keys[start : start + _PIECE], found)
    return booked


def _book(model: type[Any], keys: Sequence[uuid.UUID], fees: Mapping[uuid.UUID, Sequence[Money]]) -> int:
    with transaction.atomic():
        rows = [row for row in lock_for_fees(model, keys) if not row.fee.amount]
        known = set(LedgerTransaction.objects.filter(key__in=[_key(row) for row in rows]).values_list("key", flat=True))
        batch, new = WriteBatch(), [row for row in rows if _key(row) not in known]
        for row in new:
            _add(batch, row, fees[row.pk])
        if new:
            batch.execute()
    return len(new)


def _add(batch: WriteBatch, row: Any, fees: Sequence[Money]) -> None:
    add_transaction(
        batch,
        key=_key(row),
        kind=f"{row._meta.model_name}_fee",
        reference=row.public_id,
        livemode=row.livemode,
        moves=[_move(row, fee) for fee in fees],
        description="As the provider's statement tells it.",
    )
    shown = next((fee for fee in fees if fee.currency == row.amount.currency and fee.amount > 0), None)
    if shown is None:
        return
    batch.update(type(row), row.pk, {"fee": shown, "updated_at": clock.now()})
    row.fee = shown
    _tell(batch, row)


def _tell(batch: WriteBatch, row: Any) -> None:
    if isinstance(row, Charge):
        add_event(batch, row.payment_intent, "charge.updated", charge=row)
    elif isinstance(row, Refund):
        add_refund_event(batch, row, "updated")
    else:
        add_payout_event(batch, row, "updated")


def _move(row: Any, fee: Money) -> Move:
    currency = fee.currency.code
    store = row.payment_intent.store if isinstance(row, Charge) else row.store
    cost = AccountRef(AccountKind.PROVIDER_FEES, store.public_id, currency, row.livemode)
    clearing = AccountRef(AccountKind.PROVIDER_CLEARING, row.provider_account.public_id, currency, row.livemode)
    debit, credit = (cost, clearing) if fee.amount > 0 else (clearing, cost)
    return Move(debit=debit, credit=credit, amount=abs(fee))


def _key(row: Any) -> str:
    return f"{row.public_id}:fee"  # as for fees that an answer told after the money
