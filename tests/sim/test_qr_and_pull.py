from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import PHONE, Client, Reply, send
from tests.sim.money_client import MoneyClient

# QR.


def generate(money: MoneyClient, **changes: Any) -> Reply:
    body: dict[str, Any] = {
        "MerchantName": "Duka",
        "RefNo": "ORDER1",
        "Amount": 250,
        "TrxCode": "PB",
        "CPI": SANDBOX_SHORTCODE,
        "Size": "300",
        **changes,
    }
    return money.client.post("/mpesa/qrcode/v1/generate", {k: v for k, v in body.items() if v is not ...})


def test_a_qr_code_is_a_png_of_the_asked_size(money: MoneyClient) -> None:
    body = generate(money).body
    assert list(body) == ["ResponseCode", "RequestID", "ResponseDescription", "QRCode"]
    assert (body["ResponseCode"], body["ResponseDescription"]) == ("00", "QR Code Successfully Generated.")
    image = base64.b64decode(body["QRCode"])
    assert image.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    assert struct.unpack(">IIBB", image[16:26]) == (300, 300, 1, 0)
    length = struct.unpack(">I", image[33:37])[0]
    assert image[37:41] == b"IDAT"
    assert len(zlib.decompress(image[41 : 41 + length])) == 300 * (1 + 38)
    assert image.endswith(b"\x00\x00\x00\x00IEND" + struct.pack(">I", zlib.crc32(b"IEND")))
    (code,) = money.sim.qr_codes()
    assert (code.merchant_name, code.reference, code.amount, code.kind, code.receiver) == (
        "Duka",
        "ORDER1",
        "250",
        "PB",
        SANDBOX_SHORTCODE,
    )


def test_codes_that_say_different_things_look_different(money: MoneyClient) -> None:
    assert generate(money).body["QRCode"] == generate(money).body["QRCode"]
    assert generate(money).body["QRCode"] != generate(money, Amount=251).body["QRCode"]


def test_the_response_code_may_be_an_id_as_in_the_documentation(money: MoneyClient) -> None:
    money.sim.script({"event_shape": "text"}, operation="qr_code")
    assert generate(money).body["ResponseCode"].startswith("AG_20260115_")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"MerchantName": ""}, "MerchantName"),
        ({"RefNo": ...}, "RefNo"),
        ({"Amount": "x"}, "Amount"),
        ({"TrxCode": "XX"}, "TrxCode"),
        ({"CPI": ...}, "CPI"),
        ({"Size": "0"}, "Size"),
        ({"Size": "99999"}, "Size"),
    ],
)
def test_a_wrong_qr_field_is_named(money: MoneyClient, changes: dict[str, Any], field: str) -> None:
    assert generate(money, **changes).error == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert money.sim.qr_codes() == []


def test_a_qr_code_can_fail_by_script(money: MoneyClient) -> None:
    money.sim.script("server_error", operation="qr_code")
    assert generate(money).status == 500
    assert money.sim.qr_codes() == []


# Pull.


def open_pull(money: MoneyClient, **changes: Any) -> Reply:
    body = {
        "ShortCode": SANDBOX_SHORTCODE,
        "RequestType": "Pull",
        "NominatedNumber": "0722000000",
        "CallBackURL": "https://shop.example/pull",
        **changes,
    }
    return money.client.post("/pulltransactions/v1/register", body)


def pull(money: MoneyClient, **changes: Any) -> Reply:
    body = {
        "ShortCode": SANDBOX_SHORTCODE,
        "StartDate": "2026-01-13 12:00:00",
        "EndDate": "2026-01-16 12:00:00",
        "OffSetValue": "0",
        **changes,
    }
    return money.client.post("/pulltransactions/v1/query", body)


def test_pulling_is_opened_once_and_the_second_answer_has_other_keys(money: MoneyClient) -> None:
    first, second = open_pull(money).body, open_pull(money).body
    assert {**first, "ResponseRefID": ""} == {
        "ResponseRefID": "",
        "ResponseStatus": "1000",
        "ShortCode": SANDBOX_SHORTCODE,
        "ResponseDescription": "Shortcode Registered Successfully",
    }
    assert {**second, "ResponseRefID": ""} == {
        "ResponseRefID": "",
        "Response Status": "1001",
        "ShortCode": SANDBOX_SHORTCODE,
        "Response Description": "ShortCode already Registered",
    }


def test_payments_of_customers_are_pulled_as_a_list_in_a_list(money: MoneyClient) -> None:
    open_pull(money)
    payment = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 168, "37207636392", names="Jane Doe")
    money.payout()
    money.sim.advance(2)
    body = pull(money).body
    assert {**body, "ResponseRefID": ""} == {
        "ResponseRefID": "",
        "ResponseCode": "1000",
        "ResponseMessage": "Success",
        "Response": [
            [
                {
                    "transactionId": payment.receipt,
                    "trxDate": "2026-01-15T09:00:00Z",
                    "msisdn": 254712345678,
                    "sender": "JANE DOE",
                    "transactiontype": "c2b-pay-bill-debit",
                    "billreference": "37207636392",
                    "amount": "168.00",
                    "organizationname": "Simulated shop 174379",
                }
            ]
        ],
    }


