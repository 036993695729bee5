"""A store whose money moves by M-Pesa: the simulated Daraja over real HTTP, and the letters between it and us."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from moneyed import Money

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.incoming_registering import register_incoming
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, IncomingPayment, PaymentIntent, Payout
from majuu_core.plugins import hookimpl
from majuu_core.providers.installed import installed_providers
from majuu_core.testing.factories import make_provider_account
from majuu_core.webhooks.inbound import RawRequest, receive_webhook
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundWebhook
from majuu_core.worker.loops import find_loop, run_all
from majuu_mpesa.provider import MpesaProvider
from majuu_sim.clock import ExternalClock
from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.core.payments.incoming_support import clearing, payable, unclaimed
from tests.core.payments.payout_support import Paymaster

CUSTOMER = "254712345678"
AT_THE_START = Decimal(1_000_000)  # on the simulated shortcode's utility account
TILL = {"kind": "till", "shortcode": "600100", "till_number": "600101"}
KEYS = {
    "consumer_key": "majuu-sim-key",
    "consumer_secret": "majuu-sim-secret",
    "passkey": SANDBOX_PASSKEY,
    "shortcode": SANDBOX_SHORTCODE,
}
Letters = Sequence[tuple[str, bytes]]
# What a worker does that has to do with money; the daily and hourly rest would only add noise.
_WORK = (
    "webhooks.inbound",
    "payments.follow_ups",
    "payouts.follow_ups",
    "payments.refunds",
    "incoming.settle",
    "events.dispatch",
    "events.handlers",
)


class Plugin:
    """Offers M-Pesa where no installed application does."""

    @hookimpl
    def register_payment_providers(self) -> list[type[MpesaProvider]]:
        return [MpesaProvider]


class Office:
    """Nothing moves but by ``wait``: letters are handed over, so that a test may lose, repeat or reorder them.

    ``account`` changes the credentials; ``settings`` are those of the simulator. With ``live`` letters are not kept but
    sent over HTTP at once.
    """

    def __init__(
        self,
        *,
        account: dict[str, Any] | None = None,
        live: bool = False,
        start: datetime | None = None,
        **settings: Any,
    ) -> None:
        self.clock = VirtualClock(start)
        self.mail = CollectingTransport()
        self.sim = DarajaSimulator(
            seed=7,
            clock=ExternalClock(self.clock.now),
            transport=None if live else self.mail,
            config=DarajaConfig(**settings),
        )
        self.changes = account or {}

    def open(self) -> None:
        """Make the store and its account. The simulator serves already."""
        self.paymaster = Paymaster()
        self.store = self.paymaster.store
        initiator = {
            "initiator_name": "testapi",
            "initiator_password": "MajuuSim#2026",
            "certificate": self.sim.certificate(),
        }
        self.account = self.paymaster.account = make_provider_account(
            store=self.store, provider="mpesa", priority=9, credentials={**KEYS, **initiator, **self.changes}
        )

    # What the store does.

    def register(self) -> None:
        """Tell Daraja where to tell us of incoming money."""
        register_incoming(account=self.account)

    def intent(self, amount: str = "1500", reference: str = "ORDER-1001", **details: Any) -> PaymentIntent:
        wanted = IntentDetails(amount=Money(amount, "KES"), reference=reference, **details)
        return create_payment_intent(store=self.store, livemode=False, details=wanted)

    def push(self, amount: str = "1500", phone: str = CUSTOMER, reference: str = "ORDER-1001") -> Charge:
        """Ask a customer to pay by STK push."""
        choice = PaymentChoice(payment_method="mpesa_stk", payment_method_data={"phone": phone})
        return confirm_payment_intent(intent=self.intent(amount, reference), choice=choice)[1]

    def send(self, amount: str = "1500", phone: str = "0712345678", reference: str = "SAL-1") -> Payout:
        return self.paymaster.send(amount, reference, destination={"phone": phone}, provider="mpesa")

    # What a customer does.

    def customer_pays(self, amount: int = 1500, account: str = "ORDER-1001", **details: Any) -> str:
        """By paybill; returns the receipt."""
        return self.sim.pay_paybill(CUSTOMER, SANDBOX_SHORTCODE, amount, account, **details).receipt

    # Time and letters.

    def wait(self, seconds: int = 5) -> list[tuple[str, bytes]]:
        """Time passes; the letters that came."""
        self.clock.advance(seconds)
        self.sim.run_due()
        return list(self.mail.take())

    def receive(self, letters: Iterable[tuple[str, bytes]]) -> list[dict[str, Any]]:
        """Hand letters over; what was answered to each."""
        return [_receive(url, body) for url, body in letters]

    def deliver(self, letters: Iterable[tuple[str, bytes]]) -> None:
        """Hand letters over and have them worked on."""
        self.receive(letters)
        process_waiting()

    def work(self) -> None:
        """All that a worker does at this moment."""
        run_all([find_loop(name) for name in _WORK])

    def play(self, rounds: int = 3, seconds: int = 5) -> None:
        """Time passes, every letter arrives, and the worker works: questions and their answers included."""
        for _ in range(rounds):
            self.deliver(self.wait(seconds))
            self.work()

    # What is known afterwards.

    def books(self) -> dict[str, Decimal]:
        """What the provider owes us, nobody has claimed yet, and we owe the store."""
        return {
            "clearing": clearing(self.account),
            "unclaimed": unclaimed(),
            "store": payable(self.store),
        }

    def moved(self) -> Decimal:
        """What the simulated shortcode has more than at the start: the truth to compare the books with."""
        number = self.changes.get("shortcode", SANDBOX_SHORTCODE)
        return self.sim.shortcode_balances(number)["utility"] - AT_THE_START

    def the_money(self) -> IncomingPayment:
        """The one incoming payment there is."""
        return IncomingPayment.objects.get()

    def states(self) -> list[str]:
        """What became of every letter, in the order of arrival."""
        return list(InboundWebhook.objects.order_by("pk").values_list("state", flat=True))


def letters_of(letters: Letters, key: str) -> list[tuple[str, bytes]]:
    """Only those of a kind: ``TransID`` (C2B), ``Body`` (STK callback) or ``Result``."""
    return [(url, body) for url, body in letters if key in json.loads(body)]


def kinds_of(reference: str) -> list[str]:
    """The kinds of the ledger's transactions about an object, in order."""
    return list(LedgerTransaction.objects.filter(reference=reference).order_by("pk").values_list("kind", flat=True))


@contextmanager
def opened(office: Office, *, settings: Any, temporary_plugin: Any, url: str = "") -> Iterator[Office]:
    """The office at work: its simulator serves and everybody has its clock."""
    if "mpesa" not in {provider.code for provider in installed_providers()}:
        temporary_plugin(Plugin())
    settings.MAJUU_PUBLIC_URL = url or "https://pay.example.co.ke"
    with use_clock(office.clock), office.sim.serve():
        options = {"base_url": office.sim.base_url, "callback_addresses": "*"}
        settings.MAJUU_PROVIDERS = {"mpesa": {"test": options}}
        office.open()
        yield office


def _receive(url: str, body: bytes) -> dict[str, Any]:
    _, subject, secret, *topic = urlsplit(url).path.strip("/").split("/")
    answer = receive_webhook(
        RawRequest(
            method="POST",
            subject=subject,
            secret=secret,
            headers={"content-type": "application/json"},
            query={},
            body=body,
            remote_addr="127.0.0.1",
            topic="".join(topic),
        )
    )
    assert answer is not None, f"{url} is not an address of ours"
    assert answer.status == 200
    said: dict[str, Any] = json.loads(answer.body)
    return said
