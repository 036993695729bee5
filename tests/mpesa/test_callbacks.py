from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.providers import FailureCode, ProviderEvent, ResultStatus, Trust, WebhookRejected
from majuu_mpesa.fields import MAX_BODY
from tests.mpesa.support import CHECKOUT_ID, make_provider, stk_callback, webhook

PAID = [
    ("Amount", 1500.00),
    ("MpesaReceiptNumber", "NLJ7RT61SV"),
    ("TransactionDate", 20191219102115),
    ("PhoneNumber", 254708374149),
]


def read(body: Any) -> ProviderEvent:
    [event] = make_provider().parse_webhook(webhook(body))
    return event


def test_a_payment_is_read_in_full() -> None:
    event = read(stk_callback(0, PAID))

    assert (event.type, event.reference, event.provider_reference) == ("payment.updated", "ch_1", CHECKOUT_ID)
    assert event.event_id == f"stk:{CHECKOUT_ID}:0:NLJ7RT61SV:1500.00"
    result = event.result
    assert result.status is ResultStatus.SUCCEEDED
    assert result.amount == Money("1500.00", "KES")
    assert (result.receipt, result.payer) == ("NLJ7RT61SV", "254708374149")
    assert result.occurred_at == event.occurred_at == datetime(2019, 12, 19, 7, 21, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("1.00", "1"),
        ('"2500"', "2500"),
        ('"10.50"', "10.50"),
        ("1e3", "1000"),
        ("0.1", "0.1"),
    ],
)
def test_amounts_are_exact_whatever_type_they_come_in(text: str, expected: str) -> None:
    body = json.dumps(stk_callback(0, [("Amount", "@")])).replace('"@"', text).encode()

    assert read(body).result.amount == Money(Decimal(expected), "KES")


@pytest.mark.parametrize(
    "text", ['"abc"', "0", "-5", "1.001", "1e400", "true", "[]", "{}", '"2,500"', '"NaN"', "9" * 30]
)
def test_an_amount_that_cannot_be_money_is_refused(text: str) -> None:
    body = json.dumps(stk_callback(0, [("Amount", "@")])).replace('"@"', text).encode()

    with pytest.raises(WebhookRejected, match="Amount"):
        read(body)


@pytest.mark.parametrize("metadata", [None, {}, [], {"Item": None}, {"Item": "x"}, {"Item": [1, None, {"Name": 5}]}])
def test_a_success_without_details_is_still_a_success(metadata: Any) -> None:
    clock = VirtualClock()
    with use_clock(clock):
        event = read(stk_callback(0, CallbackMetadata=metadata))

    assert event.result.status is ResultStatus.SUCCEEDED
    assert (event.result.amount, event.result.receipt, event.result.payer) == (None, None, None)
    assert (event.result.occurred_at, event.occurred_at) == (None, clock.now())


def test_a_single_item_need_not_be_in_a_list() -> None:
    event = read(stk_callback(0, CallbackMetadata={"Item": {"Name": "Amount", "Value": 5}}))

    assert event.result.amount == Money(5, "KES")


def test_of_a_name_that_comes_twice_the_first_value_counts() -> None:
    items = [("MpesaReceiptNumber", "AAA111"), ("Amount", None), ("Amount", 10), ("MpesaReceiptNumber", "BBB222")]

    result = read(stk_callback("0", items)).result

    assert (result.receipt, result.amount) == ("AAA111", Money(10, "KES"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (20260504210428, datetime(2026, 5, 4, 18, 4, 28, tzinfo=UTC)),
        ("20260504210428", datetime(2026, 5, 4, 18, 4, 28, tzinfo=UTC)),
        ("2026-05-04 21:04:28", datetime(2026, 5, 4, 18, 4, 28, tzinfo=UTC)),
        (20260101000000, datetime(2025, 12, 31, 21, 0, tzinfo=UTC)),
        (20261301000000, None),
        ("00010101000000", None),
        (2026050421, None),
        ("yesterday", None),
        (True, None),
    ],
)
def test_times_are_east_african(value: Any, expected: datetime | None) -> None:
    assert read(stk_callback(0, [("TransactionDate", value)])).result.occurred_at == expected


@pytest.mark.parametrize("value", ["2547 ***** 126", "5e4b" * 16, 254708374149])
def test_payers_come_plain_masked_and_hashed(value: Any) -> None:
    assert read(stk_callback(0, [("PhoneNumber", value)])).result.payer == str(value)


@pytest.mark.parametrize("value", ["<b>X</b>", "RKL 51", "", "É1", "A" * 33, {"a": 1}])
def test_a_receipt_that_is_none_is_left_out(value: Any) -> None:
    assert read(stk_callback(0, [("MpesaReceiptNumber", value)])).result.receipt is None


@pytest.mark.parametrize("code", [1032, "1032", 1032.0])
def test_a_cancelled_prompt_is_a_decline_by_the_customer(code: Any) -> None:
    event = read(stk_callback(code, ResultDesc="[STK_CB - ]Request cancelled by user"))

    assert event.result.status is ResultStatus.FAILED
    assert event.result.failure is not None
    assert event.result.failure.code is FailureCode.CUSTOMER_CANCELED
    assert event.result.failure.provider_code == "1032"
    assert event.result.failure.message == "[STK_CB - ]Request cancelled by user"
    assert event.event_id == f"stk:{CHECKOUT_ID}:1032::"


def test_a_failure_never_carries_money() -> None:
    result = read(stk_callback(1032, PAID)).result

    assert (result.amount, result.receipt) == (None, None)


def test_codes_we_do_not_know_are_passed_on_without_settling_anything() -> None:
    event = read(stk_callback("TP40153", ResultDesc="Something new"))

    assert (event.result.status, event.result.failure) == (ResultStatus.UNKNOWN, None)
    assert event.result.raw["Body"]["stkCallback"]["ResultDesc"] == "Something new"
    assert read(stk_callback(4999)).result.status is ResultStatus.PENDING


