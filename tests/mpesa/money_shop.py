"""One M-Pesa account with an initiator at a simulated Daraja: asks, and opens the letters that come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    FetchRequest,
    FollowUpRequest,
    IncomingAddresses,
    PayoutRequest,
    ProviderContext,
    ProviderEvent,
    Result,
    WebhookRequest,
)
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.provider import MpesaProvider
from majuu_sim.clock import ExternalClock
from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.mpesa.support import SAFARICOM, DictCache

HOST = "https://pay.example.co.ke/in"
ACCOUNT_URL = f"{HOST}/aaaccount/secretaaaa"
ADDRESSES = IncomingAddresses(check_url=f"{ACCOUNT_URL}/check", notice_url=f"{ACCOUNT_URL}/notice")
PASSWORD = "MajuuSim#2026"
PAYEE = "254712345678"
PAYOUT, REFUND, INCOMING = "po_01jgx5v9k3m2n4p6r8t0", "re_01jgx5v9k3m2n4p6r8t1", "in_01jgx5v9k3m2n4p6r8t2"


class MoneyShop:
    """Both sides share one virtual clock; nothing moves until ``wait``."""

    def __init__(self, *, account: dict[str, Any] | None = None, **settings: Any) -> None:
        self.clock = VirtualClock()
        self.mail = CollectingTransport()
        self.sim = DarajaSimulator(
            seed=7, clock=ExternalClock(self.clock.now), transport=self.mail, config=DarajaConfig(**settings)
        )
        self.cache = DictCache()
        self.exchanges: list[Exchange] = []
        self.client = httpx.Client(trust_env=False)
        self.account = account or {}

    def provider(self, **changes: Any) -> MpesaProvider:
        account = {
            "consumer_key": "majuu-sim-key",
            "consumer_secret": "majuu-sim-secret",
            "passkey": SANDBOX_PASSKEY,
            "shortcode": SANDBOX_SHORTCODE,
            "initiator_name": "testapi",
            "initiator_password": PASSWORD,
            "certificate": self.sim.certificate(),
            **self.account,
            **changes,
        }
        return MpesaProvider(
            ProviderContext(
                account_id="pa_1",
                livemode=False,
                credentials=MpesaCredentials.model_validate(account),
                http=ProviderHttp(client=self.client, observe=self.exchanges.append, read_timeout=5),
                cache=self.cache,
                options={"base_url": self.sim.base_url},
            )
        )

    def payout(self, amount: int = 100, *, provider: MpesaProvider | None = None, **changes: Any) -> Result:
        return (provider or self.provider()).payout(payout(amount, **changes))

    def ask(self, result: Result | None, *, reference: str = PAYOUT) -> Result:
        named = result.provider_reference if result else None
        request = FetchRequest(reference=reference, provider_reference=named, webhook_url=url_of(reference))
        provider = self.provider()
        return provider.fetch_refund(request) if reference == REFUND else provider.fetch_payout(request)

    def wait(self, seconds: int = 5) -> None:
        self.clock.advance(seconds)
        self.sim.run_due()

    def messages(self) -> list[WebhookRequest]:
        """Every letter since the last call, as core would hand it on."""
        return [letter(url, body) for url, body in self.mail.take()]

    def events(self, provider: MpesaProvider | None = None) -> list[ProviderEvent]:
        reader = provider or self.provider()
        return [event for message in self.messages() for event in reader.parse_webhook(message)]

    def event(self, seconds: int = 5) -> ProviderEvent:
        """The one event of the next seconds."""
        self.wait(seconds)
        [event] = self.events()
        return event


@contextmanager
def opened(**settings: Any) -> Iterator[MoneyShop]:
    """A shop at a served simulator."""
    shop = MoneyShop(**settings)
    with use_clock(shop.clock), shop.sim.serve():
        yield shop
    shop.client.close()


def url_of(reference: str) -> str:
    """A secret address like core's."""
    return f"{HOST}/{reference[0]}x{reference[3:]}/secret{reference[3:]}"


def letter(url: str, body: bytes) -> WebhookRequest:
    """What came to an address."""
    path = url.removeprefix(HOST).strip("/").split("/")
    references = {url_of(one): one for one in (PAYOUT, REFUND, INCOMING)}
    return WebhookRequest(
        method="POST",
        headers={"content-type": "application/json"},
        query={},
        body=body,
        remote_addr=SAFARICOM,
        reference=next((name for start, name in references.items() if url.startswith(start)), None),
        topic=path[2] if len(path) > 2 else "",
    )


def payout(amount: Money | int = 100, **changes: Any) -> PayoutRequest:
    """A payout to a phone, changed as asked."""
    request = PayoutRequest(
        idempotency_key="key-po",
        reference=PAYOUT,
        amount=amount if isinstance(amount, Money) else Money(amount, "KES"),
        destination={"phone": "0712 345 678"},
        reason="Prize of the week",
        webhook_url=url_of(PAYOUT),
    )
    return replace(request, **changes)


def follow_up(amount: int | None = 100, **changes: Any) -> FollowUpRequest:
    """A refund, changed as asked."""
    request = FollowUpRequest(
        idempotency_key="key-re",
        reference=REFUND,
        provider_reference="ws_CO_1",
        amount=Money(amount, "KES") if amount is not None else None,
        webhook_url=url_of(REFUND),
    )
    return replace(request, **changes)
