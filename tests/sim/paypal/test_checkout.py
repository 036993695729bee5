from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from majuu_sim.paypal import PaypalSimulator
from tests.sim.paypal.client import CANCEL, CLIENT, RETURN, Shop, issue, order_body, payments_of

TOKEN = "/v1/oauth2/token"
GRANT = {"grant_type": "client_credentials"}


def test_a_token_costs_id_and_secret(shop: Shop) -> None:
    answer = shop.http.post(TOKEN, data=GRANT, auth=CLIENT)
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"scope", "access_token", "token_type", "app_id", "expires_in", "nonce"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 32400)


@pytest.mark.parametrize("auth", [None, ("majuu-sim-client", "wrong"), ("nobody", "majuu-sim-secret")])
def test_a_wrong_id_or_secret_buys_nothing(shop: Shop, auth: tuple[str, str] | None) -> None:
    answer = shop.http.post(TOKEN, data=GRANT, auth=auth or httpx.USE_CLIENT_DEFAULT)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert shop.sim.state()["tokens_issued"] == 0


def test_another_grant_is_refused(shop: Shop) -> None:
    answer = shop.http.post(TOKEN, data={"grant_type": "password"}, auth=CLIENT)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_no_order_without_a_good_token(shop: Shop) -> None:
    none = shop.http.post("/v2/checkout/orders", json=order_body())
    assert issue(none) == (401, "AUTHENTICATION_FAILURE", "MISSING_ACCESS_TOKEN")
    unknown = shop.http.post("/v2/checkout/orders", json=order_body(), headers={"Authorization": "Bearer A21AAx"})
    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_token")
    shop.sign_in()
    shop.sim.advance(32_400)
    assert shop.create().json()["error"] == "invalid_token"
    assert shop.sim.orders() == []


def test_a_new_token_leaves_the_one_before_valid_until_all_are_voided(shop: Shop) -> None:
    shop.sign_in()
    first = shop.token
    shop.sign_in()
    shop.token = first
    assert shop.create().status_code == 201
    shop.sim.expire_tokens()
    assert shop.create().status_code == 401


def test_an_order_is_created_approved_and_captured(shop: Shop) -> None:
    created = shop.create(order_body("12.50", invoice_id="inv-1"))
    body = created.json()
    order = body["id"]
    base = shop.sim.base_url
    assert (created.status_code, body["status"]) == (201, "PAYER_ACTION_REQUIRED")
    assert {one["rel"]: one["href"] for one in body["links"]} == {
        "self": f"{base}/v2/checkout/orders/{order}",
        "payer-action": f"{base}/checkoutnow?token={order}",
    }
    shop.sim.approve(order)
    seen = shop.get(f"/v2/checkout/orders/{order}")
    assert (seen["status"], seen["payer"]["payer_id"]) == ("APPROVED", shop.sim.orders()[0].payer.payer_id)
    assert [one["rel"] for one in seen["links"]] == ["self", "capture"]
    captured = shop.capture_order(order)
    (capture,) = payments_of(captured)["captures"]
    assert (captured.status_code, captured.json()["status"], capture["status"]) == (201, "COMPLETED", "COMPLETED")
    assert (capture["custom_id"], capture["invoice_id"], capture["final_capture"]) == ("ch_1", "inv-1", True)
    assert {name: part["value"] for name, part in capture["seller_receivable_breakdown"].items()} == {
        "gross_amount": "12.50",
        "paypal_fee": "0.93",  # 3.49 % of 12.50 is 0.436, and 0.49
        "net_amount": "11.57",
    }
    assert [(str(one.amount.value), one.custom_id) for one in shop.sim.payments()] == [("12.50", "ch_1")]


def test_an_order_without_a_payment_source_has_an_approve_link(shop: Shop) -> None:
    body = order_body()
    context = body.pop("payment_source")["paypal"]["experience_context"]
    created = shop.call("POST", "/v2/checkout/orders", {**body, "application_context": context}).json()
    assert (created["status"], [one["rel"] for one in created["links"]]) == ("CREATED", ["self", "approve", "capture"])
    (order,) = shop.sim.orders()
    assert (order.return_url, order.cancel_url) == (RETURN, CANCEL)


def test_prefer_decides_how_much_is_told(shop: Shop) -> None:
    body = order_body()
    whole = shop.call("POST", "/v2/checkout/orders", body, request_id="a", prefer="representation").json()
    small = shop.call("POST", "/v2/checkout/orders", body, request_id="b", prefer="minimal").json()
    assert whole["purchase_units"][0]["amount"] == {"currency_code": "USD", "value": "10.00"}
    assert set(small) == {"id", "status", "links", "payment_source"}


