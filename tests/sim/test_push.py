from __future__ import annotations

import re
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.daraja.checking import is_callback_url
from tests.sim.daraja_client import PHONE, PUSH, STAMP, Client, Receiver, password, send

LONG_NUMBER = b'{"Amount":' + b"9" * 5000 + b"}"


def test_an_accepted_push_rings_and_answers_in_text(sim: DarajaSimulator, client: Client) -> None:
    reply = client.push(Amount="250", AccountReference="INV-7")
    assert reply.status == 200
    assert reply.body == {
        "MerchantRequestID": reply.body["MerchantRequestID"],
        "CheckoutRequestID": "ws_CO_15012026120000000712345678",
        "ResponseCode": "0",
        "ResponseDescription": "Success. Request accepted for processing",
        "CustomerMessage": "Success. Request accepted for processing",
    }
    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\d+", reply.body["MerchantRequestID"])
    (prompt,) = sim.prompts()
    assert (prompt.request.amount, prompt.request.msisdn, prompt.request.account_reference) == (250, PHONE, "INV-7")
    assert prompt.active
    assert sim.payments() == []


def test_a_paid_push_is_called_back_with_the_receipt_of_the_payment(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    checkout = client.pushed(Amount=250)
    sim.advance(1.9)
    assert receiver.seen == []
    sim.advance(0.1)
    (payment,) = sim.payments()
    assert (payment.amount, payment.msisdn, payment.shortcode, payment.checkout_request_id) == (
        250,
        PHONE,
        SANDBOX_SHORTCODE,
        checkout,
    )
    assert receiver.paths == ["/in/charge-1"]
    assert receiver.seen == [
        {
            "MerchantRequestID": payment.merchant_request_id,
            "CheckoutRequestID": checkout,
            "ResultCode": 0,
            "ResultDesc": "The service request is processed successfully.",
            "CallbackMetadata": {
                "Item": [
                    {"Name": "Amount", "Value": 250},
                    {"Name": "MpesaReceiptNumber", "Value": payment.receipt},
                    {"Name": "TransactionDate", "Value": 20260115120002},
                    {"Name": "PhoneNumber", "Value": int(PHONE)},
                ]
            },
        }
    ]
    assert re.fullmatch("UAF[A-Z0-9]{7}", payment.receipt)


def test_numbers_may_be_sent_as_numbers(sim: DarajaSimulator, client: Client) -> None:
    code = int(SANDBOX_SHORTCODE)
    client.pushed(BusinessShortCode=code, PartyB=code, PartyA=int(PHONE), PhoneNumber=int(PHONE))
    assert sim.prompts()[0].request.msisdn == PHONE


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"BusinessShortCode": ...}, "BusinessShortCode"),
        ({"BusinessShortCode": "1234"}, "BusinessShortCode"),
        ({"BusinessShortCode": "12345678"}, "BusinessShortCode"),
        ({"BusinessShortCode": ["174379"]}, "BusinessShortCode"),
        ({"Timestamp": ...}, "Timestamp"),
        ({"Timestamp": "2026-01-15 12:00"}, "Timestamp"),
        ({"Timestamp": "20260230120000"}, "Timestamp"),
        ({"Password": ...}, "Password"),
        ({"TransactionType": ...}, "TransactionType"),
        ({"TransactionType": "CustomerPayBill"}, "TransactionType"),
        ({"Amount": ...}, "Amount"),
        ({"Amount": 0}, "Amount"),
        ({"Amount": -5}, "Amount"),
        ({"Amount": 10.5}, "Amount"),
        ({"Amount": 10.0}, "Amount"),
        ({"Amount": "10.00"}, "Amount"),
        ({"Amount": "١٠"}, "Amount"),
        ({"Amount": True}, "Amount"),
        ({"Amount": None}, "Amount"),
        ({"Amount": 250_001}, "Amount"),
        ({"PartyA": "0712345678"}, "PartyA"),
        ({"PartyB": ...}, "PartyB"),
        ({"PhoneNumber": "0712345678"}, "PhoneNumber"),
        ({"PhoneNumber": "255712345678"}, "PhoneNumber"),
        ({"PhoneNumber": "254212345678"}, "PhoneNumber"),
        ({"PhoneNumber": "+254712345678"}, "PhoneNumber"),
        ({"PhoneNumber": "2547123456789"}, "PhoneNumber"),
        ({"PhoneNumber": "254712345678\n"}, "PhoneNumber"),
        ({"CallBackURL": ...}, "CallBackURL"),
        ({"CallBackURL": "https://shop.example/mpesa/in"}, "CallBackURL"),
        ({"AccountReference": ...}, "AccountReference"),
        ({"AccountReference": ""}, "AccountReference"),
        ({"AccountReference": "THIRTEENCHARS"}, "AccountReference"),
        ({"TransactionDesc": ...}, "Remarks"),
        ({"TransactionDesc": ""}, "Remarks"),
        ({"TransactionDesc": "fourteen chars"}, "Remarks"),
        ({"TransactionDesc": "a & b"}, "Remarks"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_rings(
    sim: DarajaSimulator, client: Client, changes: dict[str, Any], field: str
) -> None:
    client.fetch_token()
    reply = client.push(**changes)
    assert reply.error == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert set(reply.body) == {"requestId", "errorCode", "errorMessage"}
    assert sim.prompts() == []


def test_a_shortcode_nobody_has_is_refused(sim: DarajaSimulator, client: Client) -> None:
    reply = client.push(BusinessShortCode="999999", Password=password("999999"))
    assert reply.error == (500, "500.001.1001", "Merchant does not exist")
    assert sim.prompts() == []


@pytest.mark.parametrize("wrong", [password(stamp="20260115120001"), password(passkey="x"), "é", password()[:-1]])
def test_a_password_of_another_second_or_key_is_refused(sim: DarajaSimulator, client: Client, wrong: str) -> None:
    reply = client.push(Password=wrong)
    assert reply.error == (500, "500.001.1001", "[MerchantValidate] - Wrong credentials")
    assert sim.prompts() == []


def test_a_timestamp_far_from_now_is_refused_when_asked_for() -> None:
    with DarajaSimulator(clock=VirtualClock(), config=DarajaConfig(max_clock_skew=3600)) as sim:
        client = Client(sim.base_url, "http://127.0.0.1:9/x")
        utc = "20260115090000"  # the hour in UTC instead of EAT
        reply = client.push(Timestamp=utc, Password=password(stamp=utc))
        assert reply.error == (400, "400.002.02", "Bad Request - Invalid Timestamp")
        assert client.push(Timestamp=STAMP).status == 200


def test_another_content_type_is_answered_as_an_empty_request(sim: DarajaSimulator, client: Client) -> None:
    client.fetch_token()
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": kind}
        reply = send(client.base_url, "POST", PUSH, b"BusinessShortCode=174379", headers)
        assert reply.error == (400, "400.002.02", "Bad Request - Invalid BusinessShortCode")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"Amount":' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_object_is_refused(sim: DarajaSimulator, client: Client, raw: bytes) -> None:
    client.fetch_token()
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
    reply = send(client.base_url, "POST", PUSH, raw, headers)
    assert reply.error == (400, "400.002.05", "Invalid Request Payload")
    assert sim.prompts() == []


def test_get_and_put_have_errors_of_their_own(client: Client) -> None:
    client.fetch_token()
    headers = {"Authorization": f"Bearer {client.token}"}
    get = send(client.base_url, "GET", PUSH, None, headers)
    assert get.error == (404, "404.001.04", "Invalid Authentication Header")
    put = send(client.base_url, "PUT", PUSH, b"{}", headers)
    assert put.error == (405, "405.001", "Method Not Allowed")


def test_another_address_is_not_found(client: Client) -> None:
    reply = send(client.base_url, "POST", "/mpesa/nothing/v1/here", b"{}", {})
    assert reply.error == (404, "404.001.01", "Resource not found")


def test_a_ringing_phone_takes_no_second_prompt(sim: DarajaSimulator, client: Client) -> None:
    client.pushed()
    reply = client.push(Amount=7)
    text = "Unable to lock subscriber, a transaction is already in process for the current subscriber"
    assert reply.error == (500, "500.001.1001", text)
    assert client.push(phone="254711111111").status == 200
    sim.advance(2)
    assert client.push(Amount=7).status == 200
    assert len(sim.prompts()) == 3


def test_the_same_amount_again_within_two_minutes_ends_with_17(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    client.pushed(Amount=50)
    sim.advance(2)
    client.pushed(Amount=50)
    sim.advance(2)
    client.pushed(Amount=51)
    sim.advance(118)
    client.pushed(Amount=50)
    sim.advance(2)
    assert receiver.codes == [0, 17, 0, 0]
    assert [payment.amount for payment in sim.payments()] == [50, 51, 50]


def test_a_failed_prompt_does_not_count_as_the_same_amount(sim: DarajaSimulator, client: Client) -> None:
    sim.script("cancel")
    client.pushed(Amount=50)
    sim.advance(2)
    client.pushed(Amount=50)
    sim.advance(2)
    assert len(sim.payments()) == 1


def test_a_till_is_paid_through_its_store_number(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    till = {"BusinessShortCode": "600100", "Password": password("600100"), "TransactionType": "CustomerBuyGoodsOnline"}
    client.pushed(**till, PartyB="600101")
    sim.advance(2)
    assert [(payment.shortcode, payment.receiver) for payment in sim.payments()] == [("600100", "600101")]
    client.pushed(**till, PartyB="600999", phone="254711111111")
    sim.advance(2)
    assert receiver.codes == [0, "SFC_IC0003"]
    assert len(sim.payments()) == 1


def test_the_other_products_transaction_type_ends_with_2028(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    client.pushed(TransactionType="CustomerBuyGoodsOnline")
    sim.advance(2)
    assert receiver.codes == [2028]
    assert sim.payments() == []


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://shop.example/in/7f3a", True),
        ("https://shop.example:8443/in", True),
        ("https://196.201.214.1/in", True),
        ("http://127.0.0.1:8000/in", True),
        ("http://localhost:8000/in", True),
        ("http://[::1]:8000/in", True),
        ("http://web:8000/in", True),
        ("http://shop.example/in", False),
        ("https://10.0.0.7/in", False),
        ("https://intranet/in", False),
        ("https://shop.local/in", False),
        ("https://shop.example/M-PESA/in", False),
        ("https://shop.example/MPesa/in", False),
        ("https://safaricom.shop.example/in", False),
        ("https://shop.example/executive", False),
        ("https://shop.example/cmd", False),
        ("https://shop.example/in?SQL=1", False),
        ("https://shop.example/Query", False),
        ("https://abc.ngrok.io/in", False),
        ("ftp://shop.example/in", False),
        ("https://", False),
        ("https://shop.example:99999/in", False),
        ("https://shop.example/a b", False),
        ("https://shop.example/\n", False),
        ("https://shóp.example/in", False),
        ("not a url", False),
        ("https://[::1/in", False),
    ],
)
def test_callback_addresses(url: str, fine: bool) -> None:
    assert is_callback_url(url, DarajaConfig(callback_hosts=("web",))) is fine


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/in", "http://localhost/in", "https://127.0.0.1/in"])
def test_loopback_addresses_can_be_refused_as_daraja_would(url: str) -> None:
    assert is_callback_url(url, DarajaConfig(allow_loopback_callbacks=False)) is False
