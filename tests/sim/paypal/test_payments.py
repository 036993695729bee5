from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal

import pytest

from majuu_sim.paypal import PaypalSimulator
from majuu_sim.paypal.outcomes import REFUND
from tests.sim.paypal.client import Shop, issue, money, payments_of

DAY = 86_400
BACK = {"T1107", "T1100", "T1106", "T1110", "T1111", "T1201", "T1202"}  # whatever goes to customers, fees apart


def test_an_authorization_is_captured_in_parts(shop: Shop, sim: PaypalSimulator) -> None:
    held = shop.authorized()
    assert shop.get(f"/v2/payments/authorizations/{held}")["expiration_time"] == "2026-02-13T09:00:00Z"
    assert sim.payments() == []
    first = shop.call("POST", f"/v2/payments/authorizations/{held}/capture", money("4.00"), prefer="representation")
    assert (first.status_code, first.json()["status"], first.json()["final_capture"]) == (201, "COMPLETED", False)
    assert first.json()["supplementary_data"]["related_ids"]["authorization_id"] == held
    assert shop.get(f"/v2/payments/authorizations/{held}")["status"] == "PARTIALLY_CAPTURED"
    over = shop.call("POST", f"/v2/payments/authorizations/{held}/capture", money("6.01"))
    assert issue(over) == (422, "UNPROCESSABLE_ENTITY", "MAX_CAPTURE_AMOUNT_EXCEEDED")
    rest = shop.call("POST", f"/v2/payments/authorizations/{held}/capture", {}, prefer="representation")
    assert (rest.json()["amount"]["value"], rest.json()["final_capture"]) == ("6.00", True)
    assert shop.get(f"/v2/payments/authorizations/{held}")["status"] == "CAPTURED"
    more = shop.call("POST", f"/v2/payments/authorizations/{held}/capture", money("0.01"))
    assert issue(more)[2] == "AUTHORIZATION_ALREADY_CAPTURED"
    assert [one.amount.value for one in sim.payments()] == [Decimal("4.00"), Decimal("6.00")]


def test_a_final_capture_lets_the_rest_go(shop: Shop) -> None:
    held = shop.authorized()
    path = f"/v2/payments/authorizations/{held}/capture"
    assert shop.call("POST", path, {**money("4.00"), "final_capture": True}).status_code == 201
    assert shop.get(f"/v2/payments/authorizations/{held}")["status"] == "CAPTURED"
    assert issue(shop.call("POST", path, money("1.00")))[2] == "AUTHORIZATION_ALREADY_CAPTURED"
    assert issue(shop.call("POST", f"/v2/payments/authorizations/{held}/void"))[2] == "PREVIOUSLY_CAPTURED"


@pytest.mark.parametrize("currency", ["EUR", "GBP"])
def test_another_currency_than_the_authorizations_is_refused(shop: Shop, currency: str) -> None:
    held = shop.authorized()
    answer = shop.call("POST", f"/v2/payments/authorizations/{held}/capture", money("4.00", currency))
    assert issue(answer)[2] == "AUTH_CAPTURE_CURRENCY_MISMATCH"
    assert shop.sim.payments() == []


def test_a_void_lets_everything_go_once(shop: Shop) -> None:
    held = shop.authorized()
    path = f"/v2/payments/authorizations/{held}"
    void = shop.call("POST", f"{path}/void", request_id="v")
    assert (void.status_code, void.content) == (204, b"")
    assert shop.call("POST", f"{path}/void", request_id="v").status_code == 204
    assert issue(shop.call("POST", f"{path}/void", request_id="w"))[2] == "PREVIOUSLY_VOIDED"
    assert issue(shop.call("POST", f"{path}/capture", {}))[2] == "AUTHORIZATION_VOIDED"
    assert shop.heard() == [
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.AUTHORIZATION.CREATED",
        "PAYMENT.AUTHORIZATION.VOIDED",
    ]


