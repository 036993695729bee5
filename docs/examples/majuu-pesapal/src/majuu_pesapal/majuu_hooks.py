"""What this package contributes to Majuu."""

from __future__ import annotations

from majuu_core.plugins import hookimpl
from majuu_core.providers import PaymentProvider
from majuu_pesapal.provider import PesapalProvider


@hookimpl
def register_payment_providers() -> list[type[PaymentProvider]]:
    return [PesapalProvider]