# The same request twice.


def test_a_repeated_request_id_answers_with_what_was_made(shop: Shop) -> None:
    first, second = shop.create(request_id="same"), shop.create(request_id="same")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert len(shop.sim.orders()) == 1


def test_a_repeated_capture_takes_money_once(shop: Shop) -> None:
    order = shop.approved()
    answers = [shop.capture_order(order, "cap") for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 200, 200]
    assert len({payments_of(one)["captures"][0]["id"] for one in answers}) == 1
    assert len(shop.sim.captures_of("ch_1")) == 1


def test_a_request_id_for_another_body_is_refused(shop: Shop) -> None:
    shop.create(request_id="same")
    other = shop.create(order_body("11.00"), request_id="same")
    assert issue(other) == (422, "UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID")
    assert len(shop.sim.orders()) == 1


def test_twenty_captures_at_once_under_one_id_take_money_once(shop: Shop) -> None:
    order = shop.approved()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: shop.capture_order(order, "cap"), range(20)))
    assert sorted(one.status_code for one in answers) == [200] * 19 + [201]
    assert len(shop.sim.payments()) == 1


def test_a_request_id_has_a_length(shop: Shop) -> None:
    assert shop.create(request_id="x" * 108).status_code == 201
    assert issue(shop.create(request_id="x" * 109)) == (400, "INVALID_REQUEST", "INVALID_STRING_MAX_LENGTH")
    assert len(shop.sim.orders()) == 1


def test_request_ids_of_accounts_do_not_meet(shop: Shop) -> None:
    other = Shop(shop.sim, shop.mail, ("other-client", "other-secret"))
    assert shop.create(request_id="same").json()["id"] != other.create(request_id="same").json()["id"]


def test_an_order_with_a_payment_source_needs_a_request_id(shop: Shop) -> None:
    answer = shop.call("POST", "/v2/checkout/orders", order_body())
    assert issue(answer) == (400, "INVALID_REQUEST", "PAYPAL_REQUEST_ID_REQUIRED")


# What is refused.


@pytest.mark.parametrize(
    ("value", "currency", "status", "wrong"),
    [
        ("10.00", "KES", 422, "CURRENCY_NOT_SUPPORTED"),
        ("10.00", "usd", 422, "INVALID_CURRENCY_CODE"),
        ("10.001", "USD", 422, "DECIMAL_PRECISION"),
        ("10.50", "JPY", 422, "DECIMALS_NOT_SUPPORTED"),
        ("10.50", "HUF", 422, "DECIMALS_NOT_SUPPORTED"),
        ("0.00", "USD", 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("-1.00", "USD", 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("1,00", "USD", 400, "INVALID_PARAMETER_SYNTAX"),
        ("1e3", "USD", 400, "INVALID_PARAMETER_SYNTAX"),
        ("", "USD", 400, "MISSING_REQUIRED_PARAMETER"),
    ],
)
def test_amounts_that_paypal_does_not_take(shop: Shop, value: str, currency: str, status: int, wrong: str) -> None:
    answer = shop.create(order_body(value, currency))
    name = "INVALID_REQUEST" if status == 400 else "UNPROCESSABLE_ENTITY"
    assert issue(answer) == (status, name, wrong)
    assert answer.json()["details"][0]["location"] == "body"
    assert shop.sim.orders() == []


@pytest.mark.parametrize(("value", "currency"), [("1000", "JPY"), ("1000", "HUF"), ("7", "USD"), (".5", "EUR")])
def test_amounts_that_paypal_takes(shop: Shop, value: str, currency: str) -> None:
    assert shop.create(order_body(value, currency)).status_code == 201


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"intent": "SALE"}, "INVALID_PARAMETER_VALUE"),
        ({"intent": None}, "MISSING_REQUIRED_PARAMETER"),
        ({"purchase_units": []}, "MISSING_REQUIRED_PARAMETER"),
        ({"purchase_units": ["x"]}, "INVALID_PARAMETER_SYNTAX"),
        (
            {"purchase_units": [{"amount": {"currency_code": "USD", "value": "1.00"}, "custom_id": "x" * 128}]},
            "INVALID_STRING_MAX_LENGTH",
        ),
    ],
)
def test_orders_that_are_not_well_formed(shop: Shop, change: dict[str, Any], wrong: str) -> None:
    answer = shop.create({**order_body(), **change})
    assert issue(answer) == (400, "INVALID_REQUEST", wrong)
    assert shop.sim.orders() == []


