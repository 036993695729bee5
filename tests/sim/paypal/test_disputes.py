from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from majuu_sim.paypal import Dispute
from tests.sim.paypal.client import Shop, issue, money

DISPUTES = "/v1/customer/disputes"
DAY = 86_400


def answer(shop: Shop, dispute: str, what: str = "provide-evidence", **form: Any) -> httpx.Response:
    """A form with ``input`` and files, as PayPal wants it."""
    data = form.get("data", {"evidences": [{"evidence_type": "PROOF_OF_FULFILLMENT", "notes": "sent on Monday"}]})
    files = {"input": (None, json.dumps(data), "application/json"), **form.get("files", {})}
    headers = {"Authorization": f"Bearer {shop.token}"}
    if "request_id" in form:
        headers["PayPal-Request-Id"] = form["request_id"]
    return shop.http.post(f"{DISPUTES}/{dispute}/{what}", files=files, headers=headers)


def opened(shop: Shop, **how: Any) -> Dispute:
    capture = shop.paid(invoice_id="inv-1")
    shop.heard()
    return shop.sim.open_dispute(capture, **how)


def balance(shop: Shop) -> Decimal:
    return shop.sim.bank.books.balance("majuu-sim-client", "USD")


def codes(shop: Shop) -> list[tuple[str, str]]:
    """What moved after the payment itself."""
    return [(one.code, str(one.amount.value)) for one in shop.sim.movements()[1:]]


def test_a_dispute_is_told_listed_and_shown(shop: Shop) -> None:
    dispute = opened(shop, note="It never came")
    shop.sim.settle()
    (letter,) = shop.letters()
    assert letter.type == "CUSTOMER.DISPUTE.CREATED"
    seen = shop.get(f"{DISPUTES}/{dispute.id}")
    assert letter.resource == seen
    assert seen["disputed_transactions"][0]["seller_transaction_id"] == dispute.capture.id
    assert seen["disputed_transactions"][0]["custom"] == "ch_1"
    assert (seen["status"], seen["reason"]) == ("WAITING_FOR_SELLER_RESPONSE", "MERCHANDISE_OR_SERVICE_NOT_RECEIVED")
    assert seen["dispute_amount"] == {"currency_code": "USD", "value": "10.00"}
    assert seen["seller_response_due_date"].startswith("2026-01-25T")
    assert seen["messages"][0]["content"] == "It never came"
    (row,) = shop.get(f"{DISPUTES}?dispute_state=REQUIRED_ACTION")["items"]
    assert (row["dispute_id"], row["dispute_state"]) == (dispute.id, "REQUIRED_ACTION")
    assert shop.get(f"{DISPUTES}?dispute_state=RESOLVED")["items"] == []
    assert codes(shop) == [("T1110", "-10.00")]


def test_a_list_comes_in_pages(shop: Shop) -> None:
    made = [shop.sim.open_dispute(shop.paid(custom_id=f"c{number}")).id for number in range(3)]
    first = shop.get(f"{DISPUTES}?page_size=2")
    (following,) = [one["href"] for one in first["links"] if one["rel"] == "next"]
    second = shop.get(following.removeprefix(shop.sim.base_url))
    assert [one["dispute_id"] for one in first["items"] + second["items"]] == made[::-1]
    assert [one["rel"] for one in second["links"]] == ["self"]
    assert issue(shop.call("GET", f"{DISPUTES}?page_size=51"))[2] == "INVALID_PARAMETER_VALUE"
    assert issue(shop.call("GET", f"{DISPUTES}?update_time_after=monday"))[2] == "INVALID_PARAMETER_SYNTAX"


def test_evidence_is_taken_once_and_the_seller_may_win(shop: Shop) -> None:
    dispute = opened(shop)
    files = {"file1": ("receipt.pdf", b"%PDF-1.4", "application/pdf")}
    first = answer(shop, dispute.id, files=files, request_id="e")
    assert (first.status_code, first.json()["links"][0]["rel"]) == (200, "self")
    assert answer(shop, dispute.id, files=files, request_id="e").status_code == 200
    assert issue(answer(shop, dispute.id))[2] == "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE"
    seen = shop.get(f"{DISPUTES}/{dispute.id}")
    assert (seen["status"], len(seen["evidences"])) == ("UNDER_REVIEW", 1)
    assert seen["evidences"][0]["documents"] == [{"name": "receipt.pdf"}]
    shop.sim.decide_dispute(dispute.id, "seller")
    seen = shop.get(f"{DISPUTES}/{dispute.id}")
    assert seen["dispute_outcome"] == {"outcome_code": "RESOLVED_SELLER_FAVOUR"}
    assert codes(shop) == [("T1110", "-10.00"), ("T1111", "10.00")]
    assert balance(shop) == Decimal("9.16")
    assert shop.heard() == ["CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED"]
    assert shop.get(f"/v2/payments/captures/{dispute.capture.id}")["status"] == "COMPLETED"


def test_the_buyer_wins_and_the_seller_pays_a_fee(shop: Shop) -> None:
    dispute = opened(shop, amount=Decimal("4.00"))
    shop.sim.decide_dispute(dispute.id, "buyer")
    seen = shop.get(f"{DISPUTES}/{dispute.id}")
    assert seen["dispute_outcome"]["amount_refunded"]["value"] == "4.00"
    assert [(one["reason"], one["amount"]["value"]) for one in seen["money_movements"]] == [
        ("DISPUTE_SETTLEMENT", "4.00"),
        ("DISPUTE_FEE", "15.00"),
    ]
    assert codes(shop) == [("T1110", "-4.00"), ("T1111", "4.00"), ("T1106", "-4.00"), ("T0114", "-15.00")]
    assert balance(shop) == Decimal("9.16") - Decimal("19.00")
    assert shop.get(f"/v2/payments/captures/{dispute.capture.id}")["status"] == "PARTIALLY_REFUNDED"
    assert "PAYMENT.CAPTURE.REVERSED" in shop.heard()
    with pytest.raises(ValueError, match="resolved already"):
        shop.sim.decide_dispute(dispute.id, "seller")