def test_an_authorization_ends_after_29_days(shop: Shop) -> None:
    held = shop.authorized()
    shop.sim.advance(29 * DAY - 1)
    assert shop.call("GET", f"/v2/payments/authorizations/{held}").status_code == 401
    shop.sign_in()
    assert shop.get(f"/v2/payments/authorizations/{held}")["status"] == "CREATED"
    shop.sim.advance(1)
    late = shop.call("POST", f"/v2/payments/authorizations/{held}/capture", {})
    assert issue(late) == (422, "UNPROCESSABLE_ENTITY", "AUTHORIZATION_EXPIRED")
    assert [one.type for one in shop.letters()][-1] == "PAYMENT.AUTHORIZATION.VOIDED"
    assert shop.sim.payments() == []


def test_an_authorization_is_renewed_once_after_three_days(shop: Shop) -> None:
    held = shop.authorized()
    path = f"/v2/payments/authorizations/{held}/reauthorize"
    assert issue(shop.call("POST", path, money("10.00")))[2] == "REAUTHORIZATION_TOO_SOON"
    shop.sim.advance(3 * DAY)
    shop.sign_in()
    assert issue(shop.call("POST", path, money("12.00")))[2] == "AUTHORIZATION_AMOUNT_EXCEEDED"
    anew = shop.call("POST", path, money("11.50"), request_id="r", prefer="representation")
    assert (anew.status_code, anew.json()["amount"]["value"]) == (201, "11.50")
    assert shop.call("POST", path, money("11.50"), request_id="r").status_code == 200
    assert issue(shop.call("POST", path, money("10.00")))[2] == "AUTHORIZATION_VOIDED"
    taken = shop.call("POST", f"/v2/payments/authorizations/{anew.json()['id']}/capture", {}, prefer="representation")
    assert taken.json()["amount"]["value"] == "11.50"


def test_an_authorization_under_review_is_held_days_later(shop: Shop) -> None:
    order = shop.approved("review", intent="AUTHORIZE")
    answer = shop.call("POST", f"/v2/checkout/orders/{order}/authorize")
    (held,) = payments_of(answer)["authorizations"]
    assert (held["status"], held["status_details"]) == ("PENDING", {"reason": "PENDING_REVIEW"})
    path = f"/v2/payments/authorizations/{held['id']}"
    assert issue(shop.call("POST", f"{path}/capture", {}))[2] == "TRANSACTION_REFUSED"
    assert shop.heard() == ["CHECKOUT.ORDER.APPROVED"]
    shop.sim.advance(3 * DAY)
    shop.sign_in()
    assert shop.get(path)["status"] == "CREATED"
    assert [one.type for one in shop.letters()] == ["PAYMENT.AUTHORIZATION.CREATED"]


def test_a_denied_authorization_cannot_be_captured(shop: Shop) -> None:
    order = shop.approved("capture_declined", intent="AUTHORIZE")
    answer = shop.call("POST", f"/v2/checkout/orders/{order}/authorize")
    (held,) = payments_of(answer)["authorizations"]
    assert held["status"] == "DENIED"
    refused = shop.call("POST", f"/v2/payments/authorizations/{held['id']}/capture", {})
    assert issue(refused)[2] == "AUTHORIZATION_DENIED"


# Captures that take their time.


@pytest.mark.parametrize(
    ("instrument", "reason", "end", "event"),
    [
        ("pending", "ECHECK", "COMPLETED", "PAYMENT.CAPTURE.COMPLETED"),
        ("pending_denied", "ECHECK", "DECLINED", "PAYMENT.CAPTURE.DENIED"),
        ("review", "PENDING_REVIEW", "COMPLETED", "PAYMENT.CAPTURE.COMPLETED"),
    ],
)
def test_a_pending_capture_ends_days_later(shop: Shop, instrument: str, reason: str, end: str, event: str) -> None:
    made = shop.paid(instrument)
    seen = shop.get(f"/v2/payments/captures/{made}")
    assert (seen["status"], seen["status_details"], "seller_receivable_breakdown" in seen) == (
        "PENDING",
        {"reason": reason},
        False,
    )
    assert "PAYMENT.CAPTURE.PENDING" in shop.heard()
    assert shop.sim.payments() == []
    assert issue(shop.refund(made, "1.00"))[2] == "PENDING_CAPTURE"
    shop.sim.advance(3 * DAY)
    assert [one.type for one in shop.letters()] == [event]
    shop.sign_in()
    assert shop.get(f"/v2/payments/captures/{made}")["status"] == end
    assert len(shop.sim.payments()) == (1 if end == "COMPLETED" else 0)


