"""Money that arrives without a payment intent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from moneyed import Money

from majuu_core.common import clock
from majuu_core.providers import IncomingMoney, ProviderEvent, Trust, Violation, WebhookRejected, WebhookRequest
from majuu_core.testing.harness import ProviderHarness, WebhookKind
from majuu_core.testing.kit import check
from majuu_core.testing.steps import expect

_NEEDS = ("register_incoming",)
_HOSTILE = "=1+1 <b>&'\"; DROP\u202e"


def _provider(harness: ProviderHarness) -> Any:
    return cast(Any, harness.make_provider())


def _seen(text: str) -> str:
    """Without what turns or hides other text, which a provider may take out."""
    return "".join(character for character in text if character.isprintable())


def _money(receipt: str = "UKP7X1A2B3", **fields: Any) -> IncomingMoney:
    """What a customer sends; the receiver is filled in by the harness."""
    told: dict[str, Any] = {"amount": Money(Decimal(250), "KES"), "occurred_at": clock.now().replace(microsecond=0)}
    names = {"account_reference": "1001", "payer_name": "Jane Wanjiru", "payer_phone": "254712345678"}
    return IncomingMoney(**{"receipt": receipt, "receiver": "", **told, **names, **fields})


def _events(harness: ProviderHarness, message: WebhookRequest) -> Sequence[ProviderEvent]:
    _provider(harness).verify_webhook(message)
    events = list(_provider(harness).parse_webhook(message))
    expect(len(events) == 1, f"one message about incoming money gave {len(events)} events")
    return events


def _told(harness: ProviderHarness, money: IncomingMoney) -> IncomingMoney:
    event = _events(harness, harness.incoming(WebhookKind.GOOD, money))[0]
    expect(event.type == "incoming.received" and event.incoming is not None, f"the event is a {event.type}")
    return cast(IncomingMoney, event.incoming)


@check(
    "incoming",
    needs=_NEEDS,
    why="Receipt and amount are what the books and every claim go by.",
    fix="Give an incoming.received event whose ``incoming`` has the receipt and the amount of the message.",
)
def receipt_and_amount_are_told(harness: ProviderHarness) -> None:
    told = _told(harness, _money())
    expect((told.receipt, told.amount) == ("UKP7X1A2B3", Money(250, "KES")), f"it became {told.receipt}, {told.amount}")
    expect(told.occurred_at.utcoffset() is not None, "occurred_at has no time zone")


@check(
    "incoming",
    needs=_NEEDS,
    why="A message that is delivered twice must not be money that arrived twice.",
    fix="Derive the event id from the receipt, never from time or chance.",
)
def event_id_is_the_receipts_own(harness: ProviderHarness) -> None:
    first = _events(harness, harness.incoming(WebhookKind.GOOD, _money()))[0].event_id
    second = _events(harness, harness.incoming(WebhookKind.GOOD, _money()))[0].event_id
    other = _events(harness, harness.incoming(WebhookKind.GOOD, _money("UKP7X1A2B4")))[0].event_id
    expect(first == second, f"one payment gave the event ids {first} and {second}")
    expect(other != first, f"two payments share the event id {first}")


@check(
    "incoming",
    needs=_NEEDS,
    why="The payer types what he likes. It is data, and the shop looks for its order number in it.",
    fix="Hand on what can be seen of account_reference and payer_name as it came: no escaping, no exception.",
)
def hostile_text_survives(harness: ProviderHarness) -> None:
    told = _told(harness, _money(account_reference=_HOSTILE, payer_name=_HOSTILE))
    expect(_seen(told.account_reference) == _seen(_HOSTILE), f"the account reference became {told.account_reference!r}")
    expect(_seen(told.payer_name) == _seen(_HOSTILE), f"the name became {told.payer_name!r}")


@check(
    "incoming",
    needs=_NEEDS,
    why="Whoever forges a confirmation gets goods for nothing.",
    fix="Verify these messages exactly as the others.",
)
def forged_message_is_refused(harness: ProviderHarness) -> None:
    message = harness.incoming(WebhookKind.FORGED, _money())
    try:
        trust = _provider(harness).verify_webhook(message)
    except WebhookRejected:
        return
    expect(trust is not Trust.SIGNED, "a forged message was taken as signed")


@check(
    "incoming",
    needs=_NEEDS,
    why="Money to somebody else's till is not this account's, whoever tells of it.",
    fix="Compare the receiver with the account's own and set at_this_account to False when it is another.",
)
def foreign_receiver_is_noticed(harness: ProviderHarness) -> None:
    told = _told(harness, _money())
    expect(told.at_this_account, f"{told.receiver} is this account's own, but is called foreign")
    message = harness.incoming(WebhookKind.GOOD, _money())
    body = message.body.replace(told.receiver.encode(), b"999999" if told.receiver != "999999" else b"888888")
    try:
        events = list(_provider(harness).parse_webhook(replace(message, body=body)))
    except WebhookRejected:
        return
    foreign = [event.incoming for event in events if event.incoming and event.incoming.at_this_account]
    expect(not foreign, "money to another receiver is called this account's")


@check(
    "incoming",
    needs=_NEEDS,
    why="The customer stands at the till: unless somebody objects, the money is welcome.",
    fix="Answer None with what the provider takes for yes, and an objection with something else.",
)
def check_is_accepted_by_default(harness: ProviderHarness) -> None:
    asked = _provider(harness).read_incoming_check(harness.incoming_check(_money()))
    expect(asked.amount == Money(250, "KES"), f"the question about 250 KES was read as {asked.amount}")
    accepted = _provider(harness).incoming_check_response(None)
    refused = _provider(harness).incoming_check_response(Violation(code="no", message="No."))
    expect(200 <= accepted.status < 300, f"an accepted check is answered with {accepted.status}")
    expect(accepted.body != refused.body, "yes and no are the same answer")
