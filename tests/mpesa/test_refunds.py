"""Refunds by reversal and by B2C: which way is open, and what becomes of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from majuu_core.common.money import Money
from majuu_core.providers import (
    InvalidPaymentData,
    OutcomeUnknown,
    RefundQuestion,
    RequestRejected,
    ResultStatus,
)
from majuu_mpesa.conversation import own_conversation_id
from tests.mpesa.support import ScriptedDaraja, answer, make_provider

pytest.importorskip("majuu_sim.daraja", reason="majuu-sim is not installed")
from majuu_sim.daraja import SANDBOX_SHORTCODE
from tests.mpesa.money_shop import PAYEE, REFUND, MoneyShop, follow_up, opened, url_of

READY: dict[str, Any] = {"initiator_name": "testapi", "security_credential": "A" * 344}
NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
QUESTION = RefundQuestion(
    amount=Money(100, "KES"),
    paid=Money(100, "KES"),
    refunded=Money(0, "KES"),
    paid_at=NOW,
    now=NOW,
    receipt="UAF1ABCDEF",
    provider_reference="ws_CO_1",
    payer_phone=PAYEE,
)


@pytest.fixture
def shop() -> Iterator[MoneyShop]:
    with opened() as made:
        yield made


def paid(shop: MoneyShop, amount: int = 100) -> str:
    """The receipt of a payment a customer made."""
    return shop.sim.pay_paybill(PAYEE, SANDBOX_SHORTCODE, amount, "ORDER1").receipt


def test_a_payment_is_reversed(shop: MoneyShop) -> None:
    receipt = paid(shop)

    sent = shop.provider().refund(follow_up(receipt=receipt, method="reversal", reason="Broken cup"))

    [job] = shop.sim.jobs()
    assert (sent.status, sent.provider_reference) == (ResultStatus.PENDING, job.conversation_id)
    assert (job.request.transaction_id, job.request.amount, job.request.remarks) == (receipt, 100, "Broken cup")
    assert (job.request.result_url, job.request.timeout_url) == (url_of(REFUND), f"{url_of(REFUND)}/timeout")
    event = shop.event()
    reversal = shop.sim.movements()[-1]
    assert (event.type, event.reference, event.provider_reference) == ("refund.updated", REFUND, job.conversation_id)
    assert (event.result.status, event.result.amount) == (ResultStatus.SUCCEEDED, Money(100, "KES"))
    assert event.result.receipt == reversal.receipt != receipt
    assert reversal.original_receipt == receipt


def test_a_payment_is_paid_back_by_b2c(shop: MoneyShop) -> None:
    sent = shop.provider().refund(follow_up(40, method="b2c", paid=Money(100, "KES"), destination={"phone": PAYEE}))

    own = own_conversation_id(shop.provider().credentials, REFUND)
    event = shop.event()
    [movement] = shop.sim.movements()
    assert (sent.status, sent.provider_reference) == (ResultStatus.PENDING, own)
    assert (event.type, event.provider_reference) == ("refund.updated", own)
    assert (event.result.status, event.result.amount) == (ResultStatus.SUCCEEDED, Money(40, "KES"))
    assert (movement.kind, movement.msisdn, movement.amount) == ("b2c", PAYEE, Decimal(40))


@pytest.mark.parametrize(("amount", "kind"), [(100, "reversal"), (40, "b2c")])
def test_without_a_method_all_is_reversed_and_a_part_paid_out(shop: MoneyShop, amount: int, kind: str) -> None:
    receipt = paid(shop)

    shop.provider().refund(follow_up(amount, receipt=receipt, paid=Money(100, "KES"), destination={"phone": PAYEE}))
    shop.wait()

    assert shop.sim.movements()[-1].kind == kind


def test_a_reversal_of_what_was_reversed_is_no_second_one_and_no_failure(shop: MoneyShop) -> None:
    receipt = paid(shop)
    shop.provider().refund(follow_up(receipt=receipt))
    shop.wait()
    shop.events()

    shop.provider().refund(follow_up(receipt=receipt))

    result = shop.event().result
    assert (result.status, result.failure) == (ResultStatus.UNKNOWN, None)
    assert result.doubt.startswith("M-Pesa says that this payment was reversed before, by another request")
    assert [one.kind for one in shop.sim.movements()] == ["c2b", "reversal"]


def test_an_unknown_receipt_is_a_definite_no(shop: MoneyShop) -> None:
    shop.provider().refund(follow_up(receipt="UAF1ABCDEF"))

    failure = shop.event().result.failure

    assert failure is not None
    assert failure.provider_code == "R000002"
    assert failure.message.startswith("M-Pesa knows no payment with this receipt")


def test_an_unknown_receipt_says_nothing_about_a_payout(shop: MoneyShop) -> None:
    shop.provider().refund(follow_up(receipt="UAF1ABCDEF"))
    shop.wait()
    [message] = shop.messages()

    [event] = shop.provider().parse_webhook(replace(message, reference="po_1"))

    assert event.result.status is ResultStatus.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": None}, "amount_missing"),
        ({"receipt": None}, "receipt_missing"),
        ({"receipt": "no receipt!"}, "receipt_missing"),
        ({"method": "cheque"}, "refund_method_unknown"),
        ({"paid": Money(99, "KES")}, "amount_too_large"),
        ({"paid": Money(100, "USD")}, "amount_too_large"),
        ({"paid": Money(200, "KES"), "method": "reversal"}, "reversal_not_partial"),
        ({"webhook_url": ""}, "configuration"),
    ],
)
def test_what_cannot_be_refunded_is_refused_before_anything_is_sent(changes: dict[str, Any], code: str) -> None:
    daraja = ScriptedDaraja()
    wanted = replace(follow_up(receipt="UAF1ABCDEF"), **changes)

    with pytest.raises(RequestRejected) as refused:
        make_provider(daraja, **READY).refund(wanted)
    assert (refused.value.code, daraja.requests) == (code, [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"method": "b2c"}, "destination_missing"),
        ({"method": "b2c", "destination": {"phone": "0712"}}, "phone_length"),
        ({"method": "b2c", "destination": {"phone": PAYEE}, "amount": Money(9, "KES")}, "amount_too_small"),
        ({"amount": Money("10.50", "KES")}, "amount_not_whole"),
        ({"amount": Money(10, "USD")}, "currency_unsupported"),
    ],
)
def test_data_that_cannot_be_used_is_named(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidPaymentData) as refused:
        make_provider(**READY).refund(replace(follow_up(receipt="UAF1ABCDEF"), **changes))
    assert [one.code for one in refused.value.violations] == [code]


def test_a_lost_answer_to_a_reversal_is_unknown() -> None:
    provider = make_provider(ScriptedDaraja(answer(500, text="oops")), **READY)

    with pytest.raises(OutcomeUnknown):
        provider.refund(follow_up(receipt="UAF1ABCDEF"))


@pytest.mark.parametrize(
    ("changes", "reversal", "b2c"),
    [
        ({}, "", ""),
        ({"receipt": None}, "receipt is not known", ""),
        ({"amount": Money(40, "KES")}, "undoes the whole payment", ""),
        ({"amount": Money(60, "KES"), "refunded": Money(40, "KES")}, "given back before", ""),
        ({"amount": Money(101, "KES")}, "more than is left", "more than is left"),
        ({"amount": Money(70, "KES"), "refunded": Money(40, "KES")}, "more than is left", "more than is left"),
        ({"amount": Money(9, "KES"), "paid": Money(9, "KES")}, "", "KES 10 or more"),
        ({"amount": Money("10.50", "KES")}, "whole shillings", "whole shillings"),
        ({"amount": Money(0, "KES")}, "whole shillings", "whole shillings"),
        ({"amount": Money(300_000, "KES"), "paid": Money(300_000, "KES")}, "", "KES 250000 at most"),
        ({"amount": Money(1, "USD"), "paid": Money(1, "USD"), "refunded": Money(0, "USD")}, "KES only", "KES only"),
    ],
)
def test_each_way_says_why_it_is_closed(changes: dict[str, Any], reversal: str, b2c: str) -> None:
    routes = make_provider(**READY).refund_routes(replace(QUESTION, **changes))

    assert [(route.method, route.books_as) for route in routes] == [("reversal", "reversal"), ("b2c", "payout")]
    for route, objection in zip(routes, (reversal, b2c), strict=True):
        assert route.possible is (objection == "")
        assert objection in route.reason
    assert [route.needs for route in routes] == [(), ("phone",)]


def test_without_an_initiator_both_ways_are_closed() -> None:
    routes = make_provider().refund_routes(QUESTION)

    assert [route.possible for route in routes] == [False, False]
    assert all("initiator" in route.reason for route in routes)


def test_an_unknown_phone_has_to_be_entered() -> None:
    [_, b2c] = make_provider(**READY).refund_routes(replace(QUESTION, payer_phone=""))

    assert b2c.possible
    assert "Enter the phone number" in b2c.reason
