"""The database goes away in the middle of a payment. What was committed is enough for the next process to finish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error, connection

from majuu_core.common.clock import VirtualClock
from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.testing.factories import make_api_key
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundEvent, InboundWebhook
from tests.core.api.support import Shop
from tests.core.bad_luck.deaths import ASKING, CONFIRMING, WORKING, Point, instead_of
from tests.core.bad_luck.support import Counterdesk, Phone, Plugin, deliver

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
SLOW = "7721"
AMOUNT = Decimal(SLOW)


@pytest.fixture
def desk(
    transactional_db: None, virtual_clock: VirtualClock, temporary_plugin: Callable[[object], object]
) -> Iterator[Counterdesk]:
    """As everywhere here, but with real commits: a connection that is cut takes its transaction with it."""
    temporary_plugin(Plugin())
    Phone.prompts.clear()
    Phone.answer = Phone.truth = None
    yield Counterdesk()
    connection.close()
    assert list(find_problems()) == []


@contextmanager
def cut_at(point: Point) -> Iterator[list[str]]:
    """The server ends our connection when we first come to the point, as at a restart of PostgreSQL."""
    cuts: list[str] = []

    def cut(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if point.after:
            result = real(*args, **kwargs)
            _cut(cuts)
            return result
        _cut(cuts)
        return real(*args, **kwargs)

    with instead_of(point.module, point.function, cut):
        yield cuts


def _cut(cuts: list[str]) -> None:
    if cuts:
        return
    cuts.append("cut")
    own = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [own])
    other.close()


def next_process() -> None:
    """What a new request, or the supervisor of the worker, does first."""
    connection.close()


def paid_once(desk: Counterdesk) -> None:
    charge, intent = Charge.objects.get(), PaymentIntent.objects.get()
    assert (charge.status, intent.status) == ("succeeded", "succeeded")
    assert desk.books() == {"provider_clearing": (AMOUNT, Decimal(0)), "store_payable": (AMOUNT, Decimal(0))}
    assert dict(Phone.prompts) == {charge.public_id: 1}


@pytest.mark.parametrize("point", CONFIRMING, ids=str)
def test_it_goes_away_while_a_customer_pays(desk: Counterdesk, virtual_clock: VirtualClock, point: Point) -> None:
    """The shop gets its answer, or is told that something went wrong; it sends the same again, and one prompt rang."""
    shop = Shop(make_api_key(store=desk.store).key)
    intent = desk.intent(SLOW)
    path, body = f"/payment-intents/{intent.public_id}/confirm", {"payment_method": "phone"}
    with cut_at(point) as cuts:
        first = shop.post(path, body, Idempotency_Key="the-request")
    assert cuts == ["cut"]
    written_nothing_yet = point.name in {"before the charge is written", "inside the first transaction"}
    assert first.status_code in ((500,) if written_nothing_yet else (200, 500))
    next_process()
    virtual_clock.advance(91)  # a key whose request died is free after a minute and a half
    again = shop.post(path, body, Idempotency_Key="the-request")
    assert again.status_code == 200
    assert Charge.objects.count() == 1
    charge = Charge.objects.get()
    virtual_clock.advance(5)
    assert again.data["latest_charge"]["id"] == charge.public_id
    deliver(charge, desk.letter(charge))
    process_waiting()
    paid_once(desk)
    assert IdempotencyKey.objects.get(key="the-request").state == "finished"


@pytest.mark.parametrize("point", CONFIRMING[5:7], ids=str)
def test_what_the_provider_said_is_written_once_more(
    desk: Counterdesk, virtual_clock: VirtualClock, point: Point
) -> None:
    """given a database that goes away with the answer unwritten / then the same request writes it after all, once."""
    shop = Shop(make_api_key(store=desk.store).key)
    intent = desk.intent(SLOW)
    with cut_at(point) as cuts:
        answer = shop.post(f"/payment-intents/{intent.public_id}/confirm", {"payment_method": "phone"})
    assert (cuts, answer.status_code) == (["cut"], 200)
    charge = Charge.objects.get()
    assert charge.provider_reference
    assert answer.data["latest_charge"]["provider_reference"] == charge.provider_reference
    assert (answer.data["status"], charge.status) == ("processing", "pending")
    assert dict(Phone.prompts) == {charge.public_id: 1}


@pytest.mark.parametrize("point", ASKING, ids=str)
def test_it_goes_away_while_we_ask(desk: Counterdesk, virtual_clock: VirtualClock, point: Point) -> None:
    desk.start(desk.intent(SLOW))
    virtual_clock.advance(10)
    with cut_at(point) as cuts:
        _as_the_worker_does(run_due_follow_ups)
    assert cuts == ["cut"]
    next_process()
    virtual_clock.advance(60)
    run_due_follow_ups()
    paid_once(desk)


@pytest.mark.parametrize("point", WORKING, ids=str)
def test_it_goes_away_while_we_work_on_a_message(desk: Counterdesk, virtual_clock: VirtualClock, point: Point) -> None:
    charge = desk.start(desk.intent(SLOW))
    Charge.objects.update(follow_up_at=None)
    virtual_clock.advance(5)
    assert deliver(charge, desk.letter(charge)).status_code == 200
    with cut_at(point) as cuts:
        _as_the_worker_does(process_waiting)
    assert cuts == ["cut"]
    next_process()
    virtual_clock.advance(60)
    process_waiting()
    assert (InboundWebhook.objects.get().state, InboundEvent.objects.count()) == ("applied", 1)
    paid_once(desk)


@pytest.mark.parametrize("function", ["_build_row", "apply_at_once"])
def test_it_goes_away_while_a_message_comes_in(desk: Counterdesk, virtual_clock: VirtualClock, function: str) -> None:
    """What could not be kept is not answered with a success: the provider sends it again."""
    desk.method, desk.account = "mock", desk.signed_account
    charge = desk.start(desk.intent(SLOW))
    virtual_clock.advance(5)
    letter = desk.letter(charge)
    with cut_at(Point("here", "majuu_core.webhooks.inbound", function)) as cuts:
        first = deliver(charge, letter)
    assert (cuts, first.status_code) == (["cut"], 500)
    next_process()
    assert InboundWebhook.objects.count() == 0
    assert deliver(charge, letter).status_code == 200
    charge.refresh_from_db()
    assert (charge.status, InboundWebhook.objects.get().state) == ("succeeded", "applied")


def _as_the_worker_does(work: Callable[[], int]) -> None:
    """A part of the worker that raises is started again with a new connection."""
    try:
        work()
    except Error:
        next_process()
