"""Messages nobody should send: wrong content at the right address, in every wrong form. None is lost, none believed."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import open_credentials
from majuu_core.payments.addresses import account_callback_url, charge_callback_url
from majuu_core.payments.models import Charge
from majuu_core.providers import NotSent, Result, ResultStatus
from majuu_core.testing.factories import make_provider_account
from majuu_core.webhooks.inbound_processing import RETRY_SECONDS, process_waiting
from majuu_core.webhooks.models import InboundWebhook
from tests.core.bad_luck.support import Counterdesk, Phone, deliver

pytestmark = pytest.mark.django_db
SLOW = "7721"


def states() -> list[str]:
    return list(InboundWebhook.objects.order_by("received_at", "id").values_list("state", flat=True))


def untouched(charge: Charge, desk: Counterdesk) -> None:
    """The message changed nothing about the payment."""
    before = (charge.status, charge.provider_reference, charge.receipt, charge.follow_up_at)
    charge.refresh_from_db()
    assert (charge.status, charge.provider_reference, charge.receipt, charge.follow_up_at) == before
    assert desk.books()["store_payable"] == (Decimal(0), charge.amount.amount)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"true",
        b"7",
        b'"text"',
        b"[]",
        b'[{"id": "x"}]',
        b"{",
        b'{"id": 1e999999999}',
        b'{"id": NaN}',
        b"\x00",
        b"\xff\xfe",
        b'{"id": "\\ud800"}',
        b'{"id": "a", "id": "b"}',
        b"[" * 100_000,
        b'{"id": "' + b"9" * 200_000 + b'"}',
        b"x" * 1_048_576,
        json.dumps([{"id": str(number)} for number in range(40_000)]).encode(),
    ],
    ids=lambda body: f"{body[:12]!r}*{len(body)}",
)
def test_a_body_of_any_kind_is_kept_and_rejected(desk: Counterdesk, body: bytes) -> None:
    charge = desk.start(desk.intent(SLOW))
    provider_says = desk.letter(charge)
    signed = _resigned(provider_says, body)
    answer = deliver(charge, signed, body=body)
    process_waiting()
    inbound = InboundWebhook.objects.get()
    assert answer.status_code == 400
    assert (inbound.state, bool(inbound.reason), inbound.charge_id) == ("rejected", True, charge.pk)
    assert len(inbound.body) <= 256 * 1024
    untouched(charge, desk)


def _resigned(request: Any, body: bytes) -> Any:
    """The very body, signed as the provider would: what is refused is what it says, not who says it."""
    stamp = request.headers["mock-timestamp"]
    signature = hmac.new(_secret().encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return replace(request, body=body, headers={**request.headers, "mock-signature": signature})


def _secret() -> str:
    account = ProviderAccount.objects.get(provider="phone")
    return str(open_credentials(account).secret.get_secret_value())  # type: ignore[attr-defined]


def test_a_reference_the_provider_does_not_know_is_not_believed(desk: Counterdesk, virtual_clock: VirtualClock) -> None:
    """The answer to the prompt was lost, so no reference is known; an invented one must not take its place."""
    Phone.answer = Exception("lost")
    charge = desk.start(desk.intent(SLOW))
    assert (charge.status, charge.provider_reference) == ("unknown", None)
    good = desk.letter(charge)
    payload = json.loads(good.body)
    payload |= {"id": "mockevt_invented", "provider_reference": "invented"}
    Phone.truth = lambda result: Result(status=ResultStatus.PENDING)
    invented = json.dumps(payload).encode()
    deliver(charge, _resigned(good, invented), body=invented)
    process_waiting()
    charge.refresh_from_db()
    assert charge.provider_reference is None
    assert states() == ["received"]

    virtual_clock.advance(5)
    Phone.truth = None
    true = desk.letter(charge)
    deliver(charge, true)
    process_waiting()
    charge.refresh_from_db()
    assert (charge.status, charge.provider_reference) == ("succeeded", json.loads(true.body)["provider_reference"])
    virtual_clock.advance(60)
    process_waiting()
    assert states() == ["parked", "applied"]


def test_a_reference_the_provider_confirms_is_kept_for_later_questions(
    desk: Counterdesk, virtual_clock: VirtualClock
) -> None:
    Phone.answer = Exception("lost")
    charge = desk.start(desk.intent(SLOW))
    letter = desk.letter(charge)
    deliver(charge, letter)
    process_waiting()
    charge.refresh_from_db()
    assert charge.provider_reference == json.loads(letter.body)["provider_reference"]
    assert states() == ["received"]


def test_a_failure_that_is_none_but_names_another_charge_is_parked(
    desk: Counterdesk, virtual_clock: VirtualClock
) -> None:
    """It came to the address of a charge whose reference is unknown, and names the paid one of another."""
    paid = desk.start(desk.intent("100"))
    Phone.answer = Exception("lost")
    charge = desk.start(desk.intent(SLOW))
    assert (paid.status, charge.status) == ("succeeded", "unknown")
    payload = json.loads(desk.letter(charge).body)
    payload |= {"id": "mockevt_2", "status": "failed", "failure_code": "declined"}
    payload["provider_reference"] = paid.provider_reference
    body = json.dumps(payload).encode()
    deliver(charge, _resigned(desk.letter(charge), body), body=body)
    process_waiting()
    charge.refresh_from_db()
    assert (charge.status, charge.provider_reference) == ("unknown", None)
    inbound = InboundWebhook.objects.get()
    assert (inbound.state, "belongs to another charge" in inbound.reason) == ("parked", True)


def test_a_message_about_one_charge_at_the_address_of_another_is_parked(
    desk: Counterdesk, virtual_clock: VirtualClock
) -> None:
    desk.method, desk.account = "mock", desk.signed_account
    first, second = desk.start(desk.intent(SLOW)), desk.start(desk.intent(SLOW))
    virtual_clock.advance(5)
    assert deliver(second, desk.letter(first)).status_code == 200
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status, states()) == ("pending", "pending", ["parked"])
    assert second.public_id in InboundWebhook.objects.get().reason


def test_an_unknown_reference_at_the_address_of_an_account_is_parked_and_visible(
    desk: Counterdesk, virtual_clock: VirtualClock
) -> None:
    charge = desk.start(desk.intent(SLOW))
    payload = json.loads(desk.letter(charge).body) | {"reference": f"ch_{'0' * 26}", "provider_reference": "mock_x"}
    body = json.dumps(payload).encode()
    deliver(charge, _resigned(desk.letter(charge), body), body=body, url=account_callback_url(desk.account.pk))
    process_waiting()
    inbound = InboundWebhook.objects.get()
    assert (inbound.state, "mock_x" in inbound.reason) == ("parked", True)
    untouched(charge, desk)


def test_a_message_for_the_charge_of_another_account_is_parked(desk: Counterdesk, virtual_clock: VirtualClock) -> None:
    charge = desk.start(desk.intent(SLOW))
    letter = desk.letter(charge)
    same_secret = _secret()
    stranger = make_provider_account(provider="phone", credentials={"secret": same_secret})
    answer = deliver(charge, letter, url=account_callback_url(stranger.pk))
    process_waiting()
    assert (answer.status_code, states()) == (200, ["parked"])
    untouched(charge, desk)


@pytest.mark.parametrize("make", [charge_callback_url, account_callback_url])
def test_an_address_of_something_that_does_not_exist_is_nothing(
    desk: Counterdesk, make: Callable[[uuid.UUID], str]
) -> None:
    charge = desk.start(desk.intent(SLOW))
    assert deliver(charge, desk.letter(charge), url=make(uuid.uuid4())).status_code == 404
    assert states() == []
    untouched(charge, desk)


def test_odd_bytes_in_the_address_are_kept_out_of_the_database(desk: Counterdesk) -> None:
    charge = desk.start(desk.intent(SLOW))
    url = charge_callback_url(charge.pk) + "?a%00b=c%00d&e=%ff"
    answer = Client(raise_request_exception=False).post(
        url.removeprefix("http://testserver"), b"{}", content_type="application/json"
    )
    assert (answer.status_code, states()) == (400, ["rejected"])
    assert "\x00" not in json.dumps(InboundWebhook.objects.get().query)
    untouched(charge, desk)


def test_a_message_for_a_provider_that_cannot_be_used_is_parked(desk: Counterdesk) -> None:
    """The package was uninstalled, or the key that opens the credentials is gone."""
    charge = desk.start(desk.intent(SLOW))
    letter = desk.letter(charge)
    ProviderAccount.objects.filter(pk=desk.account.pk).update(credentials="v1.unreadable")
    assert deliver(charge, letter).status_code == 200
    inbound = InboundWebhook.objects.get()
    assert (inbound.state, bool(inbound.reason), bytes(inbound.body)) == ("parked", True, letter.body)
    untouched(charge, desk)


def test_a_message_that_can_never_be_worked_on_is_parked_in_the_end(
    desk: Counterdesk, virtual_clock: VirtualClock
) -> None:
    charge = desk.start(desk.intent(SLOW))
    deliver(charge, desk.letter(charge))
    Phone.truth = NotSent("the provider is away")
    for _ in range(len(RETRY_SECONDS) + 2):
        virtual_clock.advance(3600)
        process_waiting()
    inbound = InboundWebhook.objects.get()
    assert (inbound.state, inbound.attempts) == ("parked", len(RETRY_SECONDS) + 1)
    untouched(charge, desk)


def test_a_claimed_amount_is_compared_and_never_booked(desk: Counterdesk, virtual_clock: VirtualClock) -> None:
    charge = desk.start(desk.intent(SLOW))
    virtual_clock.advance(5)
    Phone.truth = lambda result: Result(status=result.status, provider_reference=result.provider_reference)
    letter = desk.letter(charge)
    lie = letter.body.replace(b'"7721.00"', b'"9000000.00"')
    assert lie != letter.body
    deliver(charge, _resigned(letter, lie), body=lie)
    process_waiting()
    charge.refresh_from_db()
    assert (charge.status, charge.is_parked, charge.amount_received) == ("succeeded", False, Money(7721, "KES"))
    assert states() == ["parked"]
    assert desk.books() == {
        "provider_clearing": (Decimal(7721), Decimal(0)),
        "store_payable": (Decimal(7721), Decimal(0)),
    }
