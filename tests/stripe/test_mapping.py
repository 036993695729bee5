from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from majuu_core.providers import FailureCode, ResultStatus
from majuu_stripe.declines import failure_of
from majuu_stripe.mapping import charge_result, payment_result, session_result
from majuu_stripe.refunds import refund_result
from tests.stripe.support import AT, charge, intent, metadata, money, refund, session

_S = ResultStatus
_DECLINE = {"type": "card_error", "code": "card_declined", "decline_code": "lost_card", "message": "Declined."}


@pytest.mark.parametrize(
    ("changes", "status", "reference"),
    [
        ({"status": "succeeded"}, _S.SUCCEEDED, "pi_1"),
        ({"status": "requires_capture"}, _S.AUTHORIZED, "pi_1"),
        ({"status": "processing"}, _S.PENDING, "pi_1"),
        ({"status": "requires_confirmation"}, _S.PENDING, "pi_1"),
        ({"status": "canceled"}, _S.CANCELED, "pi_1"),
        ({"status": "requires_payment_method", "last_payment_error": _DECLINE}, _S.FAILED, "pi_1"),
        ({"status": "requires_payment_method"}, _S.UNKNOWN, "pi_1"),
        ({"status": "something_new"}, _S.UNKNOWN, "pi_1"),
        ({"status": None}, _S.UNKNOWN, "pi_1"),
        # In Stripe's page another card may follow, and the payment is known by its session.
        (
            {
                "status": "requires_payment_method",
                "last_payment_error": _DECLINE,
                "metadata": metadata(flow="checkout"),
            },
            _S.UNKNOWN,
            None,
        ),
    ],
)
def test_states_of_a_payment_intent(changes: dict[str, Any], status: ResultStatus, reference: str | None) -> None:
    result = payment_result(intent(**changes))

    assert (result.status, result.provider_reference) == (status, reference)


def test_a_bank_asks_by_redirect_or_by_script() -> None:
    by_page = payment_result(
        intent("requires_action", next_action={"redirect_to_url": {"url": "https://hooks.stripe.com/3ds"}})
    )
    by_script = payment_result(
        intent("requires_action", client_secret="pi_1_secret_x", next_action={"type": "use_stripe_sdk"}),
        publishable_key="pk_test_1",
    )

    assert by_page.next_action is not None
    assert (by_page.next_action.type, dict(by_page.next_action.data)) == (
        "redirect",
        {"url": "https://hooks.stripe.com/3ds"},
    )
    assert by_script.next_action is not None
    assert (by_script.next_action.type, dict(by_script.next_action.data)) == (
        "use_client_secret",
        {"client_secret": "pi_1_secret_x", "publishable_key": "pk_test_1"},
    )
    assert "pi_1_secret_x" not in repr(by_script.raw)


@pytest.mark.parametrize(
    "changes",
    [
        {"latest_charge": charge()},
        {"latest_charge": None, "charges": {"object": "list", "data": [charge(), charge(id="ch_0")]}},
    ],
)
def test_a_charge_is_found_in_every_version(changes: dict[str, Any]) -> None:
    result = payment_result(intent(**changes))

    assert (result.receipt, result.payer) == ("ch_1", "visa ····4242")
    assert result.occurred_at == datetime.fromtimestamp(AT, UTC)
    assert payment_result(intent(latest_charge="ch_1")).receipt == "ch_1"


def test_a_hold_says_until_when() -> None:
    held = charge(captured=False)
    held["payment_method_details"]["card"]["capture_before"] = AT + 604_800
    expected = (_S.AUTHORIZED, None, money("1500.00"), datetime.fromtimestamp(AT + 604_800, UTC), None)

    for result in (payment_result(intent("requires_capture", latest_charge=held)), charge_result(held)):
        assert result is not None
        assert (result.status, result.receipt, result.amount, result.capture_before, result.fee) == expected


