"""Balances, pulled payments, QR codes and the account's own checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    BalanceQuery,
    InvalidPaymentData,
    OutcomeUnknown,
    QrRequest,
    RequestRejected,
    ResultStatus,
    WebhookRejected,
)
from majuu_mpesa.balances import read_accounts
from tests.mpesa.support import ScriptedDaraja, answer, error, make_provider

pytest.importorskip("majuu_sim.daraja", reason="majuu-sim is not installed")
from majuu_sim.daraja import SANDBOX_SHORTCODE
from majuu_sim.daraja.credentials import certificate_pem
from tests.mpesa.money_shop import ACCOUNT_URL, ADDRESSES, PAYEE, MoneyShop, letter, opened

READY: dict[str, Any] = {"initiator_name": "testapi", "security_credential": "A" * 344}
QUESTION = BalanceQuery(reference="bs_1", webhook_url=f"{ACCOUNT_URL}/balance")
PULLING: dict[str, Any] = {"nominated_number": "0722000000"}


@pytest.fixture
def shop() -> Iterator[MoneyShop]:
    with opened(account=PULLING) as made:
        yield made


def kes(amount: str | int) -> Money:
    return Money(amount, "KES")


# Balances.


def test_balances_come_to_the_accounts_address(shop: MoneyShop) -> None:
    shop.sim.reserve(SANDBOX_SHORTCODE, 300)

    asked = shop.provider().request_balances(QUESTION)

    assert asked.balances is None
    event = shop.event()
    assert (event.type, event.reference, event.provider_reference) == (
        *("balance.reported", None),
        asked.provider_reference,
    )
    assert event.result.status is ResultStatus.SUCCEEDED
    utility = next(account for account in event.balances if account.name == "Utility Account")
    assert (utility.current, utility.available, utility.reserved) == (kes(1_000_000), kes(999_700), kes(300))
    assert utility.uncleared == kes(0)


def test_a_missing_account_is_left_out_and_not_nought(shop: MoneyShop) -> None:
    shop.sim.script({"event_shape": "account_missing"}, operation="account_balance")
    shop.provider().request_balances(QUESTION)

    names = [account.name for account in shop.event().balances]

    assert "Utility Account" not in names
    assert "Working Account" in names


def test_a_refused_question_is_a_failure_with_its_reason(shop: MoneyShop) -> None:
    shop.account = {"initiator_password": "wrong"}
    shop.provider().request_balances(QUESTION)

    event = shop.event()

    assert (event.type, event.balances, event.result.status) == ("balance.reported", (), ResultStatus.FAILED)
    assert event.result.failure is not None
    assert event.result.failure.provider_code == "2001"


def test_a_notice_of_a_full_queue_is_not_the_answer() -> None:
    for inner in ({"ResultType": 1, "ResultCode": 1}, {}):
        body = json.dumps({"Result": {"ConversationID": "AG_1", **inner}}).encode()
        [event] = make_provider(**READY).parse_webhook(letter(QUESTION.webhook_url, body))
        assert (event.result.status, event.balances) == (ResultStatus.PENDING, ())


def test_a_result_at_the_accounts_address_that_is_no_balance_is_refused() -> None:
    body = json.dumps({"Result": {"ConversationID": "AG_1", "ResultCode": 0}}).encode()

    with pytest.raises(WebhookRejected, match="own address"):
        make_provider(**READY).parse_webhook(letter(ACCOUNT_URL, body))


def test_the_order_of_the_fields_is_that_of_safaricoms_arithmetic() -> None:
    [account] = read_accounts("Working Account|KES|346568.83|6186.83|340382.00|0.00")

    assert account.available is not None
    assert account.reserved is not None
    assert (account.current, account.available) == (kes("346568.83"), kes("6186.83"))
    assert account.available + account.reserved == account.current


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("&&", []),
        ("Working Account", []),
        ("Working Account|KES", []),
        ("Working Account|KES|x|1|1|1", []),
        ("Working Account|USD|1.00|1.00|0.00|0.00", []),
        ("|KES|1.00|1.00|0.00|0.00", []),
        ("A|KES|1.00&B|KES|oops&C|KES|2.00|2.00", ["A", "C"]),
        ("Charges Paid Account|KES|-1540.00|-1540.00|0.00|0.00", ["Charges Paid Account"]),
        ("A|KES|1.00|1.00|0.00|0.00|something new", ["A"]),
    ],
)
def test_what_cannot_be_read_is_left_out(text: str, names: list[str]) -> None:
    assert [account.name for account in read_accounts(text)] == names


def test_balances_below_nought_are_kept() -> None:
    [account] = read_accounts("Charges Paid Account|KES|-1540.00|-1540.00|0.00|0.00")

    assert (account.current, account.available) == (kes("-1540.00"), kes("-1540.00"))


def test_fields_that_are_not_told_are_none() -> None:
    [account] = read_accounts("A|KES|1.00")

    assert (account.available, account.reserved, account.uncleared) == (None, None, None)


# Pull.


def test_lost_notices_are_found_page_by_page() -> None:
    with opened(account=PULLING, pull_page_size=3) as shop:
        shop.provider().register_incoming(ADDRESSES)
        paid = [shop.sim.pay_paybill(PAYEE, SANDBOX_SHORTCODE, 10 + n, f"A{n}", names="Jane Doe") for n in range(8)]
        now = shop.clock.now()

        found = list(shop.provider().list_incoming(start=now - timedelta(hours=1), end=now))

        assert [(one.receipt, one.amount) for one in found] == [(one.receipt, kes(one.amount)) for one in paid]
        first = found[0]
        assert (first.payer_phone, first.payer_name.lower(), first.channel) == (PAYEE, "jane doe", "paybill")
        assert (first.account_reference, first.receiver) == ("A0", SANDBOX_SHORTCODE)
        assert first.occurred_at == paid[0].completed_at.replace(microsecond=0)  # type: ignore[union-attr]
        assert sum(one.operation == "pull_transactions" for one in shop.exchanges) == 4


def test_no_payments_are_no_rows(shop: MoneyShop) -> None:
    shop.provider().register_incoming(ADDRESSES)
    now = shop.clock.now()

    assert list(shop.provider().list_incoming(start=now - timedelta(hours=1), end=now)) == []


def test_only_the_last_48_hours_are_asked_for() -> None:
    clock = VirtualClock()
    none = {"ResponseCode": "1001", "Response": [[]]}
    daraja = ScriptedDaraja(answer(200, none))
    with use_clock(clock):
        now = clock.now()
        assert list(make_provider(daraja, **PULLING).list_incoming(start=now - timedelta(days=9), end=now)) == []
        old = make_provider(daraja, **PULLING).list_incoming(start=now - timedelta(9), end=now - timedelta(3))
        assert list(old) == []

    [asked] = [json.loads(request.content) for request in daraja.requests]
    span = [datetime.strptime(asked[name], "%Y-%m-%d %H:%M:%S") for name in ("StartDate", "EndDate")]  # noqa: DTZ007
    assert span[1] - span[0] == timedelta(hours=48)
    assert span[1] == now.replace(tzinfo=None, microsecond=0) + timedelta(hours=3)
    assert asked["OffSetValue"] == "0"


def test_a_service_that_ignores_the_offset_does_not_go_on_forever() -> None:
    row = {"transactionId": "UAF1ABCDEF", "trxDate": "2026-01-05T10:13:00Z", "amount": "5.00"}
    page = {"ResponseCode": "1000", "Response": [[row, {"amount": "no receipt"}]]}
    daraja = ScriptedDaraja(*(answer(200, page) for _ in range(5)))
    clock = VirtualClock()
    with use_clock(clock):
        found = list(
            make_provider(daraja, **PULLING).list_incoming(start=datetime.min.replace(tzinfo=UTC), end=clock.now())
        )

    assert [one.receipt for one in found] == ["UAF1ABCDEF"]
    assert len(daraja.requests) == 2


@pytest.mark.parametrize(
    ("reply", "raised"),
    [
        (error(400, "400.001", "ShortCode is not registered"), RequestRejected),
        (answer(200, {"ResponseCode": "9", "ResponseMessage": "No"}), RequestRejected),
        (answer(200, text="<html>"), OutcomeUnknown),
        (answer(500, text=""), OutcomeUnknown),
    ],
)
def test_a_list_that_cannot_be_had_is_no_empty_list(reply: Any, raised: type[Exception]) -> None:
    provider, clock = make_provider(ScriptedDaraja(reply), **PULLING), VirtualClock()
    with use_clock(clock):
        rows = provider.list_incoming(start=clock.now() - timedelta(hours=1), end=clock.now())
        with pytest.raises(raised):
            list(rows)


def test_without_a_nominated_number_nothing_can_be_listed() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    with pytest.raises(RequestRejected, match="nominated number"):
        list(make_provider().list_incoming(start=now, end=now))


# QR.


@pytest.mark.parametrize(
    ("account", "kind", "receiver"),
    [({}, "PB", SANDBOX_SHORTCODE), ({"kind": "till", "shortcode": "600100", "till_number": "600101"}, "BG", "600101")],
)
def test_a_code_is_drawn(account: dict[str, str], kind: str, receiver: str) -> None:
    with opened(account=account) as shop:
        request = QrRequest(reference="ORDER-12", amount=kes(250), merchant_name="Café Ñandú", size=200)

        code = shop.provider().make_qr_code(request)

        [asked] = shop.sim.qr_codes()
        assert code.png.startswith(b"\x89PNG")
        assert int.from_bytes(code.png[16:20], "big") == 200
        assert (asked.kind, asked.receiver, asked.amount, asked.reference) == (kind, receiver, "250", "ORDER-12")
        assert (asked.merchant_name, asked.size) == ("Cafe Nandu", 200)
        assert code.provider_reference


def test_without_an_amount_the_customer_types_it(shop: MoneyShop) -> None:
    shop.provider().make_qr_code(QrRequest(reference="ORDER-12"))

    [asked] = shop.sim.qr_codes()
    assert (asked.amount, asked.merchant_name) == ("0", SANDBOX_SHORTCODE)


def test_an_id_in_the_place_of_the_code_is_as_good(shop: MoneyShop) -> None:
    shop.sim.script({"event_shape": "text"}, operation="qr_code")

    assert shop.provider().make_qr_code(QrRequest(reference="A")).png.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (QrRequest(reference=" "), "reference_missing"),
        (QrRequest(reference="A", size=10), "size_invalid"),
        (QrRequest(reference="A", size=5000), "size_invalid"),
        (QrRequest(reference="A", amount=kes("1.50")), "amount_not_whole"),
        (QrRequest(reference="A", amount=Money(1, "USD")), "currency_unsupported"),
        (QrRequest(reference="A", amount=kes(250_001)), "amount_too_large"),
    ],
)
def test_what_cannot_be_drawn_is_refused(request_: QrRequest, code: str) -> None:
    with pytest.raises(InvalidPaymentData) as refused:
        make_provider().make_qr_code(request_)
    assert [one.code for one in refused.value.violations] == [code]


@pytest.mark.parametrize("body", [{"ResponseCode": "00"}, {"QRCode": "AAAA"}, {"QRCode": "not base 64"}, {"QRCode": 5}])
def test_an_answer_without_a_picture_is_no_code(body: dict[str, Any]) -> None:
    with pytest.raises(RequestRejected, match="drew no code"):
        make_provider(ScriptedDaraja(answer(200, body))).make_qr_code(QrRequest(reference="A"))


# Checks.


def checked(
    url: str = "https://pay.example.co.ke/in/x/y", *, off: int = 0, **changes: Any
) -> dict[str, tuple[str, str]]:
    """Name to state and message, with Safaricom's clock ``off`` seconds ahead."""
    clock = VirtualClock()
    date = (clock.now() + timedelta(seconds=off)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    token = {"access_token": "T", "expires_in": "3599"}
    daraja = ScriptedDaraja(oauth=changes.pop("oauth", None) or (lambda: answer(200, token, headers={"Date": date})))
    with use_clock(clock):
        found = list(make_provider(daraja, **changes).self_checks(callback_url=url))
    assert len({one.name for one in found}) == len(found)
    return {one.name: (one.state, one.message) for one in found}


def test_a_complete_account_is_in_order() -> None:
    found = checked(initiator_name="testapi", initiator_password="Secret#1", certificate=certificate_pem(), **PULLING)

    assert {state for state, _ in found.values()} == {"ok"}
    assert set(found) == {
        *("access_token", "clock", "callback_words", "callback_https", "callback_addresses"),
        *("initiator", "certificate", "security_credential", "pull", "c2b"),
    }
    assert "2048 bits" in found["certificate"][1]
    assert "344 characters" in found["security_credential"][1]
    assert "Secret#1" not in repr(found)


@pytest.mark.parametrize(("off", "state"), [(0, "ok"), (30, "ok"), (-90, "warning"), (3600, "error"), (-3600, "error")])
def test_a_clock_that_is_wrong_is_noticed(off: int, state: str) -> None:
    found = checked(off=off)["clock"]

    assert found[0] == state
    assert f"{abs(off)} s off" in found[1]


@pytest.mark.parametrize("headers", [None, {"Date": "yesterday"}])
def test_a_clock_that_is_not_told_is_no_error(headers: Any) -> None:
    token = {"access_token": "T", "expires_in": 3599}

    assert checked(oauth=lambda: answer(200, token, headers=headers))["clock"][0] == "warning"


def test_wrong_keys_are_named_and_the_rest_is_checked_all_the_same() -> None:
    found = checked(oauth=lambda: answer(400, text=""))

    assert found["access_token"][0] == "error"
    assert "consumer key" in found["access_token"][1]
    assert "clock" not in found
    assert found["callback_https"][0] == "ok"
    assert checked(oauth=lambda: answer(500, text=""))["access_token"][0] == "error"


@pytest.mark.parametrize(
    ("url", "live", "name", "state"),
    [
        ("https://pay.example.co.ke/mpesa/x", False, "callback_words", "error"),
        ("https://executive.co.ke/in", True, "callback_words", "error"),
        ("http://pay.example.co.ke/in", False, "callback_https", "warning"),
        ("http://pay.example.co.ke/in", True, "callback_https", "error"),
        ("https://localhost/in", False, "callback_host", "warning"),
        ("https://10.0.0.5/in", True, "callback_host", "error"),
        ("https://pay.internal/in", True, "callback_host", "error"),
        ("", True, "callback_url", "error"),
    ],
)
def test_an_address_that_safaricom_cannot_use_is_named(url: str, live: bool, name: str, state: str) -> None:
    assert checked(url, livemode=live)[name][0] == state


def test_what_is_not_configured_is_a_warning() -> None:
    found = checked()

    assert (found["initiator"][0], found["pull"][0]) == ("warning", "warning")
    assert "certificate" not in found


def test_a_certificate_that_is_missing_or_rubbish_is_an_error() -> None:
    account: dict[str, Any] = {"initiator_name": "a", "initiator_password": "Secret#1"}

    assert checked(**account)["certificate"][0] == "error"
    assert checked(**account, certificate="rubbish")["certificate"][0] == "error"
    assert checked(**READY)["security_credential"][0] == "ok"
    long = checked(initiator_name="a", initiator_password="x" * 246, certificate=certificate_pem())
    assert long["security_credential"][0] == "error"


def test_a_list_of_addresses_that_cannot_be_read_is_an_error() -> None:
    assert checked(options={"callback_addresses": "nonsense"})["callback_addresses"][0] == "error"


def test_over_the_simulator_every_check_answers(shop: MoneyShop) -> None:
    names = [found.name for found in shop.provider().self_checks(callback_url=ACCOUNT_URL)]

    assert names[:2] == ["access_token", "clock"]
    assert "security_credential" in names