def test_a_repeated_delivery_is_the_same_event_and_another_outcome_another() -> None:
    seen = [
        read(stk_callback(0, PAID)).event_id,
        read(stk_callback("0", list(reversed(PAID)), ResultDesc="other words")).event_id,
        read(stk_callback(0, [("Amount", 1), *PAID[1:]])).event_id,
        read(stk_callback(0, [*PAID[:1], ("MpesaReceiptNumber", "OTHER1")])).event_id,
        read(stk_callback(0)).event_id,
        read(stk_callback(1032)).event_id,
        read(stk_callback(0, PAID, CheckoutRequestID="ws_CO_2")).event_id,
    ]

    assert seen[0] == seen[1]
    assert len(set(seen)) == 6


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"<xml/>", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"Body": NaN}', "not JSON"),
        (b'{"Body": 1e99999999999999999999}', "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[[1]]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "stkCallback is missing"),
        ({"Body": []}, "stkCallback is missing"),
        ({"Body": {"stkCallback": []}}, "stkCallback is missing"),
        ({"body": {"stkCallback": {}}}, "stkCallback is missing"),
        ({"Body": {"stkCallback": {"ResultCode": 0}}}, "CheckoutRequestID"),
        (stk_callback(0, CheckoutRequestID=5), "CheckoutRequestID"),
        (stk_callback(0, CheckoutRequestID="x" * 101), "CheckoutRequestID"),
        (stk_callback(0, CheckoutRequestID="ws_\x00CO"), "CheckoutRequestID"),
        (stk_callback(0, CheckoutRequestID="ws CO"), "CheckoutRequestID"),
        (stk_callback(None), "ResultCode"),
        (stk_callback(True), "ResultCode"),
        (stk_callback([0]), "ResultCode"),
        (stk_callback(""), "ResultCode"),
        (stk_callback(0.5), "ResultCode"),
        ({"TransactionType": "Pay Bill", "TransID": "RKL51ZDR4F", "TransAmount": "5.00"}, "C2B"),
        ({"Result": {"ResultCode": 0, "ConversationID": "AG_1"}}, "B2C"),
    ],
)
def test_everything_that_is_no_stk_callback_is_refused_with_the_reason(body: Any, reason: str) -> None:
    with pytest.raises(WebhookRejected, match=reason):
        read(body)


def test_a_body_of_a_megabyte_is_refused_unread() -> None:
    body = json.dumps(stk_callback(0, PAID, Padding="x" * 1_000_000)).encode()

    with pytest.raises(WebhookRejected, match=f"longer than {MAX_BODY}"):
        read(body)
    assert read(json.dumps(stk_callback(0, PAID)).encode().ljust(MAX_BODY)).result.status is ResultStatus.SUCCEEDED


def test_hostile_text_does_not_get_through() -> None:
    body = stk_callback(1, ResultDesc="bad\x00 \u202eevil\ud800\nline", **{"k\x00ey": {"deep": [[[[[[[["x"]]]]]]]]}})

    result = read(body).result

    assert result.failure is not None
    assert result.failure.message == "bad evil line"
    kept = json.dumps(result.raw, ensure_ascii=False).encode()
    assert b"\\u0000" not in kept
    assert b"\x00" not in kept


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(
    code=JSON,
    checkout_id=JSON | st.just(CHECKOUT_ID),
    items=st.lists(
        st.fixed_dictionaries(
            {"Name": st.sampled_from(["Amount", "MpesaReceiptNumber", "TransactionDate", "PhoneNumber"]), "Value": JSON}
        )
        | JSON,
        max_size=5,
    ),
)
def test_no_callback_shape_crashes_and_all_that_is_read_can_be_stored(code: Any, checkout_id: Any, items: Any) -> None:
    body = stk_callback(code, CheckoutRequestID=checkout_id, CallbackMetadata={"Item": items})
    try:
        event = read(body)
    except WebhookRejected as refused:
        assert str(refused)  # noqa: PT017
    else:
        json.dumps(event.result.raw).encode()
        assert "\x00" not in event.event_id + (event.result.receipt or "") + (event.result.payer or "")


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_at_all_crashes(body: bytes) -> None:
    with pytest.raises(WebhookRejected):
        read(body)


def test_a_callback_from_safaricom_is_unsigned_all_the_same() -> None:
    provider = make_provider(livemode=True)

    assert provider.verify_webhook(webhook(stk_callback(0))) is Trust.UNSIGNED


@pytest.mark.parametrize(
    ("changes", "options", "reason"),
    [
        ({"remote_addr": "203.0.113.9"}, {}, "not one of Safaricom's callback addresses"),
        ({"remote_addr": ""}, {}, "not one of Safaricom's callback addresses"),
        ({"method": "GET"}, {}, "by POST"),
        ({}, {"callback_addresses": "*"}, "live mode"),
        ({}, {"callback_addresses": "nonsense"}, "setting is wrong"),
    ],
)
def test_callbacks_from_elsewhere_are_refused(changes: dict[str, str], options: dict[str, str], reason: str) -> None:
    with pytest.raises(WebhookRejected, match=reason):
        make_provider(livemode=True, options=options).verify_webhook(webhook(stk_callback(0), **changes))


@pytest.mark.parametrize("accepted", [True, False])
def test_safaricom_always_hears_that_all_is_well(accepted: bool) -> None:
    response = make_provider().webhook_response(accepted=accepted)

    assert (response.status, response.content_type) == (200, "application/json")
    assert json.loads(response.body) == {"ResultCode": 0, "ResultDesc": "Success"}
