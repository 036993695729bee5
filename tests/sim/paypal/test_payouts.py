from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.paypal import Account, PaypalConfig, PaypalSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.paypal.client import Shop, issue

PAYOUTS, ITEMS = "/v1/payments/payouts", "/v1/payments/payouts-item"
DAY = 86_400


def payout(*receivers: str, name: str = "batch-1", value: str = "20.00", currency: str = "USD") -> dict[str, Any]:
    items = [
        {"amount": {"currency": currency, "value": value}, "receiver": one, "sender_item_id": f"po_{number}"}
        for number, one in enumerate(receivers)
    ]
    return {"sender_batch_header": {"sender_batch_id": name, "recipient_type": "EMAIL"}, "items": items}


def test_a_batch_is_paid_and_told(shop: Shop) -> None:
    made = shop.call("POST", PAYOUTS, payout("a@x.example", "b@x.example"), request_id="p")
    batch = made.json()["batch_header"]["payout_batch_id"]
    assert (made.status_code, made.json()["batch_header"]["batch_status"]) == (201, "PENDING")
    shop.sim.advance(2)
    seen = shop.get(f"{PAYOUTS}/{batch}?total_required=true")
    assert (seen["batch_header"]["batch_status"], seen["total_items"]) == ("SUCCESS", 2)
    assert seen["batch_header"]["amount"] == {"currency": "USD", "value": "40.00"}
    assert seen["batch_header"]["fees"] == {"currency": "USD", "value": "0.50"}
    assert [one["transaction_status"] for one in seen["items"]] == ["SUCCESS", "SUCCESS"]
    item = shop.get(f"{ITEMS}/{seen['items'][0]['payout_item_id']}")
    assert (item["payout_item"]["receiver"], item["sender_batch_id"]) == ("a@x.example", "batch-1")
    succeeded = "PAYMENT.PAYOUTS-ITEM.SUCCEEDED"
    assert shop.heard() == [succeeded, succeeded, "PAYMENT.PAYOUTSBATCH.SUCCESS"]
    assert [(one.code, str(one.amount.value), str(one.fee)) for one in shop.sim.movements()] == [
        ("T0001", "-20.00", "-0.25")
    ] * 2


def test_a_batch_of_the_same_name_is_refused_and_the_first_is_named(shop: Shop) -> None:
    first = shop.call("POST", PAYOUTS, payout("a@x.example")).json()["batch_header"]["payout_batch_id"]
    again = shop.call("POST", PAYOUTS, payout("a@x.example"))
    (detail,) = again.json()["details"]
    assert (again.status_code, again.json()["name"]) == (400, "USER_BUSINESS_ERROR")
    assert (detail["field"], detail["issue"]) == (
        "SENDER_BATCH_ID",
        "Batch with given sender_batch_id already exists",
    )
    assert detail["link"][0]["href"] == f"{shop.sim.base_url}{PAYOUTS}/{first}"
    assert len(shop.sim.payouts()) == 1


def test_the_same_request_id_pays_once(shop: Shop) -> None:
    answers = [shop.call("POST", PAYOUTS, payout("a@x.example"), request_id="p") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(shop.sim.payouts()) == 1


@pytest.mark.parametrize(
    ("outcome", "status", "event", "moved"),
    [
        ("unclaimed", "UNCLAIMED", "UNCLAIMED", "-20.25"),
        ("payout_returned", "RETURNED", "RETURNED", "0.00"),
        ("payout_failed", "FAILED", "FAILED", "0"),
        ("payout_blocked", "BLOCKED", "BLOCKED", "0"),
        ("payout_onhold", "ONHOLD", "HELD", "-20.25"),
    ],
)
def test_an_item_ends_as_its_script_says(shop: Shop, outcome: str, status: str, event: str, moved: str) -> None:
    shop.sim.script(outcome, operation="payout_item", customer="b@x.example")
    shop.call("POST", PAYOUTS, payout("a@x.example", "b@x.example"))
    shop.sim.advance(2)
    assert [one.status for one in shop.sim.payouts()] == ["SUCCESS", status]
    assert f"PAYMENT.PAYOUTS-ITEM.{event}" in shop.heard()
    rest = sum((one.amount.value + one.fee for one in shop.sim.movements()[1:]), Decimal(0))
    assert rest == Decimal(moved)


def test_what_nobody_claims_comes_back(shop: Shop) -> None:
    shop.sim.script("unclaimed", operation="payout_item", times=2)
    shop.call("POST", PAYOUTS, payout("a@x.example", "b@x.example"))
    shop.sim.advance(2)
    first, second = (one.id for one in shop.sim.payouts())
    assert shop.call("POST", f"{ITEMS}/{first}/cancel").json()["transaction_status"] == "RETURNED"
    assert shop.call("POST", f"{ITEMS}/{first}/cancel").status_code == 400
    shop.sim.advance(30 * DAY)
    shop.sign_in()
    assert shop.get(f"{ITEMS}/{second}")["transaction_status"] == "RETURNED"
    assert shop.sim.bank.books.balance("majuu-sim-client", "USD") == 0


def test_a_payment_may_take_days(shop: Shop) -> None:
    shop.sim.script("pending", operation="payout_item")
    shop.call("POST", PAYOUTS, payout("a@x.example"))
    shop.sim.advance(2)
    assert [one.status for one in shop.sim.payouts()] == ["PENDING"]
    shop.sim.advance(3 * DAY)
    assert [one.status for one in shop.sim.payouts()] == ["SUCCESS"]


def test_a_whole_batch_is_denied(shop: Shop) -> None:
    shop.sim.script("payout_denied", operation="payout_create")
    shop.call("POST", PAYOUTS, payout("a@x.example"))
    assert shop.heard() == ["PAYMENT.PAYOUTSBATCH.DENIED"]
    assert ([one.status for one in shop.sim.payouts()], shop.sim.movements()) == (["FAILED"], [])


def test_an_item_can_be_ended_by_hand(shop: Shop) -> None:
    shop.sim.script("pending", operation="payout_item")
    shop.call("POST", PAYOUTS, payout("a@x.example"))
    shop.sim.advance(2)
    (item,) = shop.sim.payouts()
    assert shop.sim.end_payout(item.id, "RETURNED").status == "RETURNED"
    with pytest.raises(ValueError, match="cannot end"):
        shop.sim.end_payout(item.id, "LOST")


def test_there_must_be_money() -> None:
    account = Account(balances={"USD": Decimal("20.24")})
    config = PaypalConfig(accounts=(account,))
    mail = CollectingTransport()
    with PaypalSimulator(seed=1, clock=VirtualClock(), config=config, transport=mail) as sim:
        shop = Shop(sim, mail)
        assert issue(shop.call("POST", PAYOUTS, payout("a@x.example")))[:2] == (422, "INSUFFICIENT_FUNDS")
        assert sim.payouts() == []
        assert shop.call("POST", PAYOUTS, payout("a@x.example", value="19.99")).status_code == 201


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"items": []}, "MISSING_REQUIRED_PARAMETER"),
        (payout(), "MISSING_REQUIRED_PARAMETER"),
        (payout("nobody"), "INVALID_PARAMETER_SYNTAX"),
        (payout("a@x.example", currency="KES"), "CURRENCY_NOT_SUPPORTED"),
        (payout("a@x.example", value="1.001"), "DECIMAL_PRECISION"),
    ],
)
def test_batches_that_are_not_well_formed(shop: Shop, body: dict[str, Any], wrong: str) -> None:
    assert issue(shop.call("POST", PAYOUTS, body)) == (400, "VALIDATION_ERROR", wrong)
    assert shop.sim.payouts() == []