def test_a_chargeback_of_the_bank_takes_the_money_first(shop: Shop) -> None:
    dispute = opened(shop, channel="EXTERNAL", reason="UNAUTHORISED")
    assert codes(shop) == [("T1201", "-10.00"), ("T0106", "-15.00")]
    assert shop.heard() == ["PAYMENT.CAPTURE.REVERSED", "CUSTOMER.DISPUTE.CREATED"]
    assert issue(shop.refund(dispute.capture.id))[2] == "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK"
    shop.sim.decide_dispute(dispute.id, "seller")
    assert codes(shop)[2:] == [("T1202", "10.00")]
    assert shop.refund(dispute.capture.id, "1.00").status_code == 201


def test_giving_in_ends_it(shop: Shop) -> None:
    dispute = opened(shop)
    path = f"{DISPUTES}/{dispute.id}/accept-claim"
    too_much = {"note": "ok", "refund_amount": {"currency_code": "USD", "value": "10.01"}}
    assert issue(shop.call("POST", path, too_much))[2] == "INVALID_REFUND_AMOUNT"
    part = {
        "note": "ok",
        "refund_amount": {"currency_code": "USD", "value": "4.00"},
        "accept_claim_type": "PARTIAL_REFUND",
    }
    assert shop.call("POST", path, part).status_code == 200
    seen = shop.get(f"{DISPUTES}/{dispute.id}")
    assert (seen["status"], seen["dispute_outcome"]["amount_refunded"]["value"]) == ("RESOLVED", "4.00")
    assert sum(one.amount.value for one in shop.sim.movements()[1:]) == Decimal("-19.00")


def test_giving_in_by_form(shop: Shop) -> None:
    dispute = opened(shop)
    assert answer(shop, dispute.id, "accept-claim", data={"note": "ok"}).status_code == 200
    assert shop.sim.disputes()[0].outcome == "RESOLVED_BUYER_FAVOUR"


def test_silence_loses(shop: Shop) -> None:
    dispute = opened(shop)
    shop.sim.advance(10 * DAY)
    assert [(one.status, one.outcome) for one in shop.sim.disputes()] == [("RESOLVED", "RESOLVED_BUYER_FAVOUR")]
    assert dispute.status == "WAITING_FOR_SELLER_RESPONSE"  # what was handed out is a copy


def test_a_disputed_capture_is_refunded_as_a_whole_or_not_at_all(shop: Shop) -> None:
    dispute = opened(shop)
    assert issue(shop.refund(dispute.capture.id, "4.00"))[2] == "TRANSACTION_DISPUTED"
    assert shop.refund(dispute.capture.id, "10.00").status_code == 201
    assert shop.sim.disputes()[0].outcome == "RESOLVED_BUYER_FAVOUR"
    assert codes(shop) == [("T1110", "-10.00"), ("T1107", "-10.00"), ("T1111", "10.00")]


def test_an_inquiry_becomes_a_claim(shop: Shop) -> None:
    dispute = opened(shop, stage="INQUIRY")
    assert shop.get(f"{DISPUTES}?dispute_state=OPEN_INQUIRIES")["items"][0]["dispute_life_cycle_stage"] == "INQUIRY"
    shop.sim.escalate_dispute(dispute.id)
    assert shop.get(f"{DISPUTES}/{dispute.id}")["dispute_life_cycle_stage"] == "CHARGEBACK"
    with pytest.raises(ValueError, match="no open inquiry"):
        shop.sim.escalate_dispute(dispute.id)


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"data": {}}, "MISSING_REQUIRED_PARAMETER"),
        ({"data": {"evidences": [{"notes": "x"}]}}, "MISSING_REQUIRED_PARAMETER"),
        ({"data": {"evidences": [{"evidence_type": "OTHER", "notes": "x" * 2001}]}}, "INVALID_STRING_LENGTH"),
        ({"files": {"f": ("virus.exe", b"MZ", "application/octet-stream")}}, "UNSUPPORTED_FILE_TYPE"),
    ],
)
def test_evidence_that_is_not_taken(shop: Shop, form: dict[str, Any], wrong: str) -> None:
    dispute = opened(shop)
    assert issue(answer(shop, dispute.id, **form)) == (400, "INVALID_REQUEST", wrong)
    assert shop.sim.disputes()[0].status == "WAITING_FOR_SELLER_RESPONSE"


def test_disputes_of_others_and_disputes_that_make_no_sense(shop: Shop) -> None:
    dispute = opened(shop)
    other = Shop(shop.sim, shop.mail, ("other-client", "other-secret"))
    assert other.call("GET", f"{DISPUTES}/{dispute.id}").status_code == 404
    assert other.get(DISPUTES)["items"] == []
    for how in ({"amount": Decimal("11.00")}, {"reason": "BORED"}, {}):
        with pytest.raises(ValueError, match=r"disputed|none of"):
            shop.sim.open_dispute(dispute.capture.id, **how)
    assert issue(shop.call("POST", f"{DISPUTES}/{dispute.id}/provide-evidence", money("1.00")))[0] == 415
    assert len(shop.sim.disputes()) == 1
