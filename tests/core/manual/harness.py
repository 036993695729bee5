"""Drives the manual provider through the contract checks. Money that it can see there is none of: people see it."""

from __future__ import annotations

from dataclasses import replace

from moneyed import Money

from majuu_core.manual.credentials import ManualCredentials
from majuu_core.manual.provider import ManualProvider
from majuu_core.providers import PaymentRequest
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, new_reference
from majuu_core.testing.memory import provider_context

ACCOUNT = {
    "currencies": ["KES", "USD"],
    "bank_name": "Equity Bank",
    "account_name": "Duka Ltd",
    "account_number": "0123456789012",
    "branch": "Kimathi Street",
    "swift": "EQBLKENA",
    "cash": "At our shop, Moi Avenue 12, Nairobi, on weekdays from 8 to 5.",
}


class ManualHarness(ProviderHarness):
    provider_class = ManualProvider
    # No answer of this provider ever says "paid": people see the money, and tell core.
    waives = dict.fromkeys(("payment", "fetch", "refund", "secrecy"), "people see the money; it has no secrets")

    def make_provider(self) -> ManualProvider:
        return ManualProvider(provider_context(ManualCredentials.model_validate(ACCOUNT)))

    def payment(self, outcome: Outcome = Outcome.SUCCEEDS) -> PaymentRequest:
        if outcome is not Outcome.NEEDS_ACTION:
            raise NotOffered("no answer of the provider says this: a statement or a person tells that money came")
        reference = new_reference("ch")
        return PaymentRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            amount=Money("1500", "KES"),
            payment_method="bank_transfer",
            payment_method_data={},
        )

    def bad_payment(self) -> PaymentRequest:
        return replace(self.payment(Outcome.NEEDS_ACTION), amount=Money("1500", "UGX"))
