"""What this package contributes to Majuu."""

from __future__ import annotations

from majuu_core.plugins import hookimpl
from majuu_core.providers import PaymentProvider
from majuu_paypal.provider import PaypalProvider


@hookimpl
def register_payment_providers() -> list[type[PaymentProvider]]:
    """PayPal's wallet, and payouts to it."""
    return [PaypalProvider]
