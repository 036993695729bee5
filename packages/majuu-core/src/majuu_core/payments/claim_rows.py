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
    charge = money if isinstance(money, Charge) else None
    incoming = money if isinstance(money, IncomingPayment) else None
    receipt = money.receipt or ""
    return Claim(
        id=ids.new_uuid(),
        store=store,
        livemode=money.livemode,
        receipt=receipt,
        active_key=active_key(provider=money.provider, livemode=money.livemode, receipt=receipt),
        incoming=incoming,
        charge=charge,
        reference=reference[:64],
        method=method if charge is None else Claim.Method.CHARGE,
        score=score,
        reasons=reasons or [],
        created_by=acting_person()[:80],
        created_at=clock.now(),
    )
