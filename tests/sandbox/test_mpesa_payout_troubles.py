"""A payout by M-Pesa from end to end: held, sent over real HTTP, told by the simulated Daraja, booked or given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.verification import find_problems
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.webhooks.inbound import RawRequest, receive_webhook
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_mpesa import majuu_hooks
from majuu_sim.clock import ExternalClock
from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, DarajaSimulator
from majuu_sim.transport import CollectingTransport

sending: Any = pytest.importorskip("majuu_core.payments.payout_sending", reason="payouts are not in this checkout")
following: Any = pytest.importorskip("majuu_core.payments.outgoing_follow_ups", reason="as above")
support: Any = pytest.importorskip("tests.core.payments.payout_support", reason="as above")


class Shop(support.Paymaster):  # type: ignore[misc]
    """A store whose payouts leave by M-Pesa; letters are delivered by ``wait``."""

    def __init__(self, sim: DarajaSimulator, mail: CollectingTransport, clock: VirtualClock) -> None:
        self.sim, self.mail, self.clock = sim, mail, clock
        self.store = make_store()
        self.account = make_provider_account(
            store=self.store,
            provider="mpesa",
            name="Paybill",
            credentials={
                "consumer_key": "majuu-sim-key",
                "consumer_secret": "majuu-sim-secret",
                "passkey": SANDBOX_PASSKEY,
                "shortcode": SANDBOX_SHORTCODE,
                "initiator_name": "testapi",
                "initiator_password": "MajuuSim#2026",
                "certificate": sim.certificate(),
            },
        )

    def wait(self, seconds: int = 5) -> None:
        self.clock.advance(seconds)
        self.sim.run_due()
        for url, body in self.mail.take():
            _, subject, secret, *topic = urlsplit(url).path.strip("/").split("/")
            message = RawRequest(
                method="POST",
                subject=subject,
                secret=secret,
                headers={},
                query={},
                body=body,
                remote_addr="127.0.0.1",
                topic="".join(topic),
            )
            receive_webhook(message)
        process_waiting()

    def ask(self, payout: Any) -> None:
        following.follow_up_outgoing(sending.PAYOUTS, payout.pk)
        self.wait()


@pytest.fixture
def shop(
    db: None, virtual_clock: VirtualClock, temporary_plugin: Callable[[object], object], settings: Any
) -> Iterator[Shop]:
    mail = CollectingTransport()
    sim = DarajaSimulator(seed=3, clock=ExternalClock(virtual_clock.now), transport=mail)
    settings.MAJUU_PUBLIC_URL = "https://pay.example.co.ke"
    with sim.serve():
        settings.MAJUU_PROVIDERS = {"mpesa": {"base_url": sim.base_url, "callback_addresses": "*"}}
        temporary_plugin(majuu_hooks)
        yield Shop(sim, mail, virtual_clock)


@pytest.mark.parametrize(
    ("fault", "at_once", "asked", "money"),
    [
        ("normal", "succeeded", "succeeded", 500),
        ("duplicate", "succeeded", "succeeded", 500),
        ("timeout_after_commit", "succeeded", "succeeded", 500),
        ("accepted_5xx", "succeeded", "succeeded", 500),
        ("lost", "pending", "succeeded", 500),
        ("insufficient", "failed", "failed", 0),
        ("not_registered", "failed", "failed", 0),
        ("internal_failure", "pending", "failed", 0),
    ],
)
def test_a_payout_ends_as_the_money_did(shop: Shop, fault: str, at_once: str, asked: str, money: int) -> None:
    """Given any trouble on the way, when results and status queries are in, then books and Daraja agree."""
    shop.sim.script(fault, operation="b2c_payment")
    payout = shop.send("500")

    shop.wait()

    payout.refresh_from_db()
    assert payout.status == at_once
    for _ in range(2):
        shop.ask(payout)
    payout.refresh_from_db()
    moved = shop.sim.movements()
    assert (payout.status, payout.is_parked) == (asked, False)
    assert sum(one.amount for one in moved) == Decimal(money)
    assert (payout.receipt or "") == (moved[0].receipt if moved else "")
    assert list(find_problems()) == []


def test_a_status_query_that_is_refused_gives_no_money_back(shop: Shop) -> None:
    """Given a paid payout whose result was lost, when the question is refused for its password, it stays open."""
    shop.sim.script("lost", operation="b2c_payment")
    payout = shop.send("500")
    shop.wait()
    shop.sim.script("initiator_wrong", operation="transaction_status")

    shop.ask(payout)

    payout.refresh_from_db()
    assert payout.status in ("pending", "unknown")
    shop.ask(payout)
    payout.refresh_from_db()
    assert payout.status == "succeeded"
