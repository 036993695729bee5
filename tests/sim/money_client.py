"""A client of C2B, B2C, B2B, reversal, status and balance, and a receiver that answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import PHONE, Client, Reply

HOOKS = "https://shop.example/in"
RECEIVED = "Accept the service request successfully."


@dataclass
class MoneyClient:
    """Speaks for the shop, and opens the letters the simulator kept for it."""

    sim: DarajaSimulator
    client: Client
    mail: CollectingTransport
    hooks: str = HOOKS
    count: int = 0

    # C2B.

    def register(self, version: str = "v2", **changes: Any) -> Reply:
        body: dict[str, Any] = {
            "ShortCode": SANDBOX_SHORTCODE,
            "ResponseType": "Completed",
            "ConfirmationURL": f"{self.hooks}/confirmation",
            "ValidationURL": f"{self.hooks}/validation",
            **changes,
        }
        return self.client.post(f"/mpesa/c2b/{version}/registerurl", _present(body))

    def simulate(self, version: str = "v2", **changes: Any) -> Reply:
        body: dict[str, Any] = {
            "ShortCode": SANDBOX_SHORTCODE,
            "CommandID": "CustomerPayBillOnline",
            "Amount": 100,
            "Msisdn": PHONE,
            "BillRefNumber": "ORDER1",
            **changes,
        }
        return self.client.post(f"/mpesa/c2b/{version}/simulate", _present(body))

    # Requests with a later result.

    def payout(self, version: str = "v3", **changes: Any) -> Reply:
        self.count += 1
        body: dict[str, Any] = {
            "OriginatorConversationID": f"payout-{self.count:08}" if version == "v3" else ...,
            "InitiatorName": "testapi",
            "SecurityCredential": self.sim.security_credential(),
            "CommandID": "BusinessPayment",
            "Amount": 100,
            "PartyA": SANDBOX_SHORTCODE,
            "PartyB": PHONE,
            "Remarks": "Refund",
            "QueueTimeOutURL": f"{self.hooks}/timeout",
            "ResultURL": f"{self.hooks}/result",
            "Occassion": "",
            **changes,
        }
        return self.client.post(f"/mpesa/b2c/{version}/paymentrequest", _present(body))

    def reverse(self, receipt: str, amount: int, **changes: Any) -> Reply:
        body = {
            "CommandID": "TransactionReversal",
            "TransactionID": receipt,
            "Amount": amount,
            "ReceiverParty": SANDBOX_SHORTCODE,
            "RecieverIdentifierType": "11",
            "Occasion": "",
        }
        return self.client.post("/mpesa/reversal/v1/request", self._job(body, changes))

    def status(self, **changes: Any) -> Reply:
        body = {
            "CommandID": "TransactionStatusQuery",
            "PartyA": SANDBOX_SHORTCODE,
            "IdentifierType": "4",
            "Occasion": "",
        }
        return self.client.post("/mpesa/transactionstatus/v1/query", self._job(body, changes))

    def balance(self, **changes: Any) -> Reply:
        body = {"CommandID": "AccountBalance", "PartyA": SANDBOX_SHORTCODE, "IdentifierType": "4"}
        return self.client.post("/mpesa/accountbalance/v1/query", self._job(body, changes))

    def pay_business(self, **changes: Any) -> Reply:
        body = {
            "CommandID": "BusinessPayBill",
            "SenderIdentifierType": "4",
            "RecieverIdentifierType": "4",
            "Amount": 100,
            "PartyA": SANDBOX_SHORTCODE,
            "PartyB": "600000",
            "AccountReference": "INV-7",
        }
        return self.client.post("/mpesa/b2b/v1/paymentrequest", self._job(body, changes))

    def _job(self, body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        common = {
            "Initiator": "testapi",
            "SecurityCredential": self.sim.security_credential(),
            "Remarks": "As agreed",
            "QueueTimeOutURL": f"{self.hooks}/timeout",
            "ResultURL": f"{self.hooks}/result",
        }
        return _present({**common, **body, **changes})

    # What came.

    def letters(self) -> list[tuple[str, Any]]:
        """What was sent since the last look, as (last word of the address, body)."""
        return [(url.rpartition("/")[2], json.loads(body)) for url, body in self.mail.take()]

    def result(self, seconds: float = 2.0) -> dict[str, Any]:
        """The one result that comes in the next ``seconds``."""
        self.sim.advance(seconds)
        ((path, body),) = self.letters()
        assert path == "result"
        return dict(body["Result"])


def _present(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not ...}


def parameters(result: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a result as key → value; keys without a value are None."""
    items = result["ResultParameters"]["ResultParameter"]
    return {item["Key"]: item.get("Value") for item in (items if isinstance(items, list) else [items])}


@dataclass
class Shop:
    """The shop's own server: remembers every letter, answers what it is told."""

    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # by the last word of the address
    delay: float = 0.0
    seen: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""

    def of(self, path: str) -> list[Any]:
        return [body for name, body in self.seen if name == path]


def serve_shop(shop: Shop) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            name = self.path.rpartition("/")[2]
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            shop.seen.append((name, json.loads(raw)))
            status, answer = shop.answers.get(name, (200, b'{"ResultCode": 0, "ResultDesc": "Success"}'))
            if shop.delay and name == "validation":
                time.sleep(shop.delay)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            with suppress(OSError):  # the simulator waits no longer
                self.wfile.write(answer)

        def log_message(self, *arguments: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
