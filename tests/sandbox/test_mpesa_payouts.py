"""Payouts by M-Pesa over real HTTP to the simulated Daraja, and its results back through our own addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.models import Payout, ProviderCall
from majuu_core.payments.payout_sending import run_due_payout_questions
from majuu_core.plugins import hookimpl
from majuu_core.providers import operations
from majuu_core.testing.factories import make_provider_account
from majuu_core.webhooks.inbound import receive_webhook
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundWebhook
from majuu_mpesa.provider import MpesaProvider
from majuu_sim.clock import ExternalClock
from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.core.payments.payout_support import Paymaster, to_address, told

if "payout" not in operations(MpesaProvider):
    pytest.skip("this M-Pesa package sends no payouts", allow_module_level=True)

PAYEE = "254712345678"
STRANGER, SLOW = "254700000010", "254700000034"  # magic numbers of the simulator


class Plugin:
    @hookimpl
    def register_payment_providers(self) -> list[type[MpesaProvider]]:
        return [MpesaProvider]


class Office:
    """A store with an M-Pesa account, the simulated Daraja behind it, and the letters between them."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.mail = CollectingTransport()
        self.sim = DarajaSimulator(
            seed=7, clock=ExternalClock(self.clock.now), transport=self.mail, config=DarajaConfig()
        )

    def open(self) -> None:
        self.paymaster = Paymaster()
        self.paymaster.account = make_provider_account(
            store=self.paymaster.store,
            provider="mpesa",
            priority=9,
            credentials={
                "consumer_key": "majuu-sim-key",
                "consumer_secret": "majuu-sim-secret",
                "passkey": SANDBOX_PASSKEY,
                "shortcode": SANDBOX_SHORTCODE,
                "initiator_name": "testapi",
                "initiator_password": "MajuuSim#2026",
                "certificate": self.sim.certificate(),
            },
        )

    def send(self, amount: str = "1500", phone: str = "0712345678", reference: str = "SAL-1") -> Payout:
        return self.paymaster.send(amount, reference, destination={"phone": phone}, provider="mpesa")

    def wait(self, seconds: int = 5) -> list[tuple[str, bytes]]:
        """Time passes; the letters that came."""
        self.clock.advance(seconds)
        self.sim.run_due()
        return list(self.mail.take())

    def deliver(self, letters: list[tuple[str, bytes]]) -> None:
        for url, body in letters:
            where, _, topic = url.split("/in/")[1].partition("/")[2].partition("/")
            address = url.removesuffix(f"/{topic}") if topic else url
            assert where
            raw = to_address(address, {"content-type": "application/json"}, body, topic)
            assert receive_webhook(raw) is not None
        process_waiting()


@pytest.fixture
def office(db: None, settings: Any, temporary_plugin: Any) -> Iterator[Office]:
    made = Office()
    if "mpesa" not in _installed():
        temporary_plugin(Plugin())
    settings.MAJUU_PUBLIC_URL = "https://pay.example.co.ke"
    with use_clock(made.clock), made.sim.serve():
        options = {"base_url": made.sim.base_url, "callback_addresses": "*"}
        settings.MAJUU_PROVIDERS = {"mpesa": {"test": options}}
        made.open()
        yield made
    assert list(find_problems()) == []


def _installed() -> set[str]:
    from majuu_core.providers.installed import installed_providers

    return {provider.code for provider in installed_providers()}


def states() -> list[str]:
    return list(InboundWebhook.objects.order_by("pk").values_list("state", flat=True))


def test_money_reaches_a_phone(office: Office) -> None:
    """Given a number as people write it, then it is sent in full, and Daraja's result settles the payout once."""
    payout = office.send()
    assert (payout.status, payout.destination, payout.purpose) == ("pending", {"phone": PAYEE}, "BusinessPayment")
    assert ProviderCall.objects.filter(about=payout.public_id).exists()
    letters = office.wait()
    office.deliver(letters)
    payout.refresh_from_db()
    assert (payout.status, payout.is_parked) == ("succeeded", False)
    assert payout.receipt == office.sim.movements()[0].receipt
    assert PAYEE in payout.recipient_name
    assert office.paymaster.books() == (Decimal(-1500), Decimal(0))
    office.deliver(letters)
    assert (states(), told(payout)) == (["applied", "duplicate"], ["payout.created", "payout.succeeded"])


def test_a_number_that_is_not_on_mpesa_fails(office: Office) -> None:
    """Given a stranger's number, then the payout fails with Daraja's own code, and the money is free again."""
    payout = office.send(phone=STRANGER)
    office.deliver(office.wait())
    payout.refresh_from_db()
    assert (payout.status, office.paymaster.books()) == ("failed", (Decimal(0), Decimal(0)))
    assert payout.provider_failure_code == "SFC_IC0003"


def test_a_lost_result_is_asked_for(office: Office) -> None:
    """Given a result that never arrives, then the janitor asks, and the answer comes to the payout's own address."""
    payout = office.send()
    office.wait()  # lost
    for _ in range(4):
        office.clock.advance(60)
        run_due_payout_questions()
        office.deliver(office.wait())
    payout.refresh_from_db()
    assert (payout.status, office.paymaster.books()) == ("succeeded", (Decimal(-1500), Decimal(0)))
    assert len(office.sim.movements()) == 1


def test_a_queue_timeout_is_not_final(office: Office) -> None:
    """Given a queue timeout and never a result, then the payout stays open and is asked about until it is known."""
    payout = office.send(phone=SLOW)
    office.deliver(office.wait(11))
    payout.refresh_from_db()
    assert (payout.status, payout.follow_up_at is not None) == ("pending", True)
    run_due_payout_questions()
    office.deliver(office.wait())
    payout.refresh_from_db()
    assert (payout.status, office.paymaster.books()) == ("succeeded", (Decimal(-1500), Decimal(0)))


def test_a_forged_result_changes_nothing(office: Office) -> None:
    """Given somebody who learnt the address and invents an id, then nothing is believed."""
    payout = office.send()
    [(url, body)] = office.wait()
    told_by_daraja = json.loads(body)
    assert told_by_daraja["Result"]["OriginatorConversationID"] == payout.provider_reference
    told_by_daraja["Result"] |= {"OriginatorConversationID": "invented-0001", "ConversationID": "AG_20261125_invented"}
    office.deliver([(url, json.dumps(told_by_daraja).encode())])
    payout.refresh_from_db()
    assert (payout.status, "applied" in states()) == ("pending", False)
