"""One store's REST app at a simulated PayPal: what the harness and the tests over HTTP share."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.providers import FollowUpRequest, PaymentRequest, Result, WebhookRequest
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_core.testing.harness import new_reference
from majuu_core.testing.memory import MemoryCache, provider_context
from majuu_paypal.credentials import PaypalCredentials
from majuu_paypal.provider import PaypalProvider
from majuu_sim.clock import ExternalClock
from majuu_sim.paypal import Account, PaypalConfig, PaypalSimulator
from majuu_sim.paypal.signing import chains
from majuu_sim.transport import CollectingTransport

CLIENT_ID, CLIENT_SECRET = "client-id-of-the-contract-tests", "client-secret-of-the-contract-tests"
ADDRESS = "https://pay.example.co.ke/in/aabbccdd00112233/zzyyxxwwvvuuttrr0123"
MINUTE = 60.0


class Line(httpx.HTTPTransport):
    """A connection that can be cut, and whose answers can be changed on the way."""

    cut = False
    refuse_certificates = False
    change: Callable[[bytes], bytes] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        certificate = "/certs/" in request.url.path
        if self.cut or (certificate and self.refuse_certificates):
            raise httpx.ConnectError("the line is cut")
        response = super().handle_request(request)
        if self.change is None or request.url.path.startswith("/v1/oauth2"):
            return response
        body = self.change(response.read())
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return httpx.Response(response.status_code, headers=headers, content=body)


class Shop:
    """A store, its customers' PayPal, and the letters PayPal wrote to it."""

    def __init__(self, config: PaypalConfig | None = None) -> None:
        self.clock = VirtualClock()
        self.mail = CollectingTransport()
        account = Account(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        self.sim = PaypalSimulator(
            clock=ExternalClock(self.clock.now),
            transport=self.mail,
            config=replace(
                config or PaypalConfig(clearing_seconds=MINUTE, late_failure_seconds=MINUTE), accounts=(account,)
            ),
        )
        self.line = Line(verify=False)  # nothing here speaks TLS; loading the roots takes longer than a test
        self.cache = MemoryCache()
        self.exchanges: list[Exchange] = []
        self.letters: list[WebhookRequest] = []
        self._open = ExitStack()
        self._open.enter_context(use_clock(self.clock))
        self._open.enter_context(self.sim.serve())
        self._client = self._open.enter_context(httpx.Client(transport=self.line))
        self.webhook_id = self.sim.register_webhook(ADDRESS)

    def close(self) -> None:
        self._open.close()

    def provider(
        self,
        *,
        secret: str = CLIENT_SECRET,
        webhook_id: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> PaypalProvider:
        credentials = PaypalCredentials.model_validate(
            {
                "client_id": CLIENT_ID,
                "client_secret": secret,
                "webhook_id": self.webhook_id if webhook_id is None else webhook_id,
            }
        )
        settings = {
            "base_url": self.sim.base_url,
            "certificate_origin": self.sim.base_url,
            "root_certificates": str(root_file()),
            **(options or {}),
        }
        context = provider_context(credentials, cache=self.cache, options=settings)
        http = ProviderHttp(client=self._client, observe=self.exchanges.append, read_timeout=5)
        return PaypalProvider(replace(context, http=http))

    def payment(self, amount: Money | None = None, *, outcome: str = "manual", **changes: Any) -> PaymentRequest:
        """A payment whose customer does this at PayPal; "manual" waits for ``approve``."""
        reference = new_reference("ch")
        self.sim.script(outcome, customer=reference)
        request = PaymentRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            amount=amount or Money("20.00", "USD"),
            payment_method="paypal",
            payment_method_data={},
            description="Two books",
            merchant_reference="1001",
            return_url="https://shop.example/thanks",
            cancel_url="https://shop.example/basket",
        )
        return replace(request, **changes)

    def pay(self, amount: Money | None = None, **changes: Any) -> tuple[PaymentRequest, Result]:
        """A payment that was approved and taken."""
        request = self.payment(amount, **changes)
        return request, self.complete(request, self.provider().sale(request))

    def hold(self, amount: Money | None = None) -> tuple[PaymentRequest, Result]:
        """A payment that was approved and held."""
        request = self.payment(amount)
        return request, self.complete(request, self.provider().authorize(request))

    def complete(self, request: PaymentRequest, made: Result, *, instrument: str = "pay") -> Result:
        """Approve as the customer, and complete as core."""
        assert made.provider_reference is not None
        self.sim.approve(made.provider_reference, instrument)
        return self.provider().complete(self.follow_up(request, made))

    def follow_up(self, request: PaymentRequest, made: Result) -> FollowUpRequest:
        """A question about a payment under its own id and key, as core completes it."""
        return FollowUpRequest(
            idempotency_key=f"{request.idempotency_key}-complete",
            reference=request.reference,
            provider_reference=made.provider_reference or "",
        )

    def wait(self, seconds: int = 30) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        self.sim.run_due()

    def messages(self) -> list[WebhookRequest]:
        """All that PayPal wrote to us so far, oldest first."""
        for _, body, headers in self.mail.take_signed():
            lowered = {name.lower(): value for name, value in headers.items()}
            self.letters.append(
                WebhookRequest(method="POST", headers=lowered, query={}, body=body, remote_addr="203.0.113.9")
            )
        return self.letters

    def messages_of(self, event_type: str) -> list[WebhookRequest]:
        """Those of one type."""
        return [message for message in self.messages() if f'"{event_type}"'.encode() in message.body]


@cache
def root_file() -> Path:
    """The simulator's root certificate as a file, one for the process."""
    folder = Path(tempfile.mkdtemp(prefix="majuu-paypal-"))
    path = folder / "root.pem"
    path.write_text(chains().root_pem)
    return path
