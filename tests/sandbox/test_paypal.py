"""PayPal with all of Majuu behind it: the simulated PayPal over real HTTP, and what core makes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.plugins import hookimpl
from majuu_core.providers.installed import installed_providers
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.webhooks.inbound import RawRequest, receive_webhook
from majuu_core.webhooks.models import InboundWebhook
from majuu_core.worker.loops import find_loop, run_all
from majuu_paypal.provider import PaypalProvider
from majuu_sim.clock import ExternalClock
from majuu_sim.paypal import Account, PaypalConfig, PaypalSimulator
from majuu_sim.transport import CollectingTransport
from tests.core.payments.incoming_support import clearing, payable

captures = pytest.importorskip("majuu_core.payments.captures", reason="core cannot capture yet")

_WORK = ("webhooks.inbound", "payments.follow_ups", "payments.refunds", "events.dispatch", "events.handlers")
Letter = tuple[str, bytes, dict[str, str]]


class Plugin:
    """Offers PayPal where no installed application does."""

    @hookimpl
    def register_payment_providers(self) -> list[type[PaypalProvider]]:
        return [PaypalProvider]


@dataclass
class Office:
    """A store that takes PayPal. Nothing moves but by ``wait``; letters are handed over by ``deliver``."""

    clock: VirtualClock
    sim: PaypalSimulator
    mail: CollectingTransport
    store: Any = field(init=False)
    account: Any = field(init=False)

    def open(self) -> None:
        self.store = make_store()
        app = self.sim.config.accounts[0]
        self.account = make_provider_account(
            store=self.store,
            provider="paypal",
            credentials={"client_id": app.client_id, "client_secret": app.client_secret},
        )
        self.sim.register_webhook(account_callback_url(self.account.pk))

    def charge(self, amount: str = "20.00", **details: Any) -> Charge:
        """A customer who was sent to PayPal."""
        wanted = IntentDetails(amount=Money(amount, "USD"), reference="1001", **details)
        intent = create_payment_intent(store=self.store, livemode=False, details=wanted)
        choice = PaymentChoice(payment_method="paypal")
        charge = confirm_payment_intent(intent=intent, choice=choice)[1]
        assert charge.status == "requires_action"
        return charge

    def wait(self, seconds: int = 2) -> list[Letter]:
        self.clock.advance(seconds)
        self.sim.run_due()
        return self.mail.take_signed()

    def deliver(self, letters: list[Letter]) -> list[int]:
        """Hand letters over and let the worker work; what was answered."""
        answers = []
        for url, body, headers in letters:
            _, subject, secret = urlsplit(url).path.strip("/").split("/")
            lowered = {name.lower(): value for name, value in headers.items()}
            raw = RawRequest(
                method="POST",
                subject=subject,
                secret=secret,
                headers=lowered,
                query={},
                body=body,
                remote_addr="203.0.113.9",
            )
            answer = receive_webhook(raw)
            assert answer is not None
            answers.append(answer.status)
        self.work()
        return answers

    def work(self) -> None:
        run_all([find_loop(name) for name in _WORK])

    def play(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            self.deliver(self.wait())

    def paid(self, amount: str = "20.00") -> Charge:
        charge = self.charge(amount)
        self.sim.approve(charge.provider_reference or "")
        self.play()
        charge.refresh_from_db()
        assert (charge.status, charge.is_parked) == ("succeeded", False)
        return charge

    def books(self) -> tuple[Decimal, Decimal]:
        """What PayPal owes us, and we the store."""
        return clearing(self.account, "USD"), payable(self.store, "USD")

    def states(self) -> set[str]:
        return set(InboundWebhook.objects.values_list("state", flat=True))


@pytest.fixture
def office(db: None, settings: Any, temporary_plugin: Any) -> Iterator[Office]:
    if "paypal" not in {provider.code for provider in installed_providers()}:
        temporary_plugin(Plugin())
    clock, mail = VirtualClock(), CollectingTransport()
    config = PaypalConfig(accounts=(Account(client_id="an-app-of-ours", client_secret="a-secret-of-ours"),))
    sim = PaypalSimulator(seed=7, clock=ExternalClock(clock.now), transport=mail, config=config)
    settings.MAJUU_PUBLIC_URL = "https://pay.example.co.ke"
    with tempfile.TemporaryDirectory() as folder, use_clock(clock), sim.serve():
        root = Path(folder) / "root.pem"
        root.write_text(sim.root_pem)
        options = {"base_url": sim.base_url, "certificate_origin": sim.base_url, "root_certificates": str(root)}
        settings.MAJUU_PROVIDERS = {"paypal": {"test": options}}
        office = Office(clock, sim, mail)
        office.open()
        yield office
    assert list(find_problems()) == []


def test_an_approved_order_is_taken_and_booked(office: Office) -> None:
    """Given a customer who approves, when PayPal tells it, then the money is taken once, with PayPal's fee."""
    charge = office.charge()
    office.sim.approve(charge.provider_reference or "")

    answers = office.deliver(office.wait())
    office.play()

    charge.refresh_from_db()
    [capture] = office.sim.payments()
    assert answers == [200]
    assert (charge.status, charge.receipt, charge.is_parked) == ("succeeded", capture.id, False)
    assert (charge.amount_received, charge.fee) == (Money("20.00", "USD"), Money("1.19", "USD"))
    assert charge.payment_intent.status == "succeeded"
    assert "parked" not in office.states()


