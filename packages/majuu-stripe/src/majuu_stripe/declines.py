"""Stripe's decline and error codes as Majuu's failure codes."""

from __future__ import annotations

from typing import Any

from majuu_core.common.redaction import redact_text
from majuu_core.providers import Failure, FailureCode
from majuu_stripe.fields import text

_F = FailureCode
CODES: dict[str, FailureCode] = {
    **dict.fromkeys(("insufficient_funds",), _F.INSUFFICIENT_FUNDS),
    **dict.fromkeys(
        ("withdrawal_count_limit_exceeded", "card_velocity_exceeded", "amount_too_large", "invalid_amount"),
        _F.LIMIT_EXCEEDED,
    ),
    **dict.fromkeys(
        (
            *("expired_card", "incorrect_number", "invalid_number", "invalid_cvc", "incorrect_cvc", "incorrect_zip"),
            *("invalid_expiry_month", "invalid_expiry_year", "invalid_account", "new_account_information_available"),
            *("card_not_supported", "currency_not_supported", "testmode_decline", "live_mode_test_card"),
            *("incorrect_address", "payment_method_unactivated", "resource_missing"),
        ),
        _F.INVALID_PAYMENT_METHOD,
    ),
    **dict.fromkeys(
        (
            *("authentication_required", "authentication_not_handled", "payment_intent_authentication_failure"),
            *("setup_intent_authentication_failure", "incorrect_pin", "invalid_pin", "pin_try_exceeded"),
            *("offline_pin_required", "online_or_offline_pin_required"),
        ),
        _F.AUTHENTICATION_FAILED,
    ),
    **dict.fromkeys(
        (
            *("processing_error", "issuer_not_available", "try_again_later", "reenter_transaction"),
            *("approve_with_id", "no_action_taken", "lock_timeout"),
        ),
        _F.PROCESSING_ERROR,
    ),
}
_UNTOLD = "The card was declined."


def decline_code(error: Any) -> str:
    """The most telling code of a card error: the bank's reason, else Stripe's own word."""
    return text(error, "decline_code") or text(error, "code") or text(error, "type") or "card_declined"


def failure_of(error: Any) -> Failure:
    """A card error (``last_payment_error``, ``last_setup_error`` or an answer's ``error``) as a failure."""
    code = decline_code(error)
    # The bank's word may be generic while Stripe's own is not: incorrect_cvc comes as either.
    known = CODES.get(code) or CODES.get(text(error, "code"))
    return Failure(
        code=known or _F.DECLINED,
        provider_code=code[:64],
        message=redact_text(text(error, "message"))[:500] or _UNTOLD,
    )


def failure_by_code(code: str, message: str) -> Failure:
    """A failure that Stripe tells by a code alone."""
    return failure_of({"code": code, "message": message})
