"""A small PayPal client of the tests' own, and a way to check events as a shop does."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

import httpx

from majuu_sim.paypal import PaypalSimulator
from majuu_sim.transport import CollectingTransport

CLIENT = ("majuu-sim-client", "majuu-sim-secret")
RETURN, CANCEL = "https://shop.example/back?cart=7", "https://shop.example/cart"
HOOK = "https://shop.example/hooks/paypal"


def order_body(value: str = "10.00", currency: str = "USD", **changes: Any) -> dict[str, Any]:
    """An order as a shop sends it; changes: intent, custom_id, invoice_id, email."""
    unit = {"custom_id": changes.get("custom_id", "ch_1"), "amount": {"currency_code": currency, "value": value}}
    if "invoice_id" in changes:
        unit["invoice_id"] = changes["invoice_id"]
    wallet: dict[str, Any] = {
        "experience_context": {"return_url": RETURN, "cancel_url": CANCEL, "user_action": "PAY_NOW"}
    }
    if "email" in changes:
        wallet["email_address"] = changes["email"]
    return {
        "intent": changes.get("intent", "CAPTURE"),
        "purchase_units": [unit],
        "payment_source": {"paypal": wallet},
    }


def money(value: str, currency: str = "USD") -> dict[str, Any]:
    """The body of a partial capture or refund."""
    return {"amount": {"currency_code": currency, "value": value}}


@dataclass
class Letter:
    """One event as it arrived."""

    url: str
    raw: bytes
    headers: dict[str, str]

    @property
    def event(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.raw)
        return made

    @property
    def type(self) -> str:
        return str(self.event["event_type"])

    @property
    def resource(self) -> dict[str, Any]:
        made: dict[str, Any] = self.event["resource"]
        return made


@dataclass
class Shop:
    """A shop at a simulated PayPal, with a webhook whose letters are kept."""

    sim: PaypalSimulator
    mail: CollectingTransport
    account: tuple[str, str] = CLIENT
    token: str = ""
    ids: int = field(default=0)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.sim.base_url, trust_env=False, verify=False)  # noqa: S501 - no TLS
        self.hook = self.sim.register_webhook(HOOK, account=self.account[0])

    def sign_in(self) -> None:
        answer = self.http.post("/v1/oauth2/token", data={"grant_type": "client_credentials"}, auth=self.account)
        self.token = answer.json()["access_token"]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One call; headers: request_id, prefer."""
        if not self.token:
            self.sign_in()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if "request_id" in headers:
            sent["PayPal-Request-Id"] = headers["request_id"]
        if "prefer" in headers:
            sent["Prefer"] = f"return={headers['prefer']}"
        content = None if body is None else json.dumps(body).encode()
        return self.http.request(method, path, content=content, headers=sent)

    def create(self, body: dict[str, Any] | None = None, request_id: str = "") -> httpx.Response:
        self.ids += 1
        sent = body if body is not None else order_body()
        return self.call("POST", "/v2/checkout/orders", sent, request_id=request_id or f"create-{self.ids}")

    def order(self, **changes: Any) -> str:
        """A new order's id."""
        value, currency = changes.pop("value", "10.00"), changes.pop("currency", "USD")
        return str(self.create(order_body(value, currency, **changes)).json()["id"])

    def approved(self, instrument: str = "pay", **changes: Any) -> str:
        """A new order's id, approved by its customer."""
        order = self.order(**changes)
        self.sim.approve(order, instrument)
        return order

    def capture_order(self, order: str, request_id: str = "") -> httpx.Response:
        return self.call("POST", f"/v2/checkout/orders/{order}/capture", request_id=request_id or f"capture-{order}")

    def paid(self, instrument: str = "pay", **changes: Any) -> str:
        """The id of a capture of a new order."""
        order = self.approved(instrument, **changes)
        return str(payments_of(self.capture_order(order))["captures"][0]["id"])

    def authorized(self, **changes: Any) -> str:
        """The id of an authorization of a new order."""
        order = self.approved(intent="AUTHORIZE", **changes)
        answer = self.call("POST", f"/v2/checkout/orders/{order}/authorize")
        return str(payments_of(answer)["authorizations"][0]["id"])

    def refund(self, capture: str, value: str | None = None, request_id: str = "") -> httpx.Response:
        body = money(value) if value is not None else {}
        path = f"/v2/payments/captures/{capture}/refund"
        return self.call("POST", path, body, request_id=request_id, prefer="representation")

    def get(self, path: str) -> Any:
        return self.call("GET", path).json()

    def letters(self) -> list[Letter]:
        """What came by post since the last look."""
        return [Letter(*one) for one in self.mail.take_signed()]

    def heard(self) -> list[str]:
        """The types of the events that are due within a day."""
        self.sim.settle()
        return [letter.type for letter in self.letters()]

    def verifies(self, letter: Letter, webhook: str = "") -> bool:
        """The offline check a shop makes: chain, name, dates, and the signature over the raw bytes."""
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

        url = letter.headers.get("PAYPAL-CERT-URL", "")
        if not url.startswith(f"{self.sim.base_url}/v1/notifications/certs/"):
            return False
        leaf, *above = x509.load_pem_x509_certificates(self.http.get(url).content)
        root = x509.load_pem_x509_certificate(self.sim.root_pem.encode())
        builder = PolicyBuilder().store(Store([root])).time(self.sim.clock.now())
        name = x509.DNSName("messageverificationcerts.sandbox.paypal.com")
        sent = letter.headers
        parts = sent["PAYPAL-TRANSMISSION-ID"], sent["PAYPAL-TRANSMISSION-TIME"], webhook or self.hook
        message = f"{'|'.join(parts)}|{zlib.crc32(letter.raw)}".encode()
        key = leaf.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        try:
            builder.build_server_verifier(name).verify(leaf, above)
            signature = base64.b64decode(sent["PAYPAL-TRANSMISSION-SIG"])
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except (VerificationError, InvalidSignature):
            return False
        return True

    def verifies_online(self, letter: Letter) -> str:
        """The same by asking PayPal, with the event's bytes as they came."""
        names = {
            "auth_algo": "PAYPAL-AUTH-ALGO",
            "cert_url": "PAYPAL-CERT-URL",
            "transmission_id": "PAYPAL-TRANSMISSION-ID",
            "transmission_sig": "PAYPAL-TRANSMISSION-SIG",
            "transmission_time": "PAYPAL-TRANSMISSION-TIME",
        }
        claims = {name: letter.headers[header] for name, header in names.items()}
        head = json.dumps({**claims, "webhook_id": self.hook})[:-1].encode()
        content = head + b', "webhook_event": ' + letter.raw + b"}"
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        answer = self.http.post("/v1/notifications/verify-webhook-signature", content=content, headers=sent)
        return str(answer.json()["verification_status"])


def payments_of(answer: httpx.Response) -> dict[str, Any]:
    """What was captured or authorized in an answer about an order."""
    made: dict[str, Any] = answer.json()["purchase_units"][0]["payments"]
    return made


def issue(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, name and first issue of a refusal."""
    body = answer.json()
    return answer.status_code, body["name"], (body.get("details") or [{"issue": ""}])[0]["issue"]
