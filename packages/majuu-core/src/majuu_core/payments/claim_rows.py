"""Claim rows, as every way of claiming makes them."""

from __future__ import annotations

from majuu_core.common import clock, ids
from majuu_core.merchants.models import Store
from majuu_core.merchants.people import acting_person
from majuu_core.payments.models import Charge, Claim, IncomingPayment


def active_key(*, provider: str, livemode: bool, receipt: str) -> str:
    """What is unique while a claim stands: the receipt at its provider, in its mode."""
    return f"{provider}:{'live' if livemode else 'test'}:{receipt}"


def build_claim(
    money: IncomingPayment | Charge,
    store: Store,
    *,
    reference: str,
    method: str = Claim.Method.MANUAL,
    score: int | None = None,
    reasons: list[str] | None = None,
) -> Claim:
    """A claim of the store to incoming money, or to what a charge of its own brought."""
    is_charge = isinstance(money, Charge)
    receipt = money.receipt or ""
    return Claim(
        id=ids.new_uuid(),
        store=store,
        livemode=money.livemode,
        receipt=receipt,
        active_key=active_key(provider=money.provider, livemode=money.livemode, receipt=receipt),
        incoming=None if is_charge else money,
        charge=money if is_charge else None,
        reference=reference[:64],
        method=Claim.Method.CHARGE if is_charge else method,
        score=score,
        reasons=reasons or [],
        created_by=acting_person()[:80],
        created_at=clock.now(),
    )
