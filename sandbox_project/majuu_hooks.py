"""What the sandbox contributes: its own demo data, before that of any other plugin, and a rate to try PayPal with."""

from __future__ import annotations

from datetime import datetime, timedelta

from majuu_core.common.money import Money, round_to_currency
from majuu_core.plugins import DemoData, hookimpl
from majuu_core.plugins.contributions import FxQuote
from sandbox_project.places import demo_rate

FIXED_DEMO_RATE = "fixed demo rate"


@hookimpl
def register_demo_data() -> list[DemoData]:
    """A shop with everything it needs to be paid."""
    from sandbox_project.demo_data import load_demo_data

    return [DemoData(name="sandbox.duka", load=load_demo_data, order=10)]


@hookimpl(trylast=True)
def quote_fx(amount: Money, to_currency: str, at: datetime) -> FxQuote | None:
    """Shillings in dollars at the fixed rate SANDBOX_DEMO_RATE, after any plugin that knows the market's."""
    rate = demo_rate()
    if rate is None or (amount.currency.code, to_currency) != ("KES", "USD"):
        return None
    converted = round_to_currency(Money(amount.amount * rate, to_currency))
    expires_at = at + timedelta(minutes=15)
    return FxQuote(amount=amount, converted=converted, rate=rate, source=FIXED_DEMO_RATE, expires_at=expires_at)
