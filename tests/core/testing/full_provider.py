"""FakeProvider with the capabilities that it lacks, so that their checks are proved too."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import httpx
from moneyed import Money

from majuu_core.common import clock
from majuu_core.providers import (
    InvalidPaymentData,
    PaymentRequest,
    ProviderContext,
    RefundQuestion,
    RefundRoute,
    Result,
    SettlementLine,
    Trust,
    Violation,
    WebhookRejected,
    WebhookRequest,
)
from majuu_core.providers.http import Exchange
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.harness import Outcome, WebhookKind
from majuu_core.testing.memory import RecordingHttp, provider_context
from majuu_core.testing.mock_harness import SECRET, MockHarness, credentials

PHONE = "254712345678"
_ANSWERING = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json={})))


class FullProvider(FakeProvider):
    """Takes a phone number, calls an address for each sale and keeps a statement in the shared cache."""

    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        phone = request.payment_method_data.get("phone", "").replace(" ", "")
        phone = f"254{phone[1:]}" if phone.startswith("0") else phone
        if not (phone.isdigit() and len(phone) == 12):
            raise InvalidPaymentData(
                Violation(code="phone_invalid", message="Enter a number like 0712 345 678.", field="phone")
            )
        return replace(request, payment_method_data={"phone": phone})

    def sale(self, request: PaymentRequest) -> Result:
        self._checked(request.amount)
        self.tell(request)
        result = super().sale(request)
        if result.receipt and self.context.cache.get(f"line:{result.provider_reference}") is None:
            listed = self.context.cache.get("lines") or ""
            money = f"{request.amount.amount}|{request.amount.currency.code}"
            line = f"{result.provider_reference}|{money}|{clock.now().date()}"
            self.context.cache.set("lines", f"{listed}\n{line}", seconds=10**8)
            self.context.cache.set(f"line:{result.provider_reference}", "1", seconds=10**8)
        return result

    def tell(self, request: PaymentRequest) -> None:
        logging.getLogger("full_provider").info("sale %s", request.reference)
        self.context.http.send(
            "POST",
            "https://provider.invalid/sale",
            operation="sale",
            headers={"Authorization": f"Bearer {self._secret.decode()}"},
            json_body={"reference": request.reference},
        )

    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        old = question.now - question.paid_at > timedelta(days=180)
        reason = "It is older than 180 days." if old else "It goes back the way it came."
        return [
            RefundRoute(method="back", possible=not old and bool(question.provider_reference), reason=reason),
            RefundRoute(
                method="anew",
                possible=True,
                reason="New money is sent to a phone.",
                books_as="payout",
                needs=("phone",),
            ),
        ]

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        if request.remote_addr != "127.0.0.1":
            raise WebhookRejected("the sender is not the provider")
        return super().verify_webhook(request)

    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        for line in (self.context.cache.get("lines") or "").split():
            reference, amount, currency, day = line.split("|")
            settled_on = date.fromisoformat(day)
            if start <= settled_on <= end:
                yield SettlementLine(
                    provider_reference=reference,
                    kind="charge",
                    gross=Money(amount, currency),
                    fee=Money(0, currency),
                    settled_on=settled_on,
                    line_id=f"line-{reference}",
                )


class FullHarness(MockHarness):
    """A MockHarness whose account has a shared cache, an HTTP client that records, and payers with phones."""

    provider_class: type[FakeProvider] = FullProvider  # type: ignore[misc]

    def __init__(self) -> None:
        super().__init__()
        self.contexts: list[ProviderContext] = []

    def payment(self, outcome: Outcome = Outcome.SUCCEEDS) -> PaymentRequest:
        return replace(super().payment(outcome), payment_method_data={"phone": "0712 345 678"})

    def bad_payment(self) -> PaymentRequest:
        return replace(super().payment(), payment_method_data={"phone": "12"})

    @property
    def exchanges(self) -> list[Exchange]:
        return [
            exchange
            for context in self.contexts
            if isinstance(context.http, RecordingHttp)
            for exchange in context.http.exchanges
        ]

    def webhook(self, kind: WebhookKind, request: PaymentRequest, result: Result) -> WebhookRequest:
        if kind is WebhookKind.WRONG_SENDER:
            return replace(super().webhook(WebhookKind.GOOD, request, result), remote_addr="203.0.113.9")
        return super().webhook(kind, request, result)

    def _make(self, secret: str, *, livemode: bool = False) -> FakeProvider:
        context = provider_context(
            credentials(secret),
            livemode=livemode,
            cache=self.cache,
            client=_ANSWERING,
        )
        if secret == SECRET:
            self.contexts.append(context)
        return self.provider_class(context)
