"""Payouts over the simulated Daraja: what is sent, what an answer and a result mean, and what never settles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from majuu_core.common.money import Money
from majuu_core.providers import (
    FailureCode,
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    ResultStatus,
    Trust,
)
from majuu_mpesa.conversation import own_conversation_id
from majuu_mpesa.result_codes import OUTGOING_FAILURES
from tests.mpesa.support import ScriptedDaraja, answer, error, make_provider

pytest.importorskip("majuu_sim.daraja", reason="majuu-sim is not installed")
from majuu_sim.daraja import SANDBOX_SHORTCODE, Shortcode
from tests.mpesa.money_shop import PAYEE, PAYOUT, MoneyShop, letter, opened, payout, url_of

SETTLED = (ResultStatus.SUCCEEDED, ResultStatus.FAILED, ResultStatus.CANCELED)
READY: dict[str, Any] = {"initiator_name": "testapi", "security_credential": "A" * 344}


@pytest.fixture
def shop() -> Iterator[MoneyShop]:
    with opened() as made:
        yield made


def test_money_reaches_a_phone(shop: MoneyShop) -> None:
    sent = shop.payout(1500)

    [job] = shop.sim.jobs()
    own = own_conversation_id(shop.provider().credentials, PAYOUT)
    assert (sent.status, sent.provider_reference) == (ResultStatus.PENDING, own)
    assert job.originator_conversation_id == own
    assert (job.request.command, job.request.amount, job.request.party) == ("BusinessPayment", 1500, PAYEE)
    assert (job.request.remarks, job.request.shortcode) == ("Prize of the week", SANDBOX_SHORTCODE)
    assert (job.request.result_url, job.request.timeout_url) == (url_of(PAYOUT), f"{url_of(PAYOUT)}/timeout")

    event = shop.event()

    [movement] = shop.sim.movements()
    assert (event.type, event.reference, event.provider_reference) == ("payout.updated", PAYOUT, own)
    assert (event.result.status, event.result.amount) == (ResultStatus.SUCCEEDED, Money(1500, "KES"))
    assert (event.result.receipt, event.result.payer) == (movement.receipt, "254712345678 - JOHN DOE")
    assert event.occurred_at == movement.at.replace(microsecond=0)


@pytest.mark.parametrize("purpose", ["BusinessPayment", "SalaryPayment", "PromotionPayment"])
def test_the_purpose_is_darajas_command(shop: MoneyShop, purpose: str) -> None:
    shop.payout(purpose=purpose)

    assert shop.sim.jobs()[0].request.command == purpose


@pytest.mark.parametrize(
    ("destination", "command", "party", "account"),
    [
        ({"paybill": "600000", "account": "RENT 12"}, "BusinessPayBill", "600000", "RENT 12"),
        ({"till": " 600101 "}, "BusinessBuyGoods", "600101", ""),
        ({"top_up": "600000"}, "BusinessPayToBulk", "600000", ""),
    ],
)
def test_money_reaches_a_business(
    shop: MoneyShop, destination: dict[str, str], command: str, party: str, account: str
) -> None:
    sent = shop.payout(5, destination=destination)

    [job] = shop.sim.jobs()
    assert (sent.status, sent.provider_reference) == (ResultStatus.PENDING, job.conversation_id)
    assert (job.request.command, job.request.party) == (command, party)
    assert (job.request.account_reference, job.request.amount) == (account, 5)
    event = shop.event()
    assert event.provider_reference == job.conversation_id
    assert (event.result.status, event.result.amount) == (ResultStatus.SUCCEEDED, Money(5, "KES"))
    assert event.result.receipt == shop.sim.movements()[0].receipt


def test_results_are_worth_a_comparison_and_pushes_are_not(shop: MoneyShop) -> None:
    shop.payout()
    shop.wait()

    [message] = shop.messages()

    assert shop.provider().verify_webhook(message) is Trust.CORRELATED
    for other in ("ch_1", None):
        assert shop.provider().verify_webhook(replace(message, reference=other)) is Trust.UNSIGNED


@pytest.mark.parametrize(
    ("outcome", "code", "meaning"),
    [
        ("insufficient", "1", FailureCode.INSUFFICIENT_FUNDS),
        ("below_minimum", "2", FailureCode.LIMIT_EXCEEDED),
        ("daily_limit", "4", FailureCode.LIMIT_EXCEEDED),
        ("receiver_full", "8", FailureCode.LIMIT_EXCEEDED),
        ("shortcode_inactive", "11", FailureCode.PROCESSING_ERROR),
        ("credential_failed", "18", FailureCode.AUTHENTICATION_FAILED),
        ("initiator_not_allowed", "21", FailureCode.AUTHENTICATION_FAILED),
        ("initiator_inactive", "22", FailureCode.AUTHENTICATION_FAILED),
        ("invalid_parameter", "25", FailureCode.PROCESSING_ERROR),
        ("initiator_wrong", "2001", FailureCode.AUTHENTICATION_FAILED),
        ("account_status", "2006", FailureCode.PROCESSING_ERROR),
        ("not_permitted", "2028", FailureCode.PROCESSING_ERROR),
        ("not_registered", "2040", FailureCode.INVALID_PAYMENT_METHOD),
        ("initiator_locked", "8006", FailureCode.AUTHENTICATION_FAILED),
        ("not_on_mpesa", "SFC_IC0003", FailureCode.INVALID_PAYMENT_METHOD),
        ("no_api_permission", "TP40153", FailureCode.AUTHENTICATION_FAILED),
    ],
)
def test_a_definite_no(shop: MoneyShop, outcome: str, code: str, meaning: FailureCode) -> None:
    shop.sim.script(outcome, operation="b2c_payment")
    sent = shop.payout()

    result = shop.event().result

    assert result.status is ResultStatus.FAILED
    assert result.failure is not None
    assert (result.failure.provider_code, result.failure.code) == (code, meaning)
    assert result.failure.message.startswith(OUTGOING_FAILURES[code][1])
    assert (result.provider_reference, result.receipt) == (sent.provider_reference, None)
    assert shop.sim.movements() == []


@pytest.mark.parametrize("outcome", ["duplicate_request", "internal_failure", "system_busy"])
def test_what_is_no_definite_no_stays_open(shop: MoneyShop, outcome: str) -> None:
    shop.sim.script(outcome, operation="b2c_payment")
    shop.payout()

    result = shop.event().result

    assert (result.status, result.failure) == (ResultStatus.UNKNOWN, None)


@pytest.mark.parametrize("code", ["15", "17", "19", "26", "1037", "4999", "R000001", "R000002", "100000001", "Z9", ""])
def test_unknown_codes_never_settle_a_payout(code: str) -> None:
    body = {"Result": {"ResultType": 0, "ResultCode": code, "ConversationID": "AG_1"}}

    [event] = make_provider(**READY).parse_webhook(_at(PAYOUT, body))

    assert (event.result.status, event.result.failure) == (ResultStatus.UNKNOWN, None)


@pytest.mark.parametrize("destination", [{"phone": "0712345678"}, {"paybill": "600000", "account": "A1"}])
@pytest.mark.parametrize(
    "shape",
    [
        *("plain", "text", "numbers", "list", "single_parameter", "no_parameters"),
        *("null_parameters", "spaced_keys", "duplicate_keys"),
    ],
)
def test_results_in_every_shape(shop: MoneyShop, shape: str, destination: dict[str, str]) -> None:
    shop.sim.script({"event_shape": shape}, operation="b2c_payment" if "phone" in destination else "b2b_payment")
    shop.payout(destination=destination)

    result = shop.event().result

    [movement] = shop.sim.movements()
    told = shape not in ("no_parameters", "null_parameters", "single_parameter")
    assert (result.status, result.receipt) == (ResultStatus.SUCCEEDED, movement.receipt)
    assert result.amount == Money(100, "KES") if told else result.amount in (None, Money(100, "KES"))


def test_a_repeated_result_is_the_same_event(shop: MoneyShop) -> None:
    shop.sim.script({"duplicates": 2}, operation="b2c_payment")
    shop.payout()
    for _ in range(4):
        shop.wait()

    events = shop.events()

    assert len(events) == 3
    assert len({event.event_id for event in events}) == 1


@pytest.mark.parametrize("preset", ["queue_timeout", "queue_timeout_undone"])
def test_a_queue_that_took_too_long_decides_nothing(shop: MoneyShop, preset: str) -> None:
    shop.sim.script(preset, operation="b2c_payment")
    sent = shop.payout()

    event = shop.event(12)

    assert (event.type, event.result.status) == ("payout.updated", ResultStatus.PENDING)
    assert event.provider_reference == sent.provider_reference
    if preset == "queue_timeout":
        assert shop.event(60).result.status is ResultStatus.SUCCEEDED


def test_a_notice_with_nothing_but_ids_is_understood(shop: MoneyShop) -> None:
    shop.sim.script({"notice_after": 10, "event_lost": True, "event_shape": "thin_notice"}, operation="b2c_payment")
    shop.payout()

    assert shop.event(12).result.status is ResultStatus.PENDING


@pytest.mark.parametrize("fault", ["accepted_5xx", "timeout_after_commit", "empty_body", "html_after_commit"])
def test_after_a_lost_answer_the_result_is_still_known_by_our_own_id(shop: MoneyShop, fault: str) -> None:
    shop.sim.script(fault, operation="b2c_payment")

    sent = shop.payout()

    assert sent.status is ResultStatus.UNKNOWN
    assert sent.provider_reference == own_conversation_id(shop.provider().credentials, PAYOUT)
    event = shop.event()
    assert (event.result.status, event.provider_reference) == (ResultStatus.SUCCEEDED, sent.provider_reference)
    assert len(shop.sim.movements()) == 1


def test_the_same_payout_twice_pays_once_and_is_no_failure(shop: MoneyShop) -> None:
    first = shop.payout()

    second = shop.payout()

    assert (first.status, second.status) == (ResultStatus.PENDING, ResultStatus.UNKNOWN)
    assert second.provider_reference == first.provider_reference
    shop.wait()
    assert len(shop.sim.movements()) == 1


def test_an_app_without_v3_pays_by_v1() -> None:
    with opened(shortcodes=(Shortcode(number=SANDBOX_SHORTCODE, v3_payouts=False),)) as shop:
        sent = shop.payout()
        [job] = shop.sim.jobs()
        assert (sent.status, sent.provider_reference) == (ResultStatus.PENDING, job.conversation_id)
        event = shop.event()
        assert (event.provider_reference, event.result.status) == (job.conversation_id, ResultStatus.SUCCEEDED)


def test_a_lost_answer_of_v1_leaves_no_id() -> None:
    refused = error(403, "403.002.1001", "You are not authorized to initiate this transaction")
    provider = make_provider(ScriptedDaraja(refused, answer(500, text="oops")), **READY)

    result = provider.payout(payout())

    assert (result.status, result.provider_reference) == (ResultStatus.UNKNOWN, None)


def test_other_lost_answers_are_named() -> None:
    for reply, raised in (
        (answer(503, text="<html>"), OutcomeUnknown),
        (answer(200, text="<html>"), OutcomeUnknown),
        (answer(200, {"ResponseCode": "0"}), OutcomeUnknown),
        (answer(200, {"ResponseCode": "1", "ConversationID": "AG_1"}), OutcomeUnknown),
        (answer(200, {"ResponseCode": "1", "ResponseDescription": "No"}), RequestRejected),
        (error(400, "400.002.02", "Bad Request - Invalid PartyB"), RequestRejected),
        (error(401, "401.001", "Invalid API call as no apiproduct match found"), InvalidCredentials),
        (error(500, "500.003.02", "Spike Arrest Violation"), RateLimited),
    ):
        provider = make_provider(ScriptedDaraja(reply), **READY)
        with pytest.raises(raised):
            provider.payout(payout(5, destination={"till": "600101"}))


def test_without_a_connection_nothing_was_sent() -> None:
    provider = make_provider(ScriptedDaraja(httpx.ConnectError("no route")), **READY)

    with pytest.raises(NotSent):
        provider.payout(payout())


def test_a_wrong_password_is_a_failed_payout(shop: MoneyShop) -> None:
    shop.account = {"initiator_password": "wrong"}
    shop.payout()

    failure = shop.event().result.failure

    assert failure is not None
    assert "certificate" in failure.message
    assert failure.provider_code == "2001"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"amount": Money(9, "KES")}, "amount_too_small", "amount"),
        ({"amount": Money(250_001, "KES")}, "amount_too_large", "amount"),
        ({"amount": Money("10.50", "KES")}, "amount_not_whole", "amount"),
        ({"amount": Money(10, "USD")}, "currency_unsupported", "amount"),
        ({"amount": Money(0, "KES"), "destination": {"till": "600101"}}, "amount_too_small", "amount"),
        ({"destination": {}}, "destination_missing", "destination"),
        ({"destination": {"phone": " "}}, "destination_missing", "destination"),
        ({"destination": {"phone": "0712345678", "till": "600101"}}, "destination_missing", "destination"),
        ({"destination": {"phone": "0712"}}, "phone_length", "destination.phone"),
        ({"destination": {"phone": "+447700900123"}}, "phone_foreign", "destination.phone"),
        ({"destination": {"phone": "0712345678", "account": "1"}}, "account_unexpected", "destination.account"),
        ({"destination": {"iban": "x"}}, "destination_unknown", "destination.iban"),
        ({"destination": {"paybill": "600000"}}, "account_invalid", "destination.account"),
        ({"destination": {"paybill": "600000", "account": "x" * 14}}, "account_invalid", "destination.account"),
        ({"destination": {"paybill": "6x", "account": "1"}}, "shortcode_invalid", "destination.paybill"),
        ({"destination": {"till": "600101", "account": "1"}}, "account_unexpected", "destination.account"),
        ({"purpose": "Gift"}, "purpose_unknown", "purpose"),
        ({"purpose": "SalaryPayment", "destination": {"till": "600101"}}, "purpose_unknown", "purpose"),
    ],
)
def test_what_cannot_be_paid_out_is_refused_before_anything_is_sent(
    changes: dict[str, Any], code: str, field: str
) -> None:
    daraja = ScriptedDaraja()
    provider = make_provider(daraja, **READY)

    for call in (provider.prepare_payout, provider.payout):
        with pytest.raises(InvalidPaymentData) as refused:
            call(payout(**changes))
        assert [(one.code, one.field) for one in refused.value.violations] == [(code, field)]
    assert (daraja.requests, daraja.token_requests) == ([], 0)


def test_all_objections_come_at_once() -> None:
    with pytest.raises(InvalidPaymentData) as refused:
        make_provider().prepare_payout(payout(3, destination={"phone": "1"}, purpose="x"))

    assert [one.code for one in refused.value.violations] == [
        *("payouts_not_configured", "phone_length", "amount_too_small", "purpose_unknown")
    ]


def test_a_prepared_payout_is_canonical() -> None:
    provider = make_provider(**READY)

    once = provider.prepare_payout(payout())

    assert (once.destination, once.purpose) == ({"phone": PAYEE}, "BusinessPayment")
    assert provider.prepare_payout(once) == once


@pytest.mark.parametrize(
    ("reason", "sent"),
    [("", "Payment"), ("é", "Payment"), ("x", "Payment"), ("a" * 150, "a" * 100), ("R&D #1", "R D 1")],
)
def test_remarks_are_two_to_a_hundred_simple_characters(shop: MoneyShop, reason: str, sent: str) -> None:
    shop.payout(reason=reason)

    assert shop.sim.jobs()[0].request.remarks == sent


@pytest.mark.parametrize("url", ["", "ftp://x/y", "nonsense"])
def test_without_an_address_for_the_result_nothing_is_sent(url: str) -> None:
    daraja = ScriptedDaraja()

    with pytest.raises(RequestRejected) as refused:
        make_provider(daraja, **READY).payout(payout(webhook_url=url))
    assert (refused.value.code, daraja.requests) == ("configuration", [])


def test_payouts_may_leave_from_another_shortcode() -> None:
    with opened(account={"b2c_shortcode": "600100"}) as shop:
        shop.payout()
        assert shop.sim.jobs()[0].request.shortcode == "600100"


def test_no_secret_is_in_an_exchange(shop: MoneyShop) -> None:
    shop.payout()
    texts = repr(shop.exchanges) + repr(shop.events())
    sent = [json.loads(one.request_body) for one in shop.exchanges if one.operation == "b2c_payment"]

    assert sent[0]["SecurityCredential"] == "[redacted]"
    for secret in ("MajuuSim#2026", "majuu-sim-secret", url_of(PAYOUT).rsplit("/", 1)[1]):
        assert secret not in texts


def _at(reference: str, body: Any, *, topic: str = "") -> Any:
    url = f"{url_of(reference)}/{topic}" if topic else url_of(reference)
    return letter(url, json.dumps(body).encode())


@pytest.mark.parametrize("code", [0, 1, 2001])
def test_a_result_that_is_not_the_last_word_settles_nothing(code: int) -> None:
    body = {"Result": {"ResultType": "1", "ResultCode": code, "ConversationID": "AG_1", "TransactionID": "SG632NMUAB"}}

    [event] = make_provider(**READY).parse_webhook(_at(PAYOUT, body))

    assert (event.result.status, event.result.receipt) == (ResultStatus.PENDING, None)


@pytest.mark.parametrize("status", [400, 409, 500])
def test_a_duplicate_is_never_a_refusal_whatever_its_http_status(status: int) -> None:
    """A refusal would give the money back to the balance, and the first request may have been paid."""
    daraja = ScriptedDaraja(error(status, "500.002.1001", "Duplicate OriginatorConversationID."))
    provider = make_provider(daraja, **READY)

    result = provider.payout(payout())

    assert result.status is ResultStatus.UNKNOWN
    assert result.provider_reference == own_conversation_id(provider.credentials, PAYOUT)


@pytest.mark.parametrize(("transaction", "receipt"), [("SG70000000", None), ("SG632NMUAB", "SG632NMUAB"), ("", None)])
def test_a_dummy_is_no_receipt(transaction: str, receipt: str | None) -> None:
    body = {"Result": {"ResultType": 0, "ResultCode": 0, "ConversationID": "AG_1", "TransactionID": transaction}}

    [event] = make_provider(**READY).parse_webhook(_at(PAYOUT, body))

    assert (event.result.status, event.result.receipt) == (ResultStatus.SUCCEEDED, receipt)
