"""A scripted Daraja without sockets, a shared cache in memory, and requests to start from."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from majuu_core.common.money import parse_amount
from majuu_core.providers import FetchRequest, PaymentRequest, ProviderContext, WebhookRequest
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.provider import MpesaProvider

BASE_URL = "https://daraja.test"
PHONE = "254708374149"
CHECKOUT_ID = "ws_CO_05012026120001000708374149"
CALLBACK_URL = "https://pay.example.co.ke/in/paabbccdd00112233/zzyyxxwwvvuuttrr"
SAFARICOM = "196.201.214.200"
SECRETS = {
    "consumer_key": "key-Zx81kQpLmN",
    "consumer_secret": "secret-4TbW9vYcR2",
    "passkey": "passkey-bfb279f9aa9bdbcf158e97dd71a467cd",
}
ACCEPTED = {
    "MerchantRequestID": "2654-4b64-97ff-b827b542881d3130",
    "CheckoutRequestID": CHECKOUT_ID,
    "ResponseCode": "0",
    "ResponseDescription": "Success. Request accepted for processing",
    "CustomerMessage": "Success. Request accepted for processing",
}

Reply = httpx.Response | Exception


class DictCache:
    """A cache in memory with a real lock for each name. Remembers for how long things were kept."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.seconds: dict[str, int] = {}
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def get(self, key: str) -> str | None:
        return self.values.get(key)

    def set(self, key: str, value: str, *, seconds: int) -> None:
        self.values[key], self.seconds[key] = value, seconds

    def delete(self, key: str) -> None:
        self.values.pop(key, None)

    @contextmanager
    def lock(self, key: str, *, seconds: int) -> Iterator[bool]:
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        taken = lock.acquire(timeout=seconds)
        try:
            yield taken
        finally:
            if taken:
                lock.release()


class ScriptedDaraja:
    """Answers product calls with the given replies in turn; issues tokens T1, T2, … and takes only the newest."""

    def __init__(self, *replies: Reply, oauth: Callable[[], Reply] | None = None) -> None:
        self.replies = list(replies)
        self.oauth = oauth
        self.token_requests = 0
        self.requests: list[httpx.Request] = []
        self._guard = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._guard:
            reply = self._reply(request)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def body(self, index: int = 0) -> Any:
        """The JSON of the product call with this index."""
        return json.loads(self.requests[index].content)

    def _reply(self, request: httpx.Request) -> Reply:
        if request.url.path == "/oauth/v1/generate":
            self.token_requests += 1
            if self.oauth:
                return self.oauth()
            return httpx.Response(200, json={"access_token": f"T{self.token_requests}", "expires_in": "3599"})
        self.requests.append(request)
        return self.replies.pop(0)


def answer(status: int, body: Any = None, *, text: str | None = None, headers: dict[str, str] | None = None) -> Any:
    """A reply of Daraja: JSON, or the text as it is."""
    if text is not None:
        return httpx.Response(status, text=text, headers=headers)
    return httpx.Response(status, json=body, headers=headers)


def error(status: int, code: str, message: str) -> Any:
    """A reply in Daraja's own error envelope."""
    return answer(status, {"requestId": "1c5b-4ba8-1", "errorCode": code, "errorMessage": message})


def credentials(**changes: Any) -> MpesaCredentials:
    """A paybill's credentials, changed as asked."""
    return MpesaCredentials.model_validate({**SECRETS, "shortcode": "174379", **changes})


def make_provider(
    daraja: Callable[[httpx.Request], httpx.Response] | None = None,
    *,
    cache: DictCache | None = None,
    livemode: bool = False,
    options: dict[str, str] | None = None,
    observe: Callable[[Exchange], None] | None = None,
    **changes: Any,
) -> MpesaProvider:
    """A provider that talks to the given handler."""
    client = httpx.Client(transport=httpx.MockTransport(daraja or ScriptedDaraja()))
    return MpesaProvider(
        ProviderContext(
            account_id="pa_1",
            livemode=livemode,
            credentials=credentials(**changes),
            http=ProviderHttp(client=client, observe=observe),
            cache=cache or DictCache(),
            options={"base_url": BASE_URL, **(options or {})},
        )
    )


def payment(amount: str | int = "1500", *, currency: str = "KES", phone: str = PHONE, **changes: Any) -> PaymentRequest:
    """A payment request, changed as asked."""
    fields: dict[str, Any] = {
        "idempotency_key": "charge-1",
        "reference": "ch_01jgx5v9k3m2n4p6r8t0",
        "amount": parse_amount(amount, currency),
        "payment_method": "mpesa_stk",
        "payment_method_data": {"phone": phone},
        "description": "Two bags of coffee",
        "merchant_reference": "ORDER-1042",
        "webhook_url": CALLBACK_URL,
    }
    return PaymentRequest(**{**fields, **changes})


def fetch(provider_reference: str | None = CHECKOUT_ID) -> FetchRequest:
    """A question about the payment."""
    return FetchRequest(reference="ch_1", provider_reference=provider_reference, amount=parse_amount("1500", "KES"))


def webhook(
    body: Any, *, remote_addr: str = SAFARICOM, method: str = "POST", reference: str | None = "ch_1"
) -> WebhookRequest:
    """A request as Safaricom sends it; bytes go as they are."""
    return WebhookRequest(
        method=method,
        headers={"content-type": "application/json"},
        query={},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        remote_addr=remote_addr,
        reference=reference,
    )


def stk_callback(code: Any = 0, items: Any = None, **changes: Any) -> dict[str, Any]:
    """A callback body; ``items`` are (name, value) pairs."""
    callback: dict[str, Any] = {
        "MerchantRequestID": "29115-34620561-1",
        "CheckoutRequestID": CHECKOUT_ID,
        "ResultCode": code,
        "ResultDesc": "The service request is processed successfully.",
        **changes,
    }
    if items is not None:
        callback["CallbackMetadata"] = {"Item": [{"Name": name, "Value": value} for name, value in items]}
    return {"Body": {"stkCallback": callback}}
