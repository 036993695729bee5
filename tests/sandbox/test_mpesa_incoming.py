"""Money that customers send by themselves (C2B), from the simulated Daraja's letters to books that agree with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from majuu_core.common.problems import Conflict
from majuu_core.payments.incoming_pull import pull_all
from majuu_core.payments.models import Claim, IncomingPayment, ProviderCall
from majuu_core.plugins import hookimpl
from majuu_core.providers import Violation
from majuu_core.webhooks.models import InboundWebhook
from majuu_sim.daraja import SANDBOX_SHORTCODE
from tests.core.payments.incoming_support import claim
from tests.sandbox.daraja_office import CUSTOMER, TILL, Office, letters_of

NOTHING = {"clearing": Decimal(0), "unclaimed": Decimal(0), "store": Decimal(0)}
OpenOffice = Callable[..., Office]


def books(clearing: int, unclaimed: int, store: int) -> dict[str, Decimal]:
    return {"clearing": Decimal(clearing), "unclaimed": Decimal(unclaimed), "store": Decimal(store)}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_paybill_payment_pays_the_intent_it_names(open_office: OpenOffice, version: str) -> None:
    """Given an open order, when its number is typed at the paybill, then it is paid once Daraja confirms it."""
    office = open_office(account={"c2b_version": version})
    office.register()
    assert [one.version for one in office.sim.registrations()] == [version]
    intent = office.intent()
    receipt = office.customer_pays()

    office.deliver(office.wait(1))
    incoming = office.the_money()
    assert (incoming.receipt, incoming.verified_by, incoming.ownership) == (receipt, "", "unclaimed")
    assert office.books() == books(1500, 1500, 0)
    assert ProviderCall.objects.filter(about=incoming.public_id).exists()
    office.play()

    incoming.refresh_from_db()
    intent.refresh_from_db()
    assert (incoming.verified_by, incoming.ownership, incoming.payment_intent_id) == ("question", "claimed", intent.pk)
    assert (intent.status, intent.amount_received.amount) == ("succeeded", Decimal(1500))
    assert office.books() == books(1500, 0, 1500)
    assert office.books()["clearing"] == office.moved()
    assert bool(incoming.payer_phone_hash) is (version == "v1")
    assert bool(incoming.payer_phone_masked) is (version == "v2")


def test_a_till_payment_is_claimed_for_an_intent(open_office: OpenOffice) -> None:
    """Given a till, which takes no account number, then the money waits, and pays what it is claimed for."""
    office = open_office(account=TILL)
    office.register()
    intent = office.intent("900")
    receipt = office.sim.pay_till(CUSTOMER, TILL["till_number"], 900).receipt
    office.play()
    incoming = office.the_money()
    assert (incoming.channel, incoming.receiver, incoming.verified_by) == ("till", "600101", "question")
    assert office.books() == books(900, 900, 0)

    made = claim(office.store, receipt, payment_intent=intent.public_id)

    intent.refresh_from_db()
    assert (made.method, intent.status) == (Claim.Method.MANUAL, "succeeded")
    assert office.books() == books(900, 0, 900)
    assert office.moved() == Decimal(900)


def test_nobody_gets_money_before_daraja_confirms_it(office: Office) -> None:
    """Given a confirmation whose receipt Daraja has not been heard about, then a claim is refused."""
    office.register()
    receipt = office.customer_pays(account="who knows")
    office.deliver(office.wait(1))

    with pytest.raises(Conflict) as refused:
        claim(office.store, receipt)

    assert refused.value.code == "incoming_payment_unverified"
    assert (Claim.objects.count(), office.books()) == (0, books(1500, 1500, 0))
    office.play()
    claim(office.store, receipt)
    assert office.books() == books(1500, 0, 1500)


def test_a_forged_confirmation_is_refuted(office: Office) -> None:
    """Given a confirmation of a payment nobody made, when Daraja is asked, then it is refuted; the books are empty."""
    office.register()
    intent = office.intent()
    office.sim.forge_confirmation(SANDBOX_SHORTCODE, amount=1500, account="ORDER-1001")

    office.play()

    incoming = office.the_money()
    intent.refresh_from_db()
    assert (incoming.status, incoming.ownership, incoming.verified_at) == ("refuted", "unclaimed", None)
    assert (intent.status, intent.amount_received.amount) == ("requires_payment_method", Decimal(0))
    assert (office.books(), office.moved()) == (NOTHING, Decimal(0))


def test_a_forged_amount_is_corrected(office: Office) -> None:
    """Given a real payment whose confirmation names another amount, then the books follow the provider."""
    office.register()
    office.customer_pays(account="x", script={"event_amount": "9000"})

    office.play()

    assert office.the_money().amount.amount == Decimal(1500)
    assert office.books() == books(1500, 1500, 0)


def test_a_lost_confirmation_is_found_by_pulling(open_office: OpenOffice) -> None:
    """Given a nominated number and a confirmation that never came, when the list is pulled, then the order is paid."""
    office = open_office(account={"nominated_number": "0722000000"})
    office.register()
    intent = office.intent()
    receipt = office.customer_pays(script="lost")
    office.play()
    assert not IncomingPayment.objects.exists()

    assert pull_all() == 1

    office.play()
    incoming = office.the_money()
    intent.refresh_from_db()
    assert (incoming.receipt, incoming.source, incoming.verified_by) == (receipt, "pull", "pull")
    assert (intent.status, office.books()) == ("succeeded", books(1500, 0, 1500))
    assert (pull_all(), office.books()["clearing"]) == (0, office.moved())


def test_a_repeated_confirmation_counts_once(office: Office) -> None:
    """Given a confirmation that comes three times, also after the money was given away, then it is booked once."""
    office.register()
    office.intent()
    office.customer_pays(script="duplicate")
    letters = office.wait(5)
    assert len(letters_of(letters, "TransID")) == 2
    office.deliver(letters)
    office.play()

    office.deliver(letters[:1])

    assert office.states().count("duplicate") == 2
    assert office.books() == books(1500, 0, 1500)


def test_a_confirmation_for_another_shortcode_is_parked(office: Office) -> None:
    """Given a confirmation that names a shortcode of somebody else, then a person sees it, and nothing is booked."""
    office.register()
    office.customer_pays(script="wrong_shortcode")

    office.play()

    message = InboundWebhook.objects.get()
    assert (message.state, message.reason) == ("parked", "It went to 600999, which is not this account's.")
    assert (IncomingPayment.objects.count(), office.books()) == (0, NOTHING)


class Doorkeeper:
    """Takes money for known accounts only."""

    @hookimpl
    def validate_incoming_payment(self, provider_account: Any, incoming: Any) -> list[Violation]:
        if incoming.account_reference == "ORDER-1001":
            return []
        return [Violation(code="C2B00012", message="No such account.")]


def asked(office: Office, account: str) -> tuple[str, str]:
    """What is answered to Daraja's question, and how the customer's payment ends by that."""
    receipt = office.customer_pays(account=account)
    [question] = office.wait(1)
    assert question[0].endswith("/check")
    [said] = office.receive([question])
    ended = office.sim.answer_validation(receipt, said["ResultCode"])
    office.deliver(office.wait(1))
    return said["ResultCode"], ended.state


def test_money_is_welcome_unless_somebody_objects(office: Office, temporary_plugin: Any) -> None:
    """Given validation, then all is taken; with a plugin that objects, its code decides, and no money moves."""
    office.register()
    office.sim.set_validation(SANDBOX_SHORTCODE)
    assert asked(office, "anything") == ("0", "completed")
    temporary_plugin(Doorkeeper())

    assert asked(office, "ORDER-9999") == ("C2B00012", "rejected")
    assert asked(office, "ORDER-1001") == ("0", "completed")

    office.play()
    assert IncomingPayment.objects.count() == 2
    assert office.books() == books(3000, 3000, 0)
    assert office.moved() == Decimal(3000)


def test_the_refusal_reaches_the_customer_over_http(
    live_server: Any, open_office: OpenOffice, temporary_plugin: Any
) -> None:
    """Given Daraja asking our own server, then its answer is in time, and the customer keeps the money or pays."""
    office = open_office(url=live_server.url.replace("localhost", "127.0.0.1"))
    office.register()
    office.sim.set_validation(SANDBOX_SHORTCODE)
    temporary_plugin(Doorkeeper())

    refused = office.sim.pay_paybill(CUSTOMER, SANDBOX_SHORTCODE, 700, "ORDER-7")
    taken = office.sim.pay_paybill(CUSTOMER, SANDBOX_SHORTCODE, 800, "ORDER-1001")

    assert (refused.state, refused.result, taken.state) == ("rejected", "C2B00012", "completed")
    assert [one.receipt for one in office.sim.movements()] == [taken.receipt]
    check, _, notice = InboundWebhook.objects.order_by("pk")
    assert (check.state, check.reason) == ("applied", "Asked before the payment: refused, C2B00012: No such account.")
    assert (notice.topic, json.loads(bytes(notice.body))["TransID"]) == ("notice", taken.receipt)
    office.play()
    assert office.books() == books(800, 800, 0)