def test_a_capture_can_be_declined(shop: Shop) -> None:
    made = shop.paid("capture_declined")
    assert shop.get(f"/v2/payments/captures/{made}")["status"] == "DECLINED"
    assert "PAYMENT.CAPTURE.DECLINED" in shop.heard()
    assert issue(shop.refund(made))[2] == "REFUND_NOT_ALLOWED"
    assert shop.sim.payments() == []


# Refunds.


def test_refunds_add_up_to_the_capture(shop: Shop, sim: PaypalSimulator) -> None:
    made = shop.paid()
    first = shop.refund(made, "4.00", "r1").json()
    assert (first["status"], first["seller_payable_breakdown"]["total_refunded_amount"]["value"]) == (
        "COMPLETED",
        "4.00",
    )
    assert shop.get(f"/v2/payments/captures/{made}")["status"] == "PARTIALLY_REFUNDED"
    assert shop.get(f"/v2/payments/refunds/{first['id']}")["amount"]["value"] == "4.00"
    assert issue(shop.refund(made, "6.01", "r2")) == (422, "UNPROCESSABLE_ENTITY", "REFUND_AMOUNT_EXCEEDED")
    assert shop.refund(made, None, "r3").json()["amount"]["value"] == "6.00"
    assert shop.get(f"/v2/payments/captures/{made}")["status"] == "REFUNDED"
    assert issue(shop.refund(made, "0.01", "r4"))[2] == "CAPTURE_FULLY_REFUNDED"
    assert shop.heard().count("PAYMENT.CAPTURE.REFUNDED") == 2
    assert [one.amount.value for one in sim.refunds()] == [Decimal("4.00"), Decimal("6.00")]


def test_a_repeated_refund_is_made_once(shop: Shop) -> None:
    made = shop.paid()
    answers = [shop.refund(made, "4.00", "same") for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert len(shop.sim.refunds()) == 1


def test_fifty_refunds_at_once_give_back_no_more_than_was_paid(shop: Shop) -> None:
    made = shop.paid()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: shop.refund(made, "1.00", f"r{number}"), range(50)))
    assert sorted(one.status_code for one in answers) == [201] * 10 + [422] * 40
    assert sum(one.amount.value for one in shop.sim.refunds()) == Decimal("10.00")


def test_another_currency_and_an_old_capture_are_refused(shop: Shop) -> None:
    made = shop.paid()
    answer = shop.call("POST", f"/v2/payments/captures/{made}/refund", money("1.00", "EUR"))
    assert issue(answer)[2] == "REFUND_CAPTURE_CURRENCY_MISMATCH"
    shop.sim.advance(180 * DAY + 1)
    shop.sign_in()
    assert issue(shop.refund(made, "1.00"))[2] == "REFUND_TIME_LIMIT_EXCEEDED"
    assert shop.sim.refunds() == []


@pytest.mark.parametrize(
    ("outcome", "at_once", "days", "end", "events"),
    [
        ("refund_pending", "PENDING", 3, "COMPLETED", ["PAYMENT.REFUND.PENDING", "PAYMENT.CAPTURE.REFUNDED"]),
        ("refund_failed", "PENDING", 3, "FAILED", ["PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED"]),
        ("refund_cancelled", "PENDING", 3, "CANCELLED", ["PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED"]),
        ("refund_failed_late", "COMPLETED", 5, "FAILED", ["PAYMENT.CAPTURE.REFUNDED", "PAYMENT.REFUND.FAILED"]),
    ],
)
def test_a_refund_may_end_days_later(
    shop: Shop, outcome: str, at_once: str, days: int, end: str, events: list[str]
) -> None:
    made = shop.paid()
    shop.heard()
    shop.sim.script(outcome, operation="refund")
    refund = shop.refund(made, "4.00").json()
    assert refund["status"] == at_once
    shop.sim.advance(days * DAY)
    shop.sign_in()
    assert shop.get(f"/v2/payments/refunds/{refund['id']}")["status"] == end
    back = "COMPLETED" if end != "COMPLETED" else "PARTIALLY_REFUNDED"
    assert shop.get(f"/v2/payments/captures/{made}")["status"] == back
    assert [one.type for one in shop.letters()] == events
    left = {"COMPLETED": Decimal("5.16")}.get(end, Decimal("9.16"))  # 10.00 less 0.84 of fee, less the refund
    assert shop.sim.bank.books.balance("majuu-sim-client", "USD") == left


