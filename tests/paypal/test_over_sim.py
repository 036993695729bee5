"""Whole payments against the simulated PayPal, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from majuu_core.common.money import Money
from majuu_core.providers import (
    FailureCode,
    FetchRequest,
    FollowUpRequest,
    PaymentRequest,
    PayoutRequest,
    RequestRejected,
    Result,
    ResultStatus,
    Trust,
)
from majuu_core.testing.harness import new_reference
from tests.shared_files import shared_fixture

pytest.importorskip("majuu_sim.paypal", reason="majuu-sim is not installed")
from majuu_sim.paypal import PaypalConfig
from tests.paypal.shop import Shop

S = ResultStatus


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


def _fetch(shop: Shop, request: PaymentRequest, result: Result) -> Result:
    return shop.provider().fetch_payment(
        FetchRequest(reference=request.reference, provider_reference=result.provider_reference)
    )


def _about(result: Result, prefix: str = "ch", **changes: object) -> FollowUpRequest:
    reference = new_reference(prefix)
    wanted = FollowUpRequest(
        idempotency_key=f"key-{reference}",
        reference=reference,
        provider_reference=result.provider_reference or "",
        receipt=result.receipt,
    )
    return replace(wanted, **changes)  # type: ignore[arg-type]


def test_a_sale_from_the_order_to_the_money(shop: Shop) -> None:
    request = shop.payment()

    made = shop.provider().sale(request)
    waiting = _fetch(shop, request, made)
    shop.sim.approve(made.provider_reference or "")
    approved = _fetch(shop, request, made)
    paid = shop.provider().complete(shop.follow_up(request, made))

    assert made.status is S.REQUIRES_ACTION
    assert made.next_action is not None
    assert made.next_action.type == "redirect"
    assert made.next_action.data["url"] == f"{shop.sim.base_url}/checkoutnow?token={made.provider_reference}"
    assert made.next_action.expires_at == datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    assert (waiting.status, approved.status, approved.needs_completion) == (S.REQUIRES_ACTION, S.PENDING, True)
    assert (paid.status, paid.amount, paid.fee) == (S.SUCCEEDED, Money("20.00", "USD"), Money("1.19", "USD"))
    [capture] = shop.sim.payments()
    assert (paid.receipt, paid.provider_reference) == (capture.id, made.provider_reference)
    assert capture.custom_id == request.reference
    [order] = shop.sim.orders()
    assert order.invoice_id == f"1001-{request.reference.replace('_', '-')}"
    assert _fetch(shop, request, made) == paid
    assert shop.provider().complete(shop.follow_up(request, made)) == paid
    assert len(shop.sim.payments()) == 1


def test_a_lost_order_is_found_by_sending_it_again(shop: Shop) -> None:
    request = shop.payment(outcome="timeout_after_commit")

    with pytest.raises(Exception, match="no answer"):
        shop.provider().sale(request)
    unknown = shop.provider().fetch_payment(FetchRequest(reference=request.reference, provider_reference=None))
    again = shop.provider().sale(request)

    assert unknown.status is S.UNKNOWN
    assert [order.id for order in shop.sim.orders()] == [again.provider_reference]


def test_a_lost_capture_is_found_by_asking(shop: Shop) -> None:
    request = shop.payment()
    made = shop.provider().sale(request)
    shop.sim.script("timeout_after_commit", operation="order_capture")

    with pytest.raises(Exception, match="no answer"):
        shop.complete(request, made)
    found = _fetch(shop, request, made)

    assert (found.status, found.amount) == (S.SUCCEEDED, Money("20.00", "USD"))
    assert shop.provider().complete(shop.follow_up(request, made)) == found
    assert len(shop.sim.payments()) == 1


def test_a_declined_instrument_ends_the_attempt(shop: Shop) -> None:
    request = shop.payment()

    result = shop.complete(request, shop.provider().sale(request), instrument="declined")

    assert result.status is S.FAILED
    assert result.failure is not None
    assert (result.failure.code, result.failure.provider_code) == (FailureCode.DECLINED, "INSTRUMENT_DECLINED")
    assert shop.sim.payments() == []
    for language in ("en", "sw"):
        assert shop.provider().explain_failure("INSTRUMENT_DECLINED", language=language) is not None


def test_a_customer_who_must_come_back_is_sent_to_paypal_again(shop: Shop) -> None:
    request = shop.payment()

    result = shop.complete(request, shop.provider().sale(request), instrument="payer_action")

    assert result.status is S.REQUIRES_ACTION
    assert result.next_action is not None
    assert result.next_action.data["url"].endswith(f"/checkoutnow?token={result.provider_reference}")
    assert shop.sim.payments() == []


@pytest.mark.parametrize(("instrument", "end"), [("pending", S.SUCCEEDED), ("pending_denied", S.FAILED)])
def test_an_echeck_is_pending_until_it_clears(shop: Shop, instrument: str, end: ResultStatus) -> None:
    request = shop.payment()

    result = shop.complete(request, shop.provider().sale(request), instrument=instrument)
    shop.wait(61)

    assert (result.status, result.needs_completion) == (S.PENDING, False)
    assert _fetch(shop, request, result).status is end


def test_an_abandoned_order_is_cancelled_when_paypal_has_forgotten_it(shop: Shop) -> None:
    request = shop.payment(outcome="cancel")
    made = shop.provider().sale(request)

    shop.clock.advance(timedelta(hours=3, minutes=30))
    early = _fetch(shop, request, made)
    shop.clock.advance(timedelta(hours=1))

    assert early.status is S.UNKNOWN
    assert _fetch(shop, request, made).status is S.CANCELED


def test_the_order_of_another_charge_says_nothing(shop: Shop) -> None:
    _, paid = shop.pay()
    stranger = shop.payment()

    assert _fetch(shop, stranger, paid).status is S.UNKNOWN


def test_two_attempts_for_one_basket_have_two_invoices(shop: Shop) -> None:
    _, first = shop.pay()
    _, second = shop.pay()

    assert (first.status, second.status) == (S.SUCCEEDED, S.SUCCEEDED)
    assert len({order.invoice_id for order in shop.sim.orders()}) == 2


@pytest.mark.parametrize("code", ["JPY", "HUF", "TWD"])
def test_currencies_without_decimals(shop: Shop, code: str) -> None:
    _, paid = shop.pay(Money(1500, code))

    assert (paid.status, paid.amount) == (S.SUCCEEDED, Money(1500, code))
    assert shop.sim.payments()[0].amount.value == Decimal(1500)


def test_a_hold_is_taken_in_part_and_the_rest_released(shop: Shop) -> None:
    request, held = shop.hold()

    taken = shop.provider().capture(_about(held, amount=Money("12.50", "USD")))

    assert (held.status, held.amount) == (S.AUTHORIZED, Money("20.00", "USD"))
    assert held.capture_before == datetime(2026, 1, 5, 9, 0, tzinfo=UTC) + timedelta(days=29)
    assert (taken.status, taken.amount) == (S.SUCCEEDED, Money("12.50", "USD"))
    assert taken.provider_reference == held.provider_reference
    assert taken.receipt == shop.sim.payments()[0].id
    again = _fetch(shop, request, held)
    assert (again.status, again.amount) == (S.SUCCEEDED, Money("12.50", "USD"))
    with pytest.raises(RequestRejected):
        shop.provider().void(_about(held))


@pytest.mark.parametrize("amount", [Money("20.01", "USD"), Money("5.00", "EUR")])
def test_more_than_is_held_is_refused_before_it_is_sent(shop: Shop, amount: Money) -> None:
    _, held = shop.hold()
    calls = [one.operation for one in shop.exchanges]

    with pytest.raises(RequestRejected, match="is held") as problem:
        shop.provider().capture(_about(held, amount=amount))

    assert problem.value.code == "amount_too_large"
    assert [one.operation for one in shop.exchanges][len(calls) :] == ["fetch_order"]
    assert shop.sim.payments() == []


def test_a_hold_is_let_go_once_and_again(shop: Shop) -> None:
    request, held = shop.hold()

    first, second = shop.provider().void(_about(held)), shop.provider().void(_about(held))

    assert (first.status, second.status) == (S.CANCELED, S.CANCELED)
    assert _fetch(shop, request, held).status is S.CANCELED


def test_nothing_is_held_by_a_sale(shop: Shop) -> None:
    _, paid = shop.pay()

    with pytest.raises(RequestRejected, match="holds no money"):
        shop.provider().capture(_about(paid))


def test_refunds_in_parts_until_nothing_is_left(shop: Shop) -> None:
    _, paid = shop.pay()
    part = Money("7.00", "USD")

    first = shop.provider().refund(_about(paid, "re", amount=part, reason="One book came back"))
    second = shop.provider().refund(_about(paid, "re", receipt=None))  # the order is asked for its capture

    assert (first.status, first.amount) == (S.SUCCEEDED, part)
    assert (second.status, second.amount) == (S.SUCCEEDED, Money("13.00", "USD"))
    assert [refund.id for refund in shop.sim.refunds()] == [first.provider_reference, second.provider_reference]
    for result in (first, second):
        question = FetchRequest(reference="re", provider_reference=result.provider_reference)
        assert shop.provider().fetch_refund(question).status is S.SUCCEEDED
    with pytest.raises(RequestRejected) as problem:
        shop.provider().refund(_about(paid, "re", amount=part))
    assert problem.value.code in {"CAPTURE_FULLY_REFUNDED", "REFUND_AMOUNT_EXCEEDED"}
    assert len(shop.sim.refunds()) == 2


def test_a_token_that_died_is_fetched_anew_once(shop: Shop) -> None:
    shop.pay()
    shop.sim.expire_tokens()

    _, paid = shop.pay()

    assert paid.status is S.SUCCEEDED
    assert [one.operation for one in shop.exchanges].count("oauth") == 2


def test_every_body_is_as_the_official_specifications_want_it() -> None:
    folder = shared_fixture("specs/paypal_checkout_orders_v2.json").parent
    pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    shop = Shop(PaypalConfig(specs=folder))
    try:
        request = shop.payment(customer_email="jane@example.com")
        paid = shop.complete(request, shop.provider(options={"brand_name": "Books"}).sale(request))
        refund = shop.provider().refund(_about(paid, "re", amount=Money("1.00", "USD"), reason="sorry"))
        _, held = shop.hold()
        taken = shop.provider().capture(_about(held, amount=Money("1.00", "USD")))
        _, other = shop.hold()
        gone = shop.provider().void(_about(other))

        assert [one.status for one in (paid, refund, taken, gone)] == [
            S.SUCCEEDED,
            S.SUCCEEDED,
            S.SUCCEEDED,
            S.CANCELED,
        ]
        payout = PayoutRequest(
            idempotency_key="key-po",
            reference=new_reference("po"),
            amount=Money("5.00", "EUR"),
            destination={"phone": "+254712345678"},
            reason="bonus",
        )
        assert shop.provider().payout(payout).status is S.PENDING
        shop.wait(2)
        message = shop.messages_of("PAYMENT.CAPTURE.COMPLETED")[0]
        online = shop.provider(options={"webhook_verification": "online"})
        assert online.verify_webhook(message) is Trust.SIGNED
        assert shop.sim.state()["spec_mistakes"] == []
    finally:
        shop.close()
