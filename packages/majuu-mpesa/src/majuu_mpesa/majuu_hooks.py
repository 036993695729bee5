"""What this package contributes to Majuu."""

from __future__ import annotations

from majuu_core.plugins import hookimpl
from majuu_core.providers import PaymentProvider
from majuu_mpesa.provider import MpesaProvider


@hookimpl
def register_payment_providers() -> list[type[PaymentProvider]]:
    """M-Pesa for paybills and tills."""
    return [MpesaProvider]