def test_a_refund_made_in_the_dashboard_is_told_like_any_other(shop: Shop) -> None:
    made = shop.paid()
    shop.heard()
    refund = shop.sim.refund(made, Decimal("3.00"), note="sorry")
    assert refund.by_hand is True
    assert shop.heard() == ["PAYMENT.CAPTURE.REFUNDED"]
    assert shop.get(f"/v2/payments/refunds/{refund.id}")["note_to_payer"] == "sorry"
    with pytest.raises(ValueError, match="REFUND_AMOUNT_EXCEEDED"):
        shop.sim.refund(made, Decimal("8.00"))


def test_an_invoice_is_refunded_under_once(shop: Shop) -> None:
    path = f"/v2/payments/captures/{shop.paid()}/refund"
    body = {**money("1.00"), "invoice_id": "credit-1"}
    assert shop.call("POST", path, body).status_code == 201
    assert issue(shop.call("POST", path, body))[2] == "DUPLICATE_INVOICE_ID"
    assert len(shop.sim.refunds()) == 1


def test_whatever_happens_the_books_add_up(shop: Shop) -> None:
    """Two hundred random steps: no capture gives back more than it took, and the balance is what moved."""
    rng = random.Random(7)
    captures = [shop.paid(custom_id=f"c{number}") for number in range(5)]
    for step in range(200):
        capture = rng.choice(captures)
        value = Decimal(rng.randrange(1, 500)) / 100
        match rng.randrange(5):
            case 0:
                shop.sim.script(rng.choice(sorted(REFUND)), operation="refund")
                shop.refund(capture, f"{value:.2f}", f"r{step}")
            case 1:
                with suppress(ValueError):
                    shop.sim.refund(capture, value)
            case 2:
                with suppress(ValueError):
                    channel = rng.choice(["INTERNAL", "EXTERNAL"])
                    shop.sim.open_dispute(capture, amount=value, channel=channel)
            case 3:
                open_ones = [one.id for one in shop.sim.disputes() if one.status != "RESOLVED"]
                if open_ones:
                    shop.sim.decide_dispute(rng.choice(open_ones), rng.choice(["buyer", "seller", "canceled"]))
            case 4:
                shop.sim.advance(rng.randrange(DAY))
                shop.sign_in()
    assert len(shop.sim.refunds()) > 10
    assert all(0 <= one.refunded <= one.amount.value for one in shop.sim.payments())
    moved = sum((one.amount.value + one.fee for one in shop.sim.movements()), Decimal(0))
    assert shop.sim.bank.books.balance("majuu-sim-client", "USD") == moved
    back = sum((one.amount.value for one in shop.sim.movements() if one.code in BACK), Decimal(0))
    lost = sum((one.refunded for one in shop.sim.disputes()), Decimal(0))
    good = sum((one.amount.value for one in shop.sim.refunds() if one.status in ("COMPLETED", "PENDING")), Decimal(0))
    held = sum((one.amount.value for one in shop.sim.disputes() if one.status != "RESOLVED"), Decimal(0))
    assert -back == good + lost + held


@pytest.mark.parametrize("path", ["authorizations/1AA/capture", "captures/1AA/refund", "authorizations/1AA/void"])
def test_what_nobody_has_is_not_found(shop: Shop, path: str) -> None:
    assert issue(shop.call("POST", f"/v2/payments/{path}", {})) == (404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")


def test_payments_of_others_are_not_found(shop: Shop) -> None:
    made = shop.paid()
    other = Shop(shop.sim, shop.mail, ("other-client", "other-secret"))
    assert issue(other.refund(made))[0] == 404
    assert other.call("GET", f"/v2/payments/captures/{made}").status_code == 404
    assert shop.sim.refunds() == []