def test_a_part_that_was_captured_is_what_was_paid() -> None:
    result = payment_result(intent(amount_received=60_000))
    from_charge = charge_result(charge(amount_captured=60_000))

    assert result.amount == money("600.00")
    assert from_charge is not None
    assert from_charge.amount == money("600.00")


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (session("open"), _S.REQUIRES_ACTION),
        (session("expired"), _S.CANCELED),
        (session("complete"), _S.SUCCEEDED),
        (session("complete", payment_status="unpaid"), _S.PENDING),
        (session("complete", payment_status="unpaid", payment_intent=intent("requires_capture")), _S.AUTHORIZED),
        (session("complete", payment_status="unpaid", payment_intent=intent("processing")), _S.PENDING),
        (session("complete", payment_intent=intent()), _S.SUCCEEDED),
        # A card was declined there; the page is still open.
        (session("open", payment_intent=intent("requires_payment_method")), _S.REQUIRES_ACTION),
        (session("open", payment_intent=intent("requires_action")), _S.REQUIRES_ACTION),
        (session("open", url=None), _S.PENDING),
    ],
)
def test_states_of_a_session(made: dict[str, Any], status: ResultStatus) -> None:
    result = session_result(made)

    assert (result.status, result.provider_reference) == (status, "cs_test_1")


def test_a_declined_charge_says_nothing_about_the_payment() -> None:
    assert charge_result(charge(status="failed")) is None
    assert charge_result(charge(status="pending")) is None
    released = charge_result(charge(captured=False, refunded=True))
    assert released is not None
    assert released.status is _S.CANCELED


@pytest.mark.parametrize(
    ("error", "code", "provider_code"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds", "insufficient_funds"),
        ({"code": "card_declined", "decline_code": "fraudulent"}, "declined", "fraudulent"),
        ({"code": "card_declined", "decline_code": "stolen_card"}, "declined", "stolen_card"),
        ({"code": "card_declined"}, "declined", "card_declined"),
        ({"code": "expired_card", "decline_code": "expired_card"}, "invalid_payment_method", "expired_card"),
        ({"code": "incorrect_cvc", "decline_code": "generic_decline"}, "invalid_payment_method", "generic_decline"),
        ({"code": "processing_error"}, "processing_error", "processing_error"),
        (
            {"code": "card_declined", "decline_code": "card_velocity_exceeded"},
            "limit_exceeded",
            "card_velocity_exceeded",
        ),
        (
            {"code": "payment_intent_authentication_failure"},
            "authentication_failed",
            "payment_intent_authentication_failure",
        ),
        ({"code": "card_declined", "decline_code": "of_the_year_2031"}, "declined", "of_the_year_2031"),
        ({}, "declined", "card_declined"),
    ],
)
def test_declines_have_one_meaning_each(error: dict[str, str], code: str, provider_code: str) -> None:
    failure = failure_of(error)

    assert (failure.code, failure.provider_code) == (FailureCode(code), provider_code)
    assert failure.message


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, _S.SUCCEEDED),
        ({"status": "pending"}, _S.PENDING),
        ({"status": "requires_action"}, _S.PENDING),
        ({"status": "canceled"}, _S.CANCELED),
        ({"status": "failed", "failure_reason": "expired_or_canceled_card"}, _S.FAILED),
        ({"status": None}, _S.UNKNOWN),
    ],
)
def test_states_of_a_refund(changes: dict[str, Any], status: ResultStatus) -> None:
    result = refund_result(refund(**changes))

    assert (result.status, result.provider_reference, result.amount) == (status, "re_1", money("500.00"))
    assert (result.failure is not None) == (status is _S.FAILED)


def test_nothing_that_is_kept_holds_a_float_or_a_secret() -> None:
    transaction = {"id": "txn_1", "fee": 4380, "currency": "usd", "exchange_rate": 0.00774}
    result = payment_result(
        intent(client_secret="pi_1_secret_x", latest_charge=charge(balance_transaction=transaction))
    )

    assert result.raw["latest_charge"]["balance_transaction"]["exchange_rate"] == "0.00774"
    assert result.raw["client_secret"] == "[redacted]"
    assert result.fee == money("43.80", "USD")
