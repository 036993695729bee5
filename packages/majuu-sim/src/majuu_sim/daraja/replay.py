"""A run that a seed decides: the same seed, the same transcript, letter by letter.

A shop and its customers do what a random generator says, with faults, against a simulated Daraja over real HTTP, on a
clock that stands still between the steps. Nothing in the transcript depends on the machine or the hour.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja.config import SANDBOX_PASSKEY, SANDBOX_SHORTCODE
from majuu_sim.daraja.simulator import DarajaSimulator
from majuu_sim.transport import CollectingTransport

DEFAULT_STEPS = 40
_SHOP = "https://shop.example/in"
_STAMP = "20260115120000"
_CUSTOMERS = ("254712345678", "254722000111", "254700000001", "254700000006", "254700000007", "254110222333")
# Faults that an application has to live with; none of them waits in real time.
_FAULTS = (
    *(
        "normal",
        "lost",
        "late",
        "duplicate",
        "out_of_order",
        "stale_failure",
        "wrong_amount",
        "disagree",
        "slow_customer",
    ),
    *("accepted_5xx", "empty_body", "refuse_before_commit", "server_error", "spike_arrest", "locked", "html_body"),
    *("token_expired", "token_dies_after", "pending_then_final", "read_unavailable", "read_missing"),
)


@dataclass
class Replay:
    """One run. ``lines`` is the transcript."""

    seed: int
    steps: int = DEFAULT_STEPS
    _numbers: int = 0
    _token: str = ""
    _asked: list[str] = field(default_factory=list)  # CheckoutRequestIDs
    _receipts: list[tuple[str, int]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The transcript, as it happens; the last line is its SHA-256."""
        digest = hashlib.sha256()
        for line in self._run():
            digest.update(line.encode() + b"\n")
            yield line
        yield f"sha256 {digest.hexdigest()}"

    def _run(self) -> Iterator[str]:
        yield f"majuu-sim replay --seed {self.seed} --steps {self.steps}"
        self._random = random.Random(self.seed)  # noqa: S311 - it has to repeat
        self._mail = CollectingTransport()
        with DarajaSimulator(seed=self.seed, clock=VirtualClock(), transport=self._mail) as sim:
            self._sim = sim
            yield from self._note("register", self._post("/mpesa/c2b/v2/registerurl", self._registration()))
            for _ in range(self.steps):
                yield from self._step()
            sim.settle(within=3600)
            yield from self._letters()
            yield from self._balance_sheet()

    def _step(self) -> Iterator[str]:
        steps: tuple[Callable[[], Iterator[str]], ...] = (
            *(self._push,) * 4,
            *(self._query,) * 3,
            *(self._pay,) * 2,
            *(self._wait,) * 3,
            *(self._payout,) * 2,
            self._reverse,
            self._balances,
            self._fault,
        )
        yield from self._random.choice(steps)()
        yield from self._letters()

    # What the shop and its customers do.

    def _push(self) -> Iterator[str]:
        amount, phone = self._random.randint(1, 5000), self._random.choice(_CUSTOMERS)
        answer = self._post(
            "/mpesa/stkpush/v1/processrequest",
            {
                **self._signature(),
                "TransactionType": "CustomerPayBillOnline",
                "Amount": amount,
                "PartyA": phone,
                "PartyB": SANDBOX_SHORTCODE,
                "PhoneNumber": phone,
                "CallBackURL": f"{_SHOP}/push",
                "AccountReference": f"ORDER{self._number()}",
                "TransactionDesc": "Order",
            },
        )
        if isinstance(answer[1], dict) and "CheckoutRequestID" in answer[1]:
            self._asked.append(answer[1]["CheckoutRequestID"])
        yield from self._note(f"push KES {amount} to {phone}", answer)

    def _query(self) -> Iterator[str]:
        if not self._asked:
            return
        which = self._random.choice(self._asked)
        body = {**self._signature(), "CheckoutRequestID": which}
        yield from self._note(f"query {which}", self._post("/mpesa/stkpushquery/v1/query", body))

    def _pay(self) -> Iterator[str]:
        amount, phone = self._random.randint(1, 5000), self._random.choice(_CUSTOMERS)
        account = f"ORDER{self._random.randint(1, self._numbers + 1)}"
        paid = self._sim.pay_paybill(phone, SANDBOX_SHORTCODE, amount, account)
        yield f"{self._time()} {phone} pays KES {amount} for {account}: {paid.state} {paid.receipt}"
        self._receipts.append((paid.receipt, amount))

    def _wait(self) -> Iterator[str]:
        seconds = self._random.choice((1, 2, 5, 15, 60, 120))
        yield f"{self._time()} wait {seconds} s"
        self._sim.advance(seconds)

    def _payout(self) -> Iterator[str]:
        amount, phone = self._random.randint(10, 5000), self._random.choice(_CUSTOMERS)
        body = {
            "OriginatorConversationID": f"replay-{self.seed}-{self._number()}",
            "InitiatorName": "testapi",
            "CommandID": "BusinessPayment",
            "Amount": amount,
            "PartyA": SANDBOX_SHORTCODE,
            "PartyB": phone,
            "Occassion": "",
        }
        yield from self._note(
            f"pay out KES {amount} to {phone}", self._post("/mpesa/b2c/v3/paymentrequest", self._job(body))
        )

    def _reverse(self) -> Iterator[str]:
        if not self._receipts:
            return
        receipt, amount = self._random.choice(self._receipts)
        body = {
            "Initiator": "testapi",
            "CommandID": "TransactionReversal",
            "TransactionID": receipt,
            "Amount": amount,
            "ReceiverParty": SANDBOX_SHORTCODE,
            "RecieverIdentifierType": "11",
            "Occasion": "",
        }
        yield from self._note(f"reverse {receipt}", self._post("/mpesa/reversal/v1/request", self._job(body)))

    def _balances(self) -> Iterator[str]:
        body = {
            "Initiator": "testapi",
            "CommandID": "AccountBalance",
            "PartyA": SANDBOX_SHORTCODE,
            "IdentifierType": "4",
        }
        yield from self._note("ask for balances", self._post("/mpesa/accountbalance/v1/query", self._job(body)))

    def _fault(self) -> Iterator[str]:
        name = self._random.choice(_FAULTS)
        self._sim.script(name)
        yield f"{self._time()} fault queued: {name}"

    # What is written down.

    def _note(self, what: str, answer: tuple[int, Any]) -> Iterator[str]:
        status, body = answer
        yield f"{self._time()} {what} -> {status or 'no answer'} {_text(body)}".rstrip()

    def _letters(self) -> Iterator[str]:
        for url, body in self._mail.take():
            yield f"{self._time()} <- {url.rpartition('/')[2]} {_text(json.loads(body))}"

    def _balance_sheet(self) -> Iterator[str]:
        for movement in self._sim.movements():
            yield f"moved {movement.receipt} {movement.kind} KES {movement.amount}"
        for name, amount in sorted(self._sim.shortcode_balances(SANDBOX_SHORTCODE).items()):
            yield f"holds {name} KES {amount}"

    def _time(self) -> str:
        return self._sim.clock.now().isoformat(timespec="seconds")

    # How it is said to the simulator.

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _signature(self) -> dict[str, str]:
        password = base64.b64encode(f"{SANDBOX_SHORTCODE}{SANDBOX_PASSKEY}{_STAMP}".encode()).decode()
        return {"BusinessShortCode": SANDBOX_SHORTCODE, "Password": password, "Timestamp": _STAMP}

    def _job(self, body: dict[str, Any]) -> dict[str, Any]:
        return {
            **body,
            "SecurityCredential": self._sim.security_credential(),
            "Remarks": "Replay",
            "QueueTimeOutURL": f"{_SHOP}/timeout",
            "ResultURL": f"{_SHOP}/result",
        }

    def _registration(self) -> dict[str, str]:
        return {
            "ShortCode": SANDBOX_SHORTCODE,
            "ResponseType": "Completed",
            "ConfirmationURL": f"{_SHOP}/confirmation",
            "ValidationURL": f"{_SHOP}/validation",
        }

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and body; 0 when there was no answer. A token that is void is replaced, once."""
        answer: tuple[int, Any] = (0, None)
        for _ in range(2):
            self._token = self._token or self._new_token()
            answer = self._send("POST", path, json.dumps(body).encode(), f"Bearer {self._token}")
            if "Invalid Access Token" not in _text(answer[1]):
                break
            self._token = ""
        return answer

    def _new_token(self) -> str:
        app = self._sim.config.apps[0]
        basic = base64.b64encode(f"{app.consumer_key}:{app.consumer_secret}".encode()).decode()
        _, body = self._send("GET", "/oauth/v1/generate?grant_type=client_credentials", None, f"Basic {basic}")
        return str(body.get("access_token", "")) if isinstance(body, dict) else ""

    def _send(self, method: str, path: str, body: bytes | None, authorization: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(urlsplit(self._sim.base_url).netloc, timeout=30)
        try:
            connection.request(method, path, body, {"Authorization": authorization, "Content-Type": "application/json"})
            response = connection.getresponse()
            raw = response.read()
            return response.status, _parsed(raw)
        except (http.client.HTTPException, ConnectionError):
            return 0, None
        finally:
            connection.close()


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace") or None


def _text(body: Any) -> str:
    return "" if body is None else json.dumps(body, sort_keys=True, ensure_ascii=False)
