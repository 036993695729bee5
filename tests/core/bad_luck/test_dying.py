"""A process that dies at any point: no second prompt, no lost money, and those who come after finish the work."""

from __future__ import annotations

from decimal import Decimal

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.events.models import Event
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundEvent, InboundWebhook
from tests.core.bad_luck.deaths import ASKING, CONFIRMING, HEARING, WORKING, Killed, Point, instead_of, killed_at
from tests.core.bad_luck.support import Counterdesk, Phone, deliver

SLOW = "7721"  # asks for five seconds, then paid
AMOUNT = Decimal(SLOW)
BEFORE_ANYTHING = {"before the charge is written", "inside the first transaction"}
NEVER_SENT = {"after the first transaction", "before the call"}

pytestmark = pytest.mark.django_db


def paid_once(desk: Counterdesk) -> bool:
    """Everything about one payment, written exactly once."""
    charge, intent = Charge.objects.get(), PaymentIntent.objects.get()
    types = sorted(Event.objects.filter(type__endswith=".succeeded").values_list("type", flat=True))
    assert (charge.status, intent.status) == ("succeeded", "succeeded")
    assert types == ["charge.succeeded", "payment_intent.succeeded"]
    assert desk.books() == {"provider_clearing": (AMOUNT, Decimal(0)), "store_payable": (AMOUNT, Decimal(0))}
    return True


@pytest.mark.parametrize("point", CONFIRMING, ids=str)
def test_dying_while_a_customer_pays(desk: Counterdesk, virtual_clock: VirtualClock, point: Point) -> None:
    """The shop sends its request again; the callback comes; the worker goes on."""
    intent = desk.intent(SLOW)
    with killed_at(point) as deaths:
        desk.start(intent, request_key="the-request")
    assert deaths == [point.name]
    died_with = Charge.objects.count()
    assert died_with == (0 if point.name in BEFORE_ANYTHING else 1)

    intent.refresh_from_db()
    charge = desk.start(intent, request_key="the-request")
    assert Charge.objects.count() == 1
    if point.name in NEVER_SENT:
        # Nobody can know that it was never sent. It is asked about, then a person looks; no prompt rings meanwhile.
        desk.live_on(virtual_clock)
        charge.refresh_from_db()
        assert (charge.status, charge.is_parked, dict(Phone.prompts)) == ("unknown", True, {})
        assert desk.books()["store_payable"] == (Decimal(0), AMOUNT)
        return
    virtual_clock.advance(5)
    deliver(charge, desk.letter(charge))
    desk.live_on(virtual_clock, 600)
    assert dict(Phone.prompts) == {charge.public_id: 1}
    assert paid_once(desk)


@pytest.mark.parametrize("point", CONFIRMING, ids=str)
def test_dying_while_a_customer_pays_and_nobody_sends_again(
    desk: Counterdesk, virtual_clock: VirtualClock, point: Point
) -> None:
    """No repetition, no callback: the charge ends final, or parked before a person; nothing is booked on suspicion."""
    with killed_at(point):
        desk.start(desk.intent(SLOW))
    desk.live_on(virtual_clock)
    for charge in Charge.objects.all():
        known = charge.provider_reference is not None
        assert known == (point.name == "after the second transaction")
        assert (charge.status, charge.is_parked) == (("succeeded", False) if known else ("unknown", True))
    assert sum(Phone.prompts.values()) <= 1


@pytest.mark.parametrize("point", ASKING, ids=str)
def test_dying_while_asking(desk: Counterdesk, virtual_clock: VirtualClock, point: Point) -> None:
    charge = desk.start(desk.intent(SLOW))
    virtual_clock.advance(10)
    with killed_at(point) as deaths:
        run_due_follow_ups()
    assert deaths == [point.name]
    finished = point.name == "after the transaction"
    assert run_due_follow_ups() == 0  # its lease keeps others away for a minute
    virtual_clock.advance(60)
    assert run_due_follow_ups() == (0 if finished else 1)
    assert paid_once(desk)
    assert dict(Phone.prompts) == {charge.public_id: 1}


@pytest.mark.parametrize("point", WORKING, ids=str)
def test_dying_while_working_on_a_message(desk: Counterdesk, virtual_clock: VirtualClock, point: Point) -> None:
    charge = desk.start(desk.intent(SLOW))
    Charge.objects.update(follow_up_at=None)  # the message alone must do it
    virtual_clock.advance(5)
    deliver(charge, desk.letter(charge))
    with killed_at(point):
        process_waiting()
    inbound = InboundWebhook.objects.get()
    assert inbound.state in ("received", "applied")
    virtual_clock.advance(60)
    process_waiting()
    inbound.refresh_from_db()
    assert (inbound.state, inbound.next_attempt_at, InboundEvent.objects.count()) == ("applied", None, 1)
    assert paid_once(desk)


@pytest.mark.parametrize("point", HEARING, ids=str)
def test_dying_while_a_signed_message_comes_in(desk: Counterdesk, virtual_clock: VirtualClock, point: Point) -> None:
    """What was not kept was not answered: the provider sends it again."""
    desk.method, desk.account = "mock", desk.signed_account
    charge = desk.start(desk.intent(SLOW))
    virtual_clock.advance(5)
    letter = desk.letter(charge)
    with killed_at(point):
        deliver(charge, letter)
    deliver(charge, letter)
    virtual_clock.advance(60)
    process_waiting()
    assert paid_once(desk)
    states = sorted(InboundWebhook.objects.values_list("state", flat=True))
    assert states in (["applied"], ["applied", "duplicate"])
    assert InboundEvent.objects.count() == 1


def test_a_message_that_was_applied_but_not_closed_ends_as_applied(
    desk: Counterdesk, virtual_clock: VirtualClock
) -> None:
    """Two workers had the same message, because the first was slower than its lease."""
    charge = desk.start(desk.intent(SLOW))
    virtual_clock.advance(5)
    deliver(charge, desk.letter(charge))

    def also(real: object, *args: object, **kwargs: object) -> object:
        virtual_clock.advance(61)
        result = real(*args, **kwargs)  # type: ignore[operator]
        if InboundWebhook.objects.filter(state="received").exists() and not seen:
            seen.append(1)
            process_waiting()
        return result

    seen: list[int] = []
    with instead_of("majuu_core.webhooks.inbound_processing", "ask", also):
        process_waiting()
    assert seen == [1]
    inbound = InboundWebhook.objects.get()
    assert (inbound.state, InboundEvent.objects.count()) == ("applied", 1)
    assert paid_once(desk)


def test_a_death_is_no_exception() -> None:
    """What is proved here rests on it."""
    assert not issubclass(Killed, Exception)
