"""C2B: registering addresses, the question before the money, the notice after it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from majuu_core.common.money import Money
from majuu_core.providers import (
    IncomingAddresses,
    InvalidCredentials,
    OutcomeUnknown,
    RequestRejected,
    ResultStatus,
    Trust,
    Violation,
    WebhookRejected,
)
from tests.mpesa.support import ScriptedDaraja, answer, error, make_provider, payment, webhook

pytest.importorskip("majuu_sim.daraja", reason="majuu-sim is not installed")
from majuu_sim.daraja import SANDBOX_SHORTCODE
from tests.mpesa.money_shop import ACCOUNT_URL, ADDRESSES, PAYEE, MoneyShop, letter, opened

TILL: dict[str, Any] = {"kind": "till", "shortcode": "600100", "till_number": "600101"}
NOTICE = {
    "TransactionType": "Pay Bill",
    "TransID": "RKL51ZDR4F",
    "TransTime": "20231121121325",
    "TransAmount": "5.00",
    "BusinessShortCode": "174379",
    "BillRefNumber": "ORDER 12",
    "InvoiceNumber": "",
    "OrgAccountBalance": "25.00",
    "ThirdPartyTransID": "",
    "MSISDN": "2547 ***** 126",
    "FirstName": "John",
    "MiddleName": "",
    "LastName": "Doe",
}


def notice(topic: str = "notice", **changes: Any) -> Any:
    """A message with a confirmation; ``...`` leaves a key out."""
    body = {name: value for name, value in {**NOTICE, **changes}.items() if value is not ...}
    return letter(f"{ACCOUNT_URL}/{topic}" if topic else ACCOUNT_URL, json.dumps(body).encode())


def read(**changes: Any) -> Any:
    [event] = make_provider().parse_webhook(notice(**changes))
    return event


@pytest.fixture
def shop() -> Iterator[MoneyShop]:
    with opened() as made:
        yield made


@pytest.mark.parametrize(("version", "wait"), [("v1", True), ("v2", False)])
def test_addresses_are_registered(shop: MoneyShop, version: str, wait: bool) -> None:
    addresses = replace(ADDRESSES, accept_when_unreachable=wait)

    shop.provider(c2b_version=version).register_incoming(addresses)

    [found] = shop.sim.registrations()
    assert (found.shortcode, found.version) == (SANDBOX_SHORTCODE, version)
    assert found.response_type == ("Completed" if wait else "Cancelled")
    assert (found.validation_url, found.confirmation_url) == (f"{ACCOUNT_URL}/check", f"{ACCOUNT_URL}/notice")


def test_a_second_registration_in_production_says_what_to_do() -> None:
    with opened(production=True) as shop:
        shop.provider().register_incoming(ADDRESSES)

        with pytest.raises(RequestRejected, match="URL Management") as refused:
            shop.provider().register_incoming(ADDRESSES)
    assert refused.value.code == "500.003.1001"


@pytest.mark.parametrize(("outcome", "text"), [("old_broker", "old broker"), ("soap_fault", "M-Pesa Express only")])
def test_other_refusals_say_what_to_do(shop: MoneyShop, outcome: str, text: str) -> None:
    shop.sim.script(outcome, operation="c2b_register")

    with pytest.raises(RequestRejected, match=text):
        shop.provider().register_incoming(ADDRESSES)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://pay.example.co.ke/M-PESA/x", "m-pesa"),
        ("https://pay.example.co.ke/executive", "exe"),
        ("https://shop.ngrok.io/in", "ngrok"),
        ("https://sqlshop.co.ke/in/query", "sql, query"),
        ("", "no address"),
    ],
)
def test_addresses_that_daraja_refuses_are_not_even_sent(url: str, text: str) -> None:
    daraja = ScriptedDaraja()

    for addresses in (
        IncomingAddresses(check_url=url, notice_url=ADDRESSES.notice_url),
        IncomingAddresses(check_url=ADDRESSES.check_url, notice_url=url),
    ):
        with pytest.raises(RequestRejected, match=text) as refused:
            make_provider(daraja).register_incoming(addresses)
        assert refused.value.code == "configuration"
    assert daraja.token_requests == 0


def test_plain_http_is_refused_in_live_mode() -> None:
    addresses = IncomingAddresses(check_url="http://pay.example.co.ke/c", notice_url="http://pay.example.co.ke/n")

    with pytest.raises(RequestRejected, match="https"):
        make_provider(livemode=True, options={"base_url": "https://daraja.test"}).register_incoming(addresses)


@pytest.mark.parametrize(
    ("reply", "raised"),
    [
        (answer(200, {"ResponseCode": "1", "ResponseDescription": "No"}), RequestRejected),
        (answer(200, {"hello": 1}), OutcomeUnknown),
        (answer(503, text="<html>"), OutcomeUnknown),
        (error(400, "400.003.02", "Bad Request"), RequestRejected),
        (error(401, "401.001", "no apiproduct match found"), InvalidCredentials),
    ],
)
def test_what_else_a_registration_may_hear(reply: Any, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        make_provider(ScriptedDaraja(reply)).register_incoming(ADDRESSES)


def test_pulling_is_opened_with_the_registration_and_once_more_is_as_good() -> None:
    with opened(account={"nominated_number": "0722000000"}) as shop:
        for _ in range(2):
            shop.provider().register_incoming(ADDRESSES)
        assert shop.sim.pull.registered == {SANDBOX_SHORTCODE}


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ("v1", {"payer_phone_hash": hashlib.sha256(PAYEE.encode()).hexdigest()}),
        ("v2", {"payer_phone_masked": "2547 ***** 678"}),
        ("plain_number", {"payer_phone": PAYEE}),
        ("untyped", {"payer_phone": PAYEE}),
        ("first_name_only", {"payer_phone_hash": hashlib.sha256(PAYEE.encode()).hexdigest()}),
    ],
)
def test_a_customer_pays_the_paybill(shop: MoneyShop, shape: str, told: dict[str, str]) -> None:
    shop.provider().register_incoming(ADDRESSES)
    shop.sim.set_subscriber(PAYEE, names="Jane Akinyi Doe")

    payment = shop.sim.pay_paybill(PAYEE, SANDBOX_SHORTCODE, 250, "order 12", script={"event_shape": shape})

    [message] = shop.messages()
    assert shop.provider().verify_webhook(message) is Trust.UNSIGNED
    [event] = shop.provider().parse_webhook(message)
    money = event.incoming
    assert money is not None
    assert (event.type, event.reference, event.provider_reference) == ("incoming.received", None, payment.receipt)
    assert (event.result.status, event.result.amount) == (ResultStatus.SUCCEEDED, Money(250, "KES"))
    assert (money.receipt, money.amount, money.channel) == (payment.receipt, Money(250, "KES"), "paybill")
    assert (money.receiver, money.account_reference) == (SANDBOX_SHORTCODE, "order 12")
    assert money.payer_name.lower() == ("jane" if shape == "first_name_only" else "jane akinyi doe")
    numbers = {"payer_phone", "payer_phone_hash", "payer_phone_masked"}
    assert {name: getattr(money, name) for name in numbers if getattr(money, name)} == told
    assert money.occurred_at == payment.completed_at.replace(microsecond=0)  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", ["auto", "buy_goods", "till"])
def test_a_customer_pays_the_till(shape: str) -> None:
    with opened(account=TILL) as shop:
        shop.provider().register_incoming(ADDRESSES)
        shop.sim.pay_till(PAYEE, "600101", 90, script={"event_shape": shape})

        [event] = shop.events()

        money = event.incoming
        assert money is not None
        assert (money.channel, money.receiver, money.account_reference) == ("till", "600101", "")
        assert money.amount == Money(90, "KES")
        assert bool(money.payer_phone_masked) is (shape != "buy_goods")


@pytest.mark.parametrize(
    ("objection", "code"),
    [
        (None, "0"),
        (Violation(code="C2B00012", message="No such account."), "C2B00012"),
        (Violation(code="C2B00011", message=""), "C2B00011"),
        (Violation(code="store_closed", message="Closed."), "C2B00016"),
        (Violation(code="C2B00099", message="?"), "C2B00016"),
        (Violation(code='"}', message=""), "C2B00016"),
    ],
)
def test_the_question_before_the_money_is_answered(shop: MoneyShop, objection: Violation | None, code: str) -> None:
    shop.provider().register_incoming(ADDRESSES)
    shop.sim.set_validation(SANDBOX_SHORTCODE)
    pending = shop.sim.pay_paybill(PAYEE, SANDBOX_SHORTCODE, 250, "order 12")
    [question] = shop.messages()
    assert question.topic == "check"
    asked = shop.provider().read_incoming_check(question)
    assert (asked.receipt, asked.amount, asked.account_reference) == (pending.receipt, Money(250, "KES"), "order 12")

    response = shop.provider().incoming_check_response(objection)

    reply = json.loads(response.body)
    assert (response.status, response.content_type, reply["ResultCode"]) == (200, "application/json", code)
    ended = shop.sim.answer_validation(pending.receipt, reply["ResultCode"])
    assert ended.state == ("completed" if objection is None else "rejected")
    assert len(shop.events()) == (1 if objection is None else 0)


def test_a_question_is_never_taken_for_money() -> None:
    for message in (notice("check"), notice("check", OrgAccountBalance=""), notice("", OrgAccountBalance="")):
        with pytest.raises(WebhookRejected, match="question before"):
            make_provider().parse_webhook(message)
    for topic, balance in (("notice", ""), ("", "0"), ("", ...)):
        [event] = make_provider().parse_webhook(notice(topic, OrgAccountBalance=balance))
        assert event.type == "incoming.received"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"BusinessShortCode": ...}, "BusinessShortCode is missing"),
        ({"BusinessShortCode": "1743-79"}, "BusinessShortCode is missing or unreadable"),
        ({"TransID": ""}, "TransID"),
        ({"TransID": None}, "TransID"),
        ({"TransID": "x" * 40}, "TransID"),
        ({"TransAmount": ...}, "TransAmount is missing"),
        ({"TransAmount": "5,00"}, "TransAmount is not a number"),
        ({"TransAmount": "-5.00"}, "TransAmount is not a number"),
        ({"TransAmount": "0.00"}, "TransAmount is out of range"),
        ({"TransAmount": "5.001"}, "more than two decimals"),
        ({"TransAmount": True}, "TransAmount is not a number"),
    ],
)
def test_what_cannot_be_one_of_ours_is_refused(changes: dict[str, Any], reason: str) -> None:
    message = notice(**changes)

    for call in (make_provider().parse_webhook, make_provider().read_incoming_check):
        with pytest.raises(WebhookRejected, match=reason):
            call(message)


def test_money_at_another_shortcode_is_told_but_not_as_ours() -> None:
    message = notice(BusinessShortCode="600999")

    [event] = make_provider().parse_webhook(message)

    assert event.incoming is not None
    assert (event.type, event.incoming.receiver, event.incoming.at_this_account) == (
        "incoming.received",
        "600999",
        False,
    )
    assert read().incoming.at_this_account
    with pytest.raises(WebhookRejected, match="shortcode 600999, which is not one of this account"):
        make_provider().read_incoming_check(message)


@pytest.mark.parametrize(
    ("written", "amount"), [("10", "10"), ("5.00", "5"), (" 7.50 ", "7.50"), (12, "12"), ("11720.00", "11720")]
)
def test_amounts_in_every_form(written: Any, amount: str) -> None:
    assert read(TransAmount=written).incoming.amount == Money(amount, "KES")


def test_times_are_east_african() -> None:
    assert read().occurred_at == datetime(2023, 11, 21, 9, 13, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("254708374149", "payer_phone"),
        ("BBFF37CEA44AC0B2D964EE0DFB8D2DF8513DC7BA1B36129A929FC3FBD6DD4AF4", "payer_phone_hash"),
        ("bbff37cea44ac0b2d964ee0dfb8d2df851 ***** 36129a929fc3fbd6dd4af4", "payer_phone_masked"),
        ("25470****149", "payer_phone_masked"),
        (254708374149, "payer_phone"),
    ],
)
def test_payers_numbers_in_every_form(written: Any, field: str) -> None:
    money = read(MSISDN=written).incoming

    named = {name: getattr(money, name) for name in ("payer_phone", "payer_phone_hash", "payer_phone_masked")}
    assert {name: value for name, value in named.items() if value} == {field: str(written).lower()}


def test_absent_keys_are_as_good_as_empty_ones() -> None:
    money = read(
        MSISDN=..., FirstName=..., MiddleName=..., LastName=..., BillRefNumber=..., TransactionType=...
    ).incoming

    assert (money.payer_name, money.account_reference, money.payer_phone) == ("", "", "")
    assert money.channel == "paybill"


def test_hostile_text_is_plain_afterwards() -> None:
    money = read(BillRefNumber="=cmd|' /C'\x00\u202e!A0\n", FirstName="<b>\ud800J</b>").incoming

    assert money.account_reference == "=cmd|' /C'!A0"
    assert money.payer_name == "<b>J</b> Doe"


def test_a_repeated_notice_is_the_same_event_and_another_amount_another() -> None:
    assert read().event_id == read(FirstName="X").event_id
    assert len({read().event_id, read(TransAmount="6").event_id, read(TransID="RKL51ZDR4G").event_id}) == 3


def test_a_notice_at_a_payments_own_address_is_refused() -> None:
    for reference in ("ch_1", "po_1", "re_1", "in_1"):
        with pytest.raises(WebhookRejected, match="C2B"):
            make_provider().parse_webhook(webhook(NOTICE, reference=reference))


def test_an_express_payment_of_a_registered_shortcode_is_told_twice_with_one_receipt(shop: MoneyShop) -> None:
    shop.provider().register_incoming(ADDRESSES)
    shop.provider().sale(payment(100, phone=PAYEE))
    shop.wait()

    kinds = {event.type: event.result.receipt for event in shop.events()}

    assert set(kinds) == {"payment.updated", "incoming.received"}
    assert len(set(kinds.values())) == 1