def test_pushes_are_pulled_too_and_other_shortcodes_are_not(money: MoneyClient) -> None:
    open_pull(money)
    money.client.pushed(Amount=40)
    money.sim.advance(2)
    money.sim.pay_till(PHONE, "600101", 50)
    assert [row["amount"] for row in pull(money).body["Response"][0]] == ["40.00"]
    open_pull(money, ShortCode="600100")
    (row,) = pull(money, ShortCode="600100").body["Response"][0]
    assert (row["transactiontype"], row["billreference"]) == ("c2b-buy-goods-debit", "")


def test_nothing_is_an_empty_list_in_a_list(money: MoneyClient) -> None:
    open_pull(money)
    body = pull(money).body
    assert (body["ResponseCode"], body["ResponseMessage"], body["Response"]) == ("1001", "No transactions", [[]])


def test_only_the_last_48_hours_can_be_seen(money: MoneyClient) -> None:
    open_pull(money)
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 1, "A")
    money.sim.advance(48 * 3600)
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 2, "A")
    money.client.fetch_token()
    wide = {"StartDate": "2026-01-01 00:00:00", "EndDate": "2026-01-20 00:00:00"}
    assert [row["amount"] for row in pull(money, **wide).body["Response"][0]] == ["1.00", "2.00"]
    money.sim.advance(1)
    assert [row["amount"] for row in pull(money, **wide).body["Response"][0]] == ["2.00"]


def test_the_asked_window_is_in_east_africa_time_with_both_ends(money: MoneyClient) -> None:
    open_pull(money)
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 1, "A")  # at 12:00:00
    for start, end, count in (
        ("2026-01-15 12:00:00", "2026-01-15 12:00:00", 1),
        ("2026-01-15 12:00:01", "2026-01-15 13:00:00", 0),
        ("2026-01-15 11:00:00", "2026-01-15 11:59:59", 0),
    ):
        assert len(pull(money, StartDate=start, EndDate=end).body["Response"][0]) == count


def test_long_lists_come_in_pages() -> None:
    mail = CollectingTransport()
    config = DarajaConfig(pull_page_size=10)
    with DarajaSimulator(clock=VirtualClock(), config=config, transport=mail) as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), mail)
        open_pull(money)
        for number in range(1, 24):
            sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, number, "A")
        pages = [pull(money, OffSetValue=offset).body["Response"][0] for offset in (0, 10, 20, 30)]
        assert [len(page) for page in pages] == [10, 10, 3, 0]
        assert [int(float(row["amount"])) for page in pages for row in page] == list(range(1, 24))


def test_times_may_be_local_with_the_same_z() -> None:
    mail = CollectingTransport()
    config = DarajaConfig(pull_times="eat")
    with DarajaSimulator(clock=VirtualClock(), config=config, transport=mail) as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), mail)
        open_pull(money)
        sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 1, "A")
        assert pull(money).body["Response"][0][0]["trxDate"] == "2026-01-15T12:00:00Z"


def test_get_is_taken_too(money: MoneyClient) -> None:
    open_pull(money)
    headers = {"Authorization": f"Bearer {money.client.token}", "Content-Type": "application/json"}
    raw = b'{"ShortCode":"174379","StartDate":"2026-01-15 00:00:00","EndDate":"2026-01-16 00:00:00","OffSetValue":"0"}'
    reply = send(money.sim.base_url, "GET", "/pulltransactions/v1/query", raw, headers)
    assert (reply.status, reply.body["ResponseCode"]) == (200, "1001")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"StartDate": "2026-01-15"}, (400, "400.001", "Invalid StartDate")),
        ({"EndDate": "20260115120000"}, (400, "400.001", "Invalid EndDate")),
        ({"StartDate": "2026-01-17 00:00:00"}, (400, "400.001", "EndDate is before StartDate")),
        ({"OffSetValue": "-1"}, (400, "400.002.02", "Bad Request - Invalid OffSetValue")),
        ({"ShortCode": "600100"}, (400, "400.001", "ShortCode is not registered")),
        ({"ShortCode": "999999"}, (400, "400.002.02", "Bad Request - Invalid ShortCode")),
    ],
)
def test_a_wrong_query_is_refused(money: MoneyClient, changes: dict[str, Any], error: tuple[int, str, str]) -> None:
    open_pull(money)
    assert pull(money, **changes).error == error


def test_pull_has_faults_and_a_token_error_of_its_own(money: MoneyClient) -> None:
    open_pull(money)
    money.sim.script("server_error", operation="pull_query")
    assert pull(money).error == (500, "500", "Internal Server Error")
    money.client.token = "stale"
    assert pull(money).error == (401, "401.001", "Invalid Access Token")
