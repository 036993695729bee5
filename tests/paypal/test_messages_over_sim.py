"""What the simulated PayPal writes to us: verified here, or by asking, and read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from majuu_core.common.money import Money
from majuu_core.providers import FollowUpRequest, ProviderEvent, ResultStatus, Trust, WebhookRejected, WebhookRequest
from majuu_core.testing.harness import new_reference

pytest.importorskip("majuu_sim.paypal", reason="majuu-sim is not installed")
from tests.paypal.shop import Shop

S = ResultStatus


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


def _one(shop: Shop, event_type: str) -> WebhookRequest:
    shop.wait(2)
    [message] = shop.messages_of(event_type)
    return message


def _read(shop: Shop, event_type: str) -> ProviderEvent:
    message = _one(shop, event_type)
    provider = shop.provider()
    assert provider.verify_webhook(message) is Trust.SIGNED
    [event] = provider.parse_webhook(message)
    assert event.event_id == json.loads(message.body)["id"]
    return event


def test_an_approval_asks_for_completion(shop: Shop) -> None:
    request = shop.payment()
    made = shop.provider().sale(request)
    shop.sim.approve(made.provider_reference or "")

    event = _read(shop, "CHECKOUT.ORDER.APPROVED")

    assert (event.type, event.reference) == ("payment.updated", request.reference)
    assert event.provider_reference == made.provider_reference
    assert (event.result.status, event.result.needs_completion) == (S.PENDING, True)


def test_a_capture_tells_amount_receipt_and_fee(shop: Shop) -> None:
    request, paid = shop.pay()

    event = _read(shop, "PAYMENT.CAPTURE.COMPLETED")

    assert (event.type, event.reference) == ("payment.updated", request.reference)
    assert event.provider_reference == paid.provider_reference
    told = event.result
    assert (told.status, told.amount, told.receipt, told.fee) == (S.SUCCEEDED, paid.amount, paid.receipt, paid.fee)


def test_a_hold_and_its_end(shop: Shop) -> None:
    request, held = shop.hold()
    made = _read(shop, "PAYMENT.AUTHORIZATION.CREATED")
    shop.provider().void(
        FollowUpRequest(
            idempotency_key="v", reference=request.reference, provider_reference=held.provider_reference or ""
        )
    )
    gone = _read(shop, "PAYMENT.AUTHORIZATION.VOIDED")

    assert (made.reference, made.result.status) == (request.reference, S.AUTHORIZED)
    assert made.result.capture_before == held.capture_before
    assert (gone.reference, gone.result.status) == (request.reference, S.CANCELED)


def test_our_refund_is_told_under_its_own_id(shop: Shop) -> None:
    _, paid = shop.pay()
    reference = new_reference("re")
    made = shop.provider().refund(
        FollowUpRequest(
            idempotency_key="r",
            reference=reference,
            provider_reference=paid.provider_reference or "",
            receipt=paid.receipt,
            amount=Money("5.00", "USD"),
        )
    )

    event = _read(shop, "PAYMENT.CAPTURE.REFUNDED")

    assert (event.type, event.reference, event.provider_reference) == (
        "refund.updated",
        reference,
        made.provider_reference,
    )
    assert (event.result.status, event.result.amount) == (S.SUCCEEDED, Money("5.00", "USD"))


def test_a_refund_made_in_the_dashboard_is_told_under_its_charge(shop: Shop) -> None:
    request, paid = shop.pay()
    made = shop.sim.refund(paid.receipt or "", Decimal("3.00"))

    event = _read(shop, "PAYMENT.CAPTURE.REFUNDED")

    assert (event.type, event.reference, event.provider_reference) == ("refund.updated", request.reference, made.id)
    assert (event.result.status, event.result.amount) == (S.SUCCEEDED, Money("3.00", "USD"))


def test_a_refund_that_fails_days_later_is_told(shop: Shop) -> None:
    _, paid = shop.pay()
    reference = new_reference("re")
    wanted = FollowUpRequest(
        idempotency_key="r", reference=reference, provider_reference=paid.provider_reference or "", receipt=paid.receipt
    )
    made = shop.provider().refund(wanted)
    shop.sim.end_refund(made.provider_reference or "", "FAILED")

    event = _read(shop, "PAYMENT.REFUND.FAILED")

    assert (made.status, event.result.status, event.reference) == (S.SUCCEEDED, S.FAILED, reference)


def test_payments_of_another_shop_on_the_account_are_nothing_to_us(shop: Shop) -> None:
    _, paid = shop.pay()
    body = _one(shop, "PAYMENT.CAPTURE.COMPLETED").body
    document = json.loads(body)
    for custom in ("basket-17", "", "re_nothing", None):
        document["resource"]["custom_id"] = custom
        message = replace(shop.messages()[0], body=json.dumps(document).encode())

        assert shop.provider().parse_webhook(message) == []
    assert paid.status is S.SUCCEEDED


@pytest.mark.parametrize(
    "shape",
    [
        *("other_certificate", "other_host", "wrong_name", "expired_certificate", "other_webhook", "bad_signature"),
        *("reserialised", "unsigned"),
    ],
)
@pytest.mark.parametrize("how", ["offline", "online"])
def test_what_is_not_paypals_is_refused(shop: Shop, shape: str, how: str) -> None:
    _, paid = shop.pay()
    shop.wait(2)
    before = len(shop.messages())
    shop.sim.forge(paid.provider_reference or "", shape=shape)
    [message] = shop.messages()[before:]

    with pytest.raises(WebhookRejected):
        shop.provider(options={"webhook_verification": how}).verify_webhook(message)


def test_the_wrong_webhook_id_is_refused(shop: Shop) -> None:
    shop.pay()

    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")

    with pytest.raises(WebhookRejected, match="webhook id"):
        shop.provider(webhook_id="9XX9XX").verify_webhook(message)


@pytest.mark.parametrize("how", ["offline", "online"])
def test_without_a_webhook_id_paypal_is_asked_for_it_once(shop: Shop, how: str) -> None:
    shop.sim.register_webhook("https://elsewhere.example/in", event_types=["CHECKOUT.ORDER.APPROVED"])
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")
    options = {"webhook_verification": how}

    for _ in range(2):
        assert shop.provider(webhook_id="", options=options).verify_webhook(message) is Trust.SIGNED
    tampered = replace(message, body=message.body.replace(b"20.00", b"90.00"))
    with pytest.raises(WebhookRejected, match="webhook id"):
        shop.provider(webhook_id="", options=options).verify_webhook(tampered)

    assert [one.operation for one in shop.exchanges].count("list_webhooks") == 1


def test_what_was_sent_too_long_ago_is_refused(shop: Shop) -> None:
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")

    shop.clock.advance(timedelta(days=3))  # PayPal still tries
    trust = shop.provider().verify_webhook(message)
    shop.clock.advance(timedelta(hours=7))

    assert trust is Trust.SIGNED
    with pytest.raises(WebhookRejected, match="too long ago"):
        shop.provider().verify_webhook(message)


def test_a_short_tolerance_can_be_set(shop: Shop) -> None:
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")
    shop.clock.advance(301)

    with pytest.raises(WebhookRejected, match="too long ago"):
        shop.provider(options={"webhook_tolerance_seconds": "300"}).verify_webhook(message)


def test_a_genuine_message_is_confirmed_online(shop: Shop) -> None:
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")

    assert shop.provider(options={"webhook_verification": "online"}).verify_webhook(message) is Trust.SIGNED


def test_the_certificate_is_fetched_once(shop: Shop) -> None:
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")

    for _ in range(3):
        assert shop.provider().verify_webhook(message) is Trust.SIGNED

    assert [one.operation for one in shop.exchanges].count("fetch_certificate") == 1


def test_a_certificate_out_of_reach_leaves_the_message_unsigned(shop: Shop) -> None:
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")
    shop.line.refuse_certificates = True

    unreachable = shop.provider().verify_webhook(message)
    shop.line.refuse_certificates = False

    assert unreachable is Trust.UNSIGNED
    assert shop.provider().verify_webhook(message) is Trust.SIGNED


def test_an_address_without_a_certificate_is_refused(shop: Shop) -> None:
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")
    url = f"{shop.sim.base_url}/v1/notifications/certs/CERT-made-up"

    with pytest.raises(WebhookRejected, match="no certificate"):
        shop.provider().verify_webhook(replace(message, headers={**message.headers, "paypal-cert-url": url}))


def test_another_root_proves_nothing(shop: Shop) -> None:
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")

    with pytest.raises(WebhookRejected, match="not PayPal's"):
        shop.provider(options={"root_certificates": ""}).verify_webhook(message)


@pytest.mark.parametrize(("operation", "trust"), [("verify_signature", Trust.UNSIGNED), ("order_get", Trust.SIGNED)])
def test_when_paypal_cannot_be_asked_the_message_is_unsigned(shop: Shop, operation: str, trust: Trust) -> None:
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")
    shop.sim.script("server_error", operation=operation)

    assert shop.provider(options={"webhook_verification": "online"}).verify_webhook(message) is trust


def test_a_body_that_would_break_out_of_the_question_is_refused(shop: Shop) -> None:
    shop.pay()
    message = _one(shop, "PAYMENT.CAPTURE.COMPLETED")
    shop.exchanges.clear()

    for body in (message.body + b', "webhook_id": "X"', b"{}, {}", b"[]", b"not JSON"):
        with pytest.raises(WebhookRejected):
            shop.provider(options={"webhook_verification": "online"}).verify_webhook(replace(message, body=body))

    assert shop.exchanges == []