def test_a_body_that_is_no_json_is_refused(shop: Shop) -> None:
    shop.sign_in()
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"}
    broken = shop.http.post("/v2/checkout/orders", content=b"{", headers=headers)
    assert issue(broken) == (400, "INVALID_REQUEST", "MALFORMED_REQUEST_JSON")
    form = shop.http.post(
        "/v2/checkout/orders",
        data={"intent": "CAPTURE"},
        headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert issue(form)[:2] == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_an_order_nobody_approved_cannot_be_captured(shop: Shop) -> None:
    order = shop.order()
    answer = shop.capture_order(order)
    assert issue(answer) == (422, "UNPROCESSABLE_ENTITY", "ORDER_NOT_APPROVED")
    assert len(answer.json()["debug_id"]) == 13
    assert shop.sim.payments() == []


def test_an_order_is_captured_once_and_by_its_intent(shop: Shop) -> None:
    order = shop.approved()
    assert issue(shop.call("POST", f"/v2/checkout/orders/{order}/authorize"))[2] == "ACTION_DOES_NOT_MATCH_INTENT"
    shop.capture_order(order)
    assert issue(shop.capture_order(order, "again"))[2] == "ORDER_ALREADY_CAPTURED"
    held = shop.approved(intent="AUTHORIZE")
    assert shop.call("POST", f"/v2/checkout/orders/{held}/authorize", request_id="1").status_code == 201
    again = shop.call("POST", f"/v2/checkout/orders/{held}/authorize", request_id="2")
    assert issue(again)[2] == "ORDER_ALREADY_AUTHORIZED"
    assert len(shop.sim.payments()) == 1


def test_a_declined_instrument_sends_the_customer_back(shop: Shop, sim: PaypalSimulator) -> None:
    order = shop.approved("declined")
    refused = shop.capture_order(order)
    assert issue(refused)[2] == "INSTRUMENT_DECLINED"
    links = {one["rel"]: one["href"] for one in refused.json()["links"]}
    assert links["redirect"] == f"{sim.base_url}/checkoutnow?token={order}"
    assert sim.payments() == []
    sim.approve(order, "pay")
    assert shop.capture_order(order).status_code == 201


def test_a_customer_may_have_to_come_back(shop: Shop) -> None:
    order = shop.approved("payer_action")
    refused = shop.capture_order(order)
    assert issue(refused)[2] == "PAYER_ACTION_REQUIRED"
    assert refused.json()["links"][0]["rel"] == "payer-action"


def test_an_invoice_is_paid_once(shop: Shop) -> None:
    shop.paid(invoice_id="inv-9")
    second = shop.approved(invoice_id="inv-9")
    assert issue(shop.capture_order(second)) == (422, "UNPROCESSABLE_ENTITY", "DUPLICATE_INVOICE_ID")
    assert len(shop.sim.payments()) == 1
    other = Shop(shop.sim, shop.mail, ("other-client", "other-secret"))
    assert other.paid(invoice_id="inv-9")


def test_orders_of_others_and_orders_that_are_over_are_unknown(shop: Shop) -> None:
    order = shop.order()
    other = Shop(shop.sim, shop.mail, ("other-client", "other-secret"))
    for path in (f"/v2/checkout/orders/{order}", "/v2/checkout/orders/5O190127TN364715T"):
        assert issue(other.call("GET", path)) == (404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
    assert issue(other.capture_order(order))[0] == 404
    shop.sim.advance(3 * 3600)
    assert shop.call("GET", f"/v2/checkout/orders/{order}").status_code == 404
    with pytest.raises(ValueError, match="nobody can approve"):
        shop.sim.approve(order)


def test_an_address_that_does_not_exist(shop: Shop) -> None:
    assert issue(shop.call("GET", "/v2/checkout/nothing"))[:2] == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        ("INSTRUMENT_DECLINED", 422, "UNPROCESSABLE_ENTITY"),
        ("NOT_AUTHORIZED", 403, "NOT_AUTHORIZED"),
        ("INTERNAL_SERVER_ERROR", 500, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_a_refusal_can_be_asked_for_by_header(shop: Shop, code: str, status: int, name: str) -> None:
    shop.sign_in()
    headers = {
        "Authorization": f"Bearer {shop.token}",
        "PayPal-Mock-Response": f'{{"mock_application_codes": "{code}"}}',
        "PayPal-Request-Id": "m",
    }
    answer = shop.http.post("/v2/checkout/orders", json=order_body(), headers=headers)
    assert issue(answer)[:2] == (status, name)
    assert shop.sim.orders() == []