def test_a_lost_approval_is_found_by_asking(office: Office) -> None:
    """Given that no message ever arrives, when Majuu asks, then it completes what was approved."""
    charge = office.charge()
    office.sim.approve(charge.provider_reference or "")

    for _ in range(4):
        office.wait(20)
        office.work()

    charge.refresh_from_db()
    assert (charge.status, len(office.sim.payments())) == ("succeeded", 1)


def test_an_abandoned_order_ends_by_itself(office: Office) -> None:
    """Given a customer who goes away, when PayPal forgets the order, then the charge is over and nothing moved."""
    charge = office.charge()

    for _ in range(10):
        office.wait(1800)
        office.work()

    charge.refresh_from_db()
    assert (charge.status, charge.is_parked) == ("canceled", False)
    assert office.sim.payments() == []


def test_a_hold_is_taken_in_part(office: Office) -> None:
    """Given an approved hold, when a part is captured, then that part is booked and the rest released."""
    charge = office.charge(capture_method="manual")
    office.sim.approve(charge.provider_reference or "")
    office.play()
    charge.refresh_from_db()
    assert charge.status == "authorized"

    captures.capture_payment_intent(intent=charge.payment_intent, amount=Money("12.50", "USD"))
    office.play()

    charge.refresh_from_db()
    assert (charge.status, charge.amount_received) == ("succeeded", Money("12.50", "USD"))
    assert [one.amount.value for one in office.sim.payments()] == [Decimal("12.50")]
    assert "parked" not in office.states()


def test_refunds_of_ours_and_of_paypals_own_pages(office: Office) -> None:
    """Given a paid charge, when a part goes back by us and a part at PayPal, then both are booked, once each."""
    charge = office.paid()
    before = office.books()
    details = RefundDetails(charge=charge.public_id, amount=Money("5.00", "USD"), reason="One came back")
    [ours] = create_refund(store=office.store, livemode=False, details=details)
    office.sim.refund(charge.receipt or "", Decimal("3.00"))
    letters = office.wait()

    office.deliver(letters)
    office.deliver(letters)  # twice, as PayPal does

    charge.refresh_from_db()
    ours.refresh_from_db()
    theirs = Refund.objects.exclude(pk=ours.pk).get()
    assert (ours.status, theirs.status, theirs.source) == ("succeeded", "succeeded", "provider")
    assert theirs.amount == Money("3.00", "USD")
    assert charge.amount_refunded == Decimal("8.00")
    assert [now - then for now, then in zip(office.books(), before, strict=True)] == [Decimal("-8.00")] * 2
    assert "parked" not in office.states()


def test_a_refund_that_fails_days_later_is_taken_back(office: Office) -> None:
    """Given a refund that seemed good, when PayPal says days later that it failed, then the money is the store's."""
    charge = office.paid()
    before = office.books()
    details = RefundDetails(charge=charge.public_id, amount=Money("5.00", "USD"), reason="Wrong size")
    [refund] = create_refund(store=office.store, livemode=False, details=details)
    office.play(1)
    office.clock.advance(timedelta(days=4))
    office.sim.end_refund(refund.provider_reference or "", "FAILED")

    office.play(2)

    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.status, charge.amount_refunded) == ("failed", Decimal("0.00"))
    assert office.books() == before


def test_another_shop_on_the_same_account_disturbs_nobody(office: Office) -> None:
    """Given a payment of another program on the same PayPal account, when PayPal tells us, then nothing is parked."""
    charge = office.paid()
    letters = office.wait(0)
    stranger = office.sim.payments()[0]
    assert stranger.custom_id == charge.public_id
    office.sim.bank.captures[stranger.id].custom_id = "basket-17"
    office.sim.refund(stranger.id, Decimal("1.00"))

    answers = office.deliver([*letters, *office.wait()])

    assert answers == [200]
    assert Refund.objects.count() == 0
    assert "parked" not in office.states()


def test_disputes_are_answered_lost_and_given_in(office: Office) -> None:
    """Given three disputed charges, when one is answered, one decided for the customer and one given in, then each
    ends as it should and the books hold what PayPal took."""
    disputes = pytest.importorskip("majuu_core.payments.disputes", reason="core knows no disputes yet")
    evidence = pytest.importorskip("majuu_core.payments.dispute_evidence", reason="core knows no disputes yet")

    won, lost, given = (office.paid() for _ in range(3))
    opened = [
        office.sim.open_dispute(won.receipt or ""),
        office.sim.open_dispute(lost.receipt or "", channel="EXTERNAL", reason="UNAUTHORISED"),
        office.sim.open_dispute(given.receipt or ""),
    ]
    office.play(2)
    rows = [disputes.Dispute.objects.get(charge=charge) for charge in (won, lost, given)]
    assert [row.status for row in rows] == ["needs_response"] * 3

    texts = {"notes": "Delivered.", "carrier_name": "DHL", "tracking_number": "JJD00"}
    evidence.save_texts(dispute=rows[0], texts=texts)
    evidence.add_file(dispute=rows[0], field="PROOF_OF_FULFILLMENT", name="slip.pdf", content=b"%PDF-1.4 signed")
    assert disputes.submit_evidence(dispute=rows[0]).status == "under_review"
    assert disputes.accept_dispute(dispute=rows[2], confirmed=True, reason="It was lost").status == "accepted"
    office.sim.decide_dispute(opened[0].id, "seller")
    office.sim.decide_dispute(opened[1].id, "buyer")
    office.play(2)

    for row in rows:
        row.refresh_from_db()
    assert [row.status for row in rows] == ["won", "lost", "accepted"]
    assert [row.withdrawn for row in rows] == [Decimal(0), Decimal(20), Decimal(20)]
    assert not any(row.is_parked for row in rows)
    assert "parked" not in office.states()
