"""How often suggestions are right, measured on a labelled month of a shared paybill (claim_world.py).

Run with ``-s`` to see the figures; docs/explanation/claim-scores.md quotes them.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common import ids
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.services import intake_store
from majuu_core.payments.models import IncomingPayment, PaymentIntent
from majuu_core.payments.suggestion_queries import suggest_orders
from majuu_core.payments.suggestion_reasons import AUTO_CLAIM_SCORE
from majuu_core.payments.suggestions import Suggestion, is_certain
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.payments.claim_world import SHOPS, Generator, Month, Order, Payment

_STATES = {"open": "requires_payment_method", "expired": "canceled", "canceled": "canceled", "paid": "succeeded"}
_REASONS = {"expired": "expired", "canceled": "requested"}


@dataclass(frozen=True)
class Outcome:
    """One payment, what it was for, and what was suggested first."""

    payment: Payment
    truth: Any
    best: Suggestion | None

    @property
    def is_right(self) -> bool:
        return self.best is not None and self.best.expectation.key == self.truth


def measure(seed: int, orders: int, clock: VirtualClock) -> list[Outcome]:
    """Play a month and ask for suggestions for every payment, as automatic claims do."""
    month = Generator(seed, clock.now()).run(orders)
    clock.advance(timedelta(days=24))
    stores = {shop.name: _store(shop.name, shop.prefix) for shop in SHOPS}
    intents = _save_orders(month, stores)
    rows = _save_payments(month, make_provider_account(platform=True))
    found: dict[Any, list[Suggestion]] = {}
    for start in range(0, len(rows), 100):
        found |= suggest_orders(rows[start : start + 100])
    return [
        Outcome(payment, payment.order and intents[payment.order.number].pk, next(iter(found[row.pk]), None))
        for payment, row in zip(month.payments, rows, strict=True)
    ]


def _store(name: str, prefix: str) -> Store:
    store = make_store(name=name)
    Store.objects.filter(pk=store.pk).update(account_prefix=prefix or None)
    return store


def _save_orders(month: Month, stores: Mapping[str, Store]) -> dict[int, PaymentIntent]:
    rows = {order.number: _intent(order, stores[order.shop.name]) for order in month.orders}
    PaymentIntent.objects.bulk_create(rows.values(), batch_size=200)
    return rows


def _intent(order: Order, store: Store) -> PaymentIntent:
    paid = order.amount if order.state == "paid" else 0
    return PaymentIntent(
        id=_id_at(order.made_at),
        store=store,
        livemode=False,
        **_money(amount=order.amount, amount_received=paid, surplus=0),
        status=_STATES[order.state],
        cancellation_reason=_REASONS.get(order.state, ""),
        reference=order.reference,
        customer_email=order.person.email,
        customer_phone=f"0{order.person.phone[3:]}" if order.tells_phone else "",
        metadata={"customer_name": order.person.name} if order.tells_name else {},
        link_token=ids.new_uuid().hex,
        expires_at=order.made_at + timedelta(days=30),
        created_at=order.made_at,
    )


def _save_payments(month: Month, account: ProviderAccount) -> list[IncomingPayment]:
    rows = [_incoming(number, payment, account) for number, payment in enumerate(month.payments)]
    IncomingPayment.objects.bulk_create(rows, batch_size=200)
    return rows


def _incoming(number: int, payment: Payment, account: ProviderAccount) -> IncomingPayment:
    return IncomingPayment(
        id=_id_at(payment.paid_at),
        provider_account=account,
        provider="mock",
        livemode=False,
        store=intake_store(),
        receipt=f"UK{number:08d}",
        receiver="600100",
        **_money(amount=payment.amount),
        account_reference=payment.text,
        payer_name=payment.name,
        payer_phone=payment.phone,
        payer_phone_hash=payment.phone_hash,
        payer_phone_masked=payment.phone_masked,
        occurred_at=payment.paid_at,
    )


def _money(**amounts: Any) -> dict[str, Any]:
    return {name: Money(amount, "KES") for name, amount in amounts.items()}


def _id_at(moment: datetime) -> Any:
    made = ids.new_uuid()
    return type(made)(int=int(moment.timestamp() * 1000) << 80 | made.int & ((1 << 80) - 1))


def precision_and_recall(outcomes: Sequence[Outcome], threshold: int) -> tuple[float, float, int]:
    """Of what would be claimed, how much rightly; of what is somebody's, how much; and how many claims."""
    claimed = [one for one in outcomes if one.best and is_certain(one.best, threshold)]
    right = sum(one.is_right for one in claimed)
    owned = sum(one.truth is not None for one in outcomes)
    return right / max(len(claimed), 1), right / owned, len(claimed)


def report(outcomes: Sequence[Outcome]) -> str:
    """The figures at several thresholds, and what went wrong at the one that is advised."""
    lines = ["threshold  claims  precision  recall"]
    for threshold in (50, 60, 70, 75, 80, 85, 90, 95):
        precision, recall, count = precision_and_recall(outcomes, threshold)
        lines.append(f"{threshold:9}  {count:6}  {precision:9.4f}  {recall:6.3f}")
    wrong = [one for one in outcomes if one.best and is_certain(one.best, AUTO_CLAIM_SCORE) and not one.is_right]
    lines += [
        f"wrong: {one.payment.kind}: {one.payment.text!r} {one.best and [r.code for r in one.best.reasons]}"
        for one in wrong
    ]
    missed = Counter(
        one.payment.kind for one in outcomes if one.truth and not (one.best and is_certain(one.best, AUTO_CLAIM_SCORE))
    )
    return "\n".join([*lines, f"left to people: {dict(missed)}"])


@pytest.mark.once
@pytest.mark.parametrize("seed", [7])
def test_automatic_claims_are_right_ninety_nine_times_in_a_hundred(db, virtual_clock, seed):
    outcomes = measure(seed, 1500, virtual_clock)
    sys.stdout.write(f"\n{report(outcomes)}\n")
    precision, recall, _ = precision_and_recall(outcomes, AUTO_CLAIM_SCORE)
    assert precision >= 0.99
    assert recall >= 0.48
