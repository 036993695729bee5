"""What is Pesapal's own, and no check of the contract can know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from moneyed import Money

from majuu_core.providers import RequestRejected, ResultStatus, WebhookRejected
from majuu_pesapal.testing import PesapalHarness, notification


@pytest.fixture
def harness() -> Iterator[PesapalHarness]:
    harness = PesapalHarness()
    yield harness
    harness.close()


def test_the_order_holds_our_reference_and_an_exact_amount(harness: PesapalHarness) -> None:
    request = replace(harness.payment(), amount=Money("10.10", "USD"), description="Kikoi")

    harness.make_provider().sale(request)

    [order] = harness.pesapal.orders.values()
    assert (order.body["id"], order.body["currency"], str(order.body["amount"])) == (request.reference, "USD", "10.10")
    assert (order.body["description"], order.body["notification_id"]) == ("Kikoi", "ipn-of-the-tests")


def test_one_token_serves_until_it_is_refused(harness: PesapalHarness) -> None:
    harness.make_provider().sale(harness.payment())
    harness.make_provider().sale(harness.payment())
    assert len(harness.pesapal.tokens) == 1
    harness.pesapal.tokens[:] = ["another"]

    result = harness.make_provider().sale(harness.payment())

    assert result.status is ResultStatus.REQUIRES_ACTION
    assert len(harness.pesapal.tokens) == 2


def test_a_part_is_not_given_back(harness: PesapalHarness) -> None:
    provider = harness.make_provider()
    result = provider.sale(harness.payment())
    harness.settle()

    with pytest.raises(RequestRejected, match="all of a payment"):
        provider.refund(replace(harness.follow_up("re", result), amount=Money("100", "KES")))

    assert not any(order.refund_asked for order in harness.pesapal.orders.values())


@pytest.mark.parametrize("body", [b'{"OrderNotificationType": "IPNCHANGE"}', b'{"OrderNotificationType": "OTHER"}'])
def test_half_a_notification_is_refused(harness: PesapalHarness, body: bytes) -> None:
    with pytest.raises(WebhookRejected):
        harness.make_provider().verify_webhook(replace(notification("ch_1", "b945"), body=body))
