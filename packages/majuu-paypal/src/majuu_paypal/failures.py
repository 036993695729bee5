"""What PayPal's issues mean: a definite no, or something the caller has to look into."""

from __future__ import annotations

from majuu_core.providers import Failure, FailureCode

_F = FailureCode

# Issues by which PayPal says that this payment, refund or capture will not be. No money moved.
DECLINES: dict[str, FailureCode] = {
    "INSTRUMENT_DECLINED": _F.DECLINED,
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": _F.DECLINED,
    "TRANSACTION_REFUSED": _F.DECLINED,
    "TRANSACTION_BLOCKED_BY_PAYEE": _F.DECLINED,
    "PAYEE_BLOCKED_TRANSACTION": _F.DECLINED,
    "PAYER_CANNOT_PAY": _F.DECLINED,
    "COMPLIANCE_VIOLATION": _F.DECLINED,
    "DECLINED_DUE_TO_RELATED_TXN": _F.DECLINED,
    "DOMESTIC_TRANSACTION_REQUIRED": _F.DECLINED,
    "AUTHORIZATION_DENIED": _F.DECLINED,
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": _F.INVALID_PAYMENT_METHOD,
    "PAYER_ACCOUNT_RESTRICTED": _F.INVALID_PAYMENT_METHOD,
    "TRANSACTION_LIMIT_EXCEEDED": _F.LIMIT_EXCEEDED,
    "TRANSACTION_RECEIVING_LIMIT_EXCEEDED": _F.LIMIT_EXCEEDED,
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": _F.LIMIT_EXCEEDED,
    "ORDER_EXPIRED": _F.EXPIRED,
    "AUTHORIZATION_EXPIRED": _F.EXPIRED,
    "AUTHORIZATION_VOIDED": _F.EXPIRED,
}
REFUND_DECLINES: dict[str, FailureCode] = {
    "REFUND_FAILED_INSUFFICIENT_FUNDS": _F.INSUFFICIENT_FUNDS,
    "REFUND_TIME_LIMIT_EXCEEDED": _F.EXPIRED,
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": _F.LIMIT_EXCEEDED,
    "REFUND_NOT_ALLOWED": _F.DECLINED,
    "REFUND_IS_RESTRICTED": _F.DECLINED,
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": _F.DECLINED,
    "TRANSACTION_DISPUTED": _F.DECLINED,
    "TRANSACTION_REFUSED": _F.DECLINED,
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": _F.INVALID_PAYMENT_METHOD,
}
# Errors of one payout, in the batch's items.
PAYOUT_DECLINES: dict[str, FailureCode] = {
    "INSUFFICIENT_FUNDS": _F.INSUFFICIENT_FUNDS,
    "RECEIVER_UNREGISTERED": _F.INVALID_PAYMENT_METHOD,
    "RECEIVER_ACCOUNT_LOCKED": _F.INVALID_PAYMENT_METHOD,
    "RECEIVER_UNCONFIRMED": _F.INVALID_PAYMENT_METHOD,
    "RECEIVER_YOUTH_ACCOUNT": _F.INVALID_PAYMENT_METHOD,
    "RECEIVING_LIMIT_EXCEEDED": _F.LIMIT_EXCEEDED,
    "TRANSACTION_LIMIT_EXCEEDED": _F.LIMIT_EXCEEDED,
    "SELF_PAY_NOT_ALLOWED": _F.INVALID_PAYMENT_METHOD,
    "REJECTED_RISK_DENIED": _F.DECLINED,
    "RISK_DECLINE": _F.DECLINED,
}
# What the card network said, where PayPal repeats it (``processor_response.response_code``).
PROCESSOR: dict[str, FailureCode] = {
    "5120": _F.INSUFFICIENT_FUNDS,
    "5400": _F.INVALID_PAYMENT_METHOD,  # expired card
    "5500": _F.DECLINED,
    "5180": _F.INVALID_PAYMENT_METHOD,  # invalid or restricted card
    "5150": _F.INVALID_PAYMENT_METHOD,
    "00N7": _F.AUTHENTICATION_FAILED,
}


def failure(code: FailureCode, provider_code: str, message: str) -> Failure:
    """A definite no with PayPal's own code and words, or words of ours where it says none."""
    words = message.strip() or f"PayPal says {provider_code}."
    return Failure(code=code, provider_code=provider_code[:64], message=words)


def processor_failure(response_code: str, status: str) -> Failure:
    """Why a capture or authorization was declined, as far as PayPal says."""
    if response_code in PROCESSOR:
        return failure(PROCESSOR[response_code], response_code, f"The card's bank refused it ({response_code}).")
    code = response_code or status
    return failure(_F.DECLINED, code, f"PayPal could not take the payment ({code}).")