def test_payouts_of_others_are_unknown(shop: Shop) -> None:
    batch = shop.call("POST", PAYOUTS, payout("a@x.example")).json()["batch_header"]["payout_batch_id"]
    other = Shop(shop.sim, shop.mail, ("other-client", "other-secret"))
    assert other.call("GET", f"{PAYOUTS}/{batch}").status_code == 404
    assert other.call("GET", f"{ITEMS}/{shop.sim.payouts()[0].id}").status_code == 404


# The transaction search.


SEARCH = "/v1/reporting/transactions?start_date=2026-01-01T00:00:00Z&end_date=2026-01-31T00:00:00Z"


def test_a_search_lists_what_moved(shop: Shop) -> None:
    capture = shop.paid(invoice_id="inv-1")
    refund = shop.refund(capture, "4.00").json()["id"]
    found = shop.get(f"{SEARCH}&fields=all")
    rows = [one["transaction_info"] for one in found["transaction_details"]]
    assert (found["total_items"], found["total_pages"], found["account_number"]) == (2, 1, "MAJUUSM234567")
    paid, back = rows
    assert (paid["transaction_id"], paid["transaction_event_code"]) == (capture, "T0006")
    assert (paid["transaction_amount"]["value"], paid["fee_amount"]["value"]) == ("10.00", "-0.84")
    assert (paid["invoice_id"], paid["custom_field"], paid["transaction_status"]) == ("inv-1", "ch_1", "S")
    assert paid["transaction_initiation_date"] == "2026-01-15T09:00:00+0000"
    assert (back["transaction_id"], back["transaction_event_code"]) == (refund, "T1107")
    assert (back["paypal_reference_id"], back["transaction_amount"]["value"]) == (capture, "-4.00")
    assert (back["ending_balance"]["value"], "fee_amount" in back) == ("5.16", False)


def test_a_search_comes_in_pages_and_can_be_narrowed(shop: Shop) -> None:
    captures = [shop.paid(custom_id=f"c{number}") for number in range(3)]
    pages = [shop.get(f"{SEARCH}&page_size=2&page={number}") for number in (1, 2, 3)]
    ids = [[one["transaction_info"]["transaction_id"] for one in page["transaction_details"]] for page in pages]
    assert ids == [captures[:2], captures[2:], []]
    assert pages[0]["total_pages"] == 2
    one = shop.get(f"{SEARCH}&transaction_id={captures[1]}")["transaction_details"]
    assert [row["transaction_info"]["custom_field"] for row in one] == ["c1"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?start_date=2026-01-01T00:00:00Z",
        "?start_date=2026-01-01T00:00:00Z&end_date=2026-02-02T00:00:00Z",
        "?start_date=2026-01-02T00:00:00Z&end_date=2026-01-01T00:00:00Z",
        "?start_date=yesterday&end_date=2026-01-01T00:00:00Z",
        "?start_date=2026-01-01T00:00:00Z&end_date=2026-01-31T00:00:00Z&page_size=501",
    ],
)
def test_searches_that_make_no_sense(shop: Shop, query: str) -> None:
    assert issue(shop.call("GET", f"/v1/reporting/transactions{query}"))[:2] == (400, "INVALID_REQUEST")
