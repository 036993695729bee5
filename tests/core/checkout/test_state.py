"""Which stage an intent is at: every status, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from moneyed import Money

from majuu_core.checkout.state import PageState, Stage, read_state, redirect_url, version_of
from majuu_core.payments.models import Charge, PaymentIntent

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def make_intent(status: str = "requires_payment_method", **values) -> PaymentIntent:
    values.setdefault("expires_at", NOW + timedelta(hours=1))
    values |= {"amount": Money(100, "KES"), "amount_received": Money(0, "KES"), "surplus": Money(0, "KES")}
    return PaymentIntent(status=status, **values)


def make_charge(status: str, **values) -> Charge:
    values = {"updated_at": NOW, "amount": Money(100, "KES"), **values}
    return Charge(status=status, created_at=NOW, **values)


def prompt(seconds: int | None = 60) -> dict[str, object]:
    expires = (NOW + timedelta(seconds=seconds)).isoformat() if seconds is not None else None
    return {"type": "await_phone_prompt", "data": {"phone": "254712345678"}, "expires_at": expires}


def stage(intent: PaymentIntent, *charges: Charge) -> Stage:
    return read_state(intent, charges, NOW).stage


def test_a_new_intent_can_be_paid() -> None:
    assert read_state(make_intent(), [], NOW) == PageState(stage=Stage.PAY)


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        (make_charge("pending"), Stage.PROCESSING),
        (make_charge("unknown"), Stage.CHECKING),
        (make_charge("requires_action", next_action=prompt(60)), Stage.PROMPT),
        (make_charge("requires_action", next_action=prompt(None)), Stage.PROMPT),
        (make_charge("requires_action", next_action=prompt(0)), Stage.CHECKING),
        (make_charge("requires_action", next_action={"type": "display_instructions", "data": {}}), Stage.INSTRUCTIONS),
        (
            make_charge("requires_action", next_action={"type": "redirect", "data": {"url": "https://bank.example"}}),
            Stage.REDIRECT,
        ),
        (
            make_charge("requires_action", next_action={"type": "redirect", "data": {"url": "javascript:alert(1)"}}),
            Stage.CHECKING,
        ),
        (make_charge("requires_action", next_action={"type": "use_client_secret", "data": {}}), Stage.CHECKING),
    ],
)
def test_while_a_charge_is_open_the_page_waits_and_renews_itself(charge: Charge, expected: Stage) -> None:
    state = read_state(make_intent("processing"), [charge], NOW)
    assert (state.stage, state.charge, state.is_live) == (expected, charge, True)


def test_a_prompt_has_a_deadline() -> None:
    charge = make_charge("requires_action", next_action=prompt(60))
    assert read_state(make_intent("requires_action"), [charge], NOW).deadline == NOW + timedelta(seconds=60)


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_after_a_failed_charge_the_customer_may_try_again(status: str) -> None:
    charge = make_charge(status)
    assert read_state(make_intent(), [charge], NOW) == PageState(stage=Stage.PAY, failed=charge)


def test_a_failure_before_a_partial_success_is_no_news() -> None:
    state = read_state(make_intent(), [make_charge("failed"), make_charge("succeeded", receipt="A")], NOW)
    assert state == PageState(stage=Stage.PAY)


def test_a_paid_intent_is_paid_whatever_else_is_true() -> None:
    intent = make_intent("succeeded", is_parked=True, expires_at=NOW - timedelta(days=1))
    assert stage(intent, make_charge("succeeded", receipt="A"), make_charge("pending")) == Stage.PAID


def test_a_paid_page_waits_a_while_for_the_receipt() -> None:
    late = make_charge("succeeded", updated_at=NOW - timedelta(minutes=11))
    assert read_state(make_intent("succeeded"), [make_charge("succeeded")], NOW).is_live is True
    assert read_state(make_intent("succeeded"), [make_charge("succeeded", receipt="A")], NOW).is_live is False
    assert read_state(make_intent("succeeded"), [late], NOW).is_live is False


def test_parked_money_and_parked_charges_are_with_a_person() -> None:
    assert stage(make_intent(is_parked=True), make_charge("succeeded")) == Stage.REVIEW
    state = read_state(make_intent("processing"), [make_charge("unknown", is_parked=True)], NOW)
    assert (state.stage, state.is_live) == (Stage.REVIEW, False)


def test_canceled_and_expired() -> None:
    assert stage(make_intent("canceled", cancellation_reason="requested")) == Stage.CANCELED
    assert stage(make_intent("canceled", cancellation_reason="expired")) == Stage.EXPIRED
    assert stage(make_intent(expires_at=NOW)) == Stage.EXPIRED


def test_a_canceled_intent_with_an_open_charge_stays_live() -> None:
    charge = make_charge("requires_action", next_action=prompt(60))
    state = read_state(make_intent("canceled", cancellation_reason="requested"), [charge], NOW)
    assert (state.stage, state.charge, state.is_live) == (Stage.CANCELED, charge, True)


def test_an_open_charge_outlives_the_expiry_of_its_intent() -> None:
    intent = make_intent("processing", expires_at=NOW - timedelta(seconds=1))
    assert stage(intent, make_charge("pending")) == Stage.PROCESSING


def test_money_held_for_capture() -> None:
    state = read_state(make_intent("requires_capture"), [make_charge("authorized")], NOW)
    assert (state.stage, state.is_live) == (Stage.AUTHORIZED, False)
    for asked in ({"amount_to_capture": Decimal(1)}, {"void_requested_at": NOW}):
        state = read_state(make_intent("requires_capture"), [make_charge("authorized", **asked)], NOW)
        assert (state.stage, state.is_live) == (Stage.AUTHORIZED, True)


def test_the_version_changes_exactly_when_the_page_would() -> None:
    def version(receipt: str | None = None, status: str = "succeeded", received: int = 0) -> str:
        intent = make_intent("succeeded")
        intent.amount_received = Money(received, "KES")
        charge = make_charge(status, receipt=receipt, id="01900000-0000-7000-8000-000000000001")
        return version_of(read_state(intent, [charge], NOW), intent, [charge])

    versions = [version(), version("A"), version(status="failed"), version(received=5)]
    assert len(set(versions)) == 4
    assert version() == version()
    assert "01900000" not in version()


@pytest.mark.parametrize("url", ["", "//bank.example", "javascript:alert(1)", "data:text/html,x", "http://[broken"])
def test_only_web_addresses_are_followed(url: str) -> None:
    action = {"type": "redirect", "data": {"url": url}}
    assert redirect_url(make_charge("requires_action", next_action=action)) == ""
