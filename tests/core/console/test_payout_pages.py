"""The inbox of payouts: whoever asked for one is told that somebody else decides, and whoever decides can."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.common import clock
from majuu_core.console.cells import address_of
from majuu_core.payments.models import Payout, PayoutBatch, ProviderCall
from majuu_core.payments.payout_sending import send_due_payouts
from majuu_core.payments.payouts import create_payout
from majuu_core.testing.people import sign_in
from tests.core.console.test_details import text_of
from tests.core.console.world import World, make_staff
from tests.core.payments.payout_support import Paymaster

pytestmark = pytest.mark.django_db
LIST = "/console/majuu_payments/payout/"
MAY = ("majuu_payments.view_payout", "majuu_payments.change_payout", "majuu_payments.view_payoutbatch")


def signed_in(user: Any) -> Client:
    client = Client()
    sign_in(client, user)
    return client


@pytest.fixture
def paymaster(db: None, virtual_clock: Any) -> Paymaster:
    return Paymaster()


@pytest.fixture
def maker() -> Any:
    return make_staff(*MAY)


@pytest.fixture
def checker() -> Any:
    return make_staff(*MAY)


@pytest.fixture
def waiting(paymaster: Paymaster, maker: Any) -> Payout:
    with acting_as(Actor(type="user", id=str(maker.pk))):
        return create_payout(store=paymaster.store, livemode=False, details=paymaster.details("60000"))


def press(client: Client, payout: Payout | PayoutBatch, action: str, **fields: str) -> Any:
    return client.post(f"{address_of(payout).removesuffix('change/')}{action}/", fields, follow=True)


def test_the_inbox_shows_what_waits_and_who_asked(waiting: Payout, maker: Any, checker: Any) -> None:
    text = text_of(signed_in(checker).get(LIST + "?status__exact=requires_approval"))
    for part in ("To approve", "SAL-1", "60,000.00", maker.get_username()):
        assert part in text


def test_the_maker_sees_that_somebody_else_decides(waiting: Payout, maker: Any) -> None:
    page = text_of(signed_in(maker).get(address_of(waiting)))
    assert "You asked for it yourself, so somebody else has to decide." in page
    assert "Approve" not in page.split("Approval")[0]
    for action in ("approve", "refuse"):
        answer = press(signed_in(maker), waiting, action, reason="because")
        assert "Somebody else has to do this: you asked for it yourself." in text_of(answer)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.approved_by) == ("requires_approval", "")


def test_another_person_approves(waiting: Payout, maker: Any, checker: Any) -> None:
    client = signed_in(checker)
    assert "You did not ask for it, so you may decide." in text_of(client.get(address_of(waiting)))
    assert "Approved. The money is sent within seconds." in text_of(press(client, waiting, "approve"))
    send_due_payouts()
    page = text_of(client.get(address_of(waiting)))
    assert all(part in page for part in (maker.get_username(), checker.get_username(), "Succeeded"))
    assert AuditEntry.objects.get(action="payout.approved").actor_id == str(checker.pk)


def test_another_person_refuses_and_says_why(waiting: Payout, checker: Any) -> None:
    client = signed_in(checker)
    assert "Say why" in text_of(press(client, waiting, "refuse"))
    assert "Refused. Nothing is sent." in text_of(press(client, waiting, "refuse", reason="Wrong number"))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_message) == ("canceled", "Refused: Wrong number")


def test_the_maker_takes_it_back(waiting: Payout, maker: Any) -> None:
    assert "Canceled. Nothing is sent." in text_of(press(signed_in(maker), waiting, "cancel"))
    waiting.refresh_from_db()
    assert waiting.status == "canceled"


@pytest.mark.parametrize("action", ["approve", "refuse", "cancel", "ask"])
def test_looking_is_not_deciding(waiting: Payout, action: str) -> None:
    """Given staff who may look only, then every decision is refused and nothing changes; nor does a GET."""
    viewer, strong = signed_in(make_staff("majuu_payments.view_payout")), signed_in(make_staff(*MAY))
    address = f"{address_of(waiting).removesuffix('change/')}{action}/"
    assert viewer.post(address, {"reason": "because"}).status_code == 403
    assert strong.get(address).status_code == 405
    assert "Who decides" in text_of(viewer.get(address_of(waiting)))
    waiting.refresh_from_db()
    assert waiting.status == "requires_approval"


def test_an_open_payout_can_be_asked_about(paymaster: Paymaster, virtual_clock: Any, checker: Any) -> None:
    payout = paymaster.send("7721")
    virtual_clock.advance(6)
    assert "The payout is now: Succeeded." in text_of(press(signed_in(checker), payout, "ask"))


def test_the_timeline_tells_everything(paymaster: Paymaster, virtual_clock: Any, superuser_client: Client) -> None:
    """Given a payout with a call and a message, then both stand in its timeline, beside bookings, events and audit."""
    payout = paymaster.send("7721")
    ProviderCall.objects.create(
        provider_account=paymaster.account,
        about=payout.public_id,
        operation="b2c_payment",
        method="POST",
        url="https://provider.example/pay",
        status=200,
        started_at=clock.now(),
        duration_ms=81,
    )
    virtual_clock.advance(6)
    paymaster.deliver(payout)
    page = text_of(superuser_client.get(address_of(payout)))
    for part in (
        *("Asked the provider: b2c_payment", "The provider told us: webhook", "Booked: payout hold", "Booked: payout"),
        *("Event payout.created", "Event payout.succeeded", "Payout asked for", "Payout succeeded"),
    ):
        assert part in page


@pytest.mark.parametrize("what", ["id", "reference", "provider_reference"])
def test_a_payout_is_found(paymaster: Paymaster, superuser_client: Client, what: str) -> None:
    found, other = paymaster.send("1500", "FIND-ME"), paymaster.send("1600", "NOT-ME")
    term = {"id": found.public_id, "reference": "FIND-ME", "provider_reference": found.provider_reference or ""}[what]
    page = superuser_client.get(LIST, {"q": term}).content.decode()
    assert address_of(found) in page
    assert address_of(other) not in page


def test_a_batch_is_approved_as_a_whole(world: World, checker: Any) -> None:
    batch = world.batches[0]
    client = signed_in(checker)
    page = text_of(client.get(address_of(batch)))
    assert all(part in page for part in ("2 wait", "Approve 2 payouts", "80,000.00", "SAL-1A", "SAL-1B"))
    assert "2 payouts approved." in text_of(press(client, batch, "approve"))
    assert set(batch.payouts.values_list("status", flat=True)) == {"pending"}
    assert "Nothing waits." in text_of(client.get(address_of(batch)))


def test_whoever_uploaded_a_batch_does_not_approve_it(world: World, maker: Any) -> None:
    batch = world.batches[0]
    PayoutBatch.objects.update(created_by=f"user:{maker.pk}")
    client = signed_in(maker)
    page = text_of(client.get(address_of(batch)))
    assert "You uploaded it yourself, so somebody else has to decide." in page
    assert "Approve 2" not in page
    assert "Somebody else has to do this" in text_of(press(client, batch, "approve"))
    assert press(signed_in(make_staff("majuu_payments.view_payoutbatch")), batch, "approve").status_code == 403
    assert set(batch.payouts.values_list("status", flat=True)) == {"requires_approval"}


def test_results_are_downloaded(world: World, checker: Any) -> None:
    batch = world.batches[0]
    address = reverse("console:majuu_payments_payoutbatch_results", args=[batch.public_id])
    answer: Any = signed_in(checker).get(address)
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["reference"], row["amount"]) for row in rows] == [("SAL-1A", "40000.00"), ("SAL-1B", "40000.00")]
    assert signed_in(make_staff("majuu_payments.view_payoutbatch")).get(address).status_code == 403


def test_the_home_page_counts_what_waits(waiting: Payout, superuser_client: Client) -> None:
    Payout.objects.update(is_parked=True)
    text = text_of(superuser_client.get("/console/"))
    assert "1 Payouts to approve" in text
    assert "1 Parked payouts" in text


def test_a_list_of_twenty_costs_as_many_queries_as_of_one(paymaster: Paymaster, superuser_client: Client) -> None:
    paymaster.send("1500", "R0")
    superuser_client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        superuser_client.get(LIST)
    for number in range(19):
        paymaster.send("1500", f"S{number}")
    with CaptureQueriesContext(connection) as twenty:
        superuser_client.get(LIST)
    assert len(one) == len(twenty)
