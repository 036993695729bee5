"""Stripe's test cards, by payment method token, and how each behaves. No number is ever taken or kept."""

from __future__ import annotations

from dataclasses import dataclass

PAY = "pay"

# Outcome → (error code, decline code, message). ``cancel``, ``timeout`` and ``system_busy`` are the words that
# every simulator understands.
DECLINES: dict[str, tuple[str, str, str]] = {
    "declined": ("card_declined", "generic_decline", "Your card was declined."),
    "insufficient_funds": ("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "lost_card", "Your card was declined."),
    "stolen_card": ("card_declined", "stolen_card", "Your card was declined."),
    "fraudulent": ("card_declined", "fraudulent", "Your card was declined."),
    "expired_card": ("expired_card", "expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "authentication_required": (
        "authentication_required",
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
    "cancel": ("card_declined", "do_not_honor", "Your card was declined."),
    "timeout": (
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "system_busy": ("card_declined", "try_again_later", "Your card was declined."),
}
REQUIRES_ACTION = "requires_action"
DISPUTE = "dispute"
INQUIRY = "inquiry"
REFUND_FAILS = "refund_fails"
REFUND_PENDING = "refund_pending"
REFUND_ACTION = "refund_requires_action"
OUTCOMES = frozenset({PAY, REQUIRES_ACTION, DISPUTE, INQUIRY, REFUND_FAILS, REFUND_PENDING, REFUND_ACTION, *DECLINES})


@dataclass(frozen=True, slots=True)
class Card:
    """One test card."""

    token: str
    label: str
    brand: str = "visa"
    last4: str = "4242"
    country: str = "US"
    outcome: str = PAY  # when it is charged
    three_d_secure: str = "none"  # none, once (unless it was set up for later), always


_LIST = (
    Card("pm_card_visa", "Visa: pays"),
    Card("pm_card_mastercard", "Mastercard: pays", brand="mastercard", last4="4444"),
    Card("pm_card_visa_debit", "Visa debit: pays", last4="5556"),
    Card("pm_card_amex", "American Express: pays", brand="amex", last4="0005"),
    Card("pm_card_threeDSecure2Required", "Asks for 3-D Secure", last4="3220", three_d_secure="always"),
    Card("pm_card_authenticationRequired", "Always asks for 3-D Secure", last4="3184", three_d_secure="always"),
    Card(
        "pm_card_authenticationRequiredOnSetup",
        "Asks for 3-D Secure once, when it is saved",
        last4="3155",
        three_d_secure="once",
    ),
    Card("pm_card_chargeDeclined", "Declined", last4="0002", outcome="declined"),
    Card("pm_card_visa_chargeDeclined", "Declined (Visa)", last4="0002", outcome="declined"),
    Card(
        "pm_card_chargeDeclinedInsufficientFunds",
        "Not enough money on it",
        last4="9995",
        outcome="insufficient_funds",
    ),
    Card(
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "Not enough money on it (Visa)",
        last4="9995",
        outcome="insufficient_funds",
    ),
    Card("pm_card_chargeDeclinedLostCard", "Lost", last4="9987", outcome="lost_card"),
    Card("pm_card_chargeDeclinedStolenCard", "Stolen", last4="9979", outcome="stolen_card"),
    Card("pm_card_chargeDeclinedFraudulent", "Held for fraud", last4="0019", outcome="fraudulent"),
    Card("pm_card_chargeDeclinedExpiredCard", "Expired", last4="0069", outcome="expired_card"),
    Card("pm_card_chargeDeclinedIncorrectCvc", "Wrong security code", last4="0127", outcome="incorrect_cvc"),
    Card(
        "pm_card_chargeDeclinedProcessingError",
        "Error at the bank",
        last4="0119",
        outcome="processing_error",
    ),
    Card("pm_card_chargeCustomerFail", "Can be saved, then declines", last4="0341", outcome="declined"),
    Card("pm_card_createDispute", "Pays, then is disputed", last4="0259", outcome=DISPUTE),
    Card("pm_card_createDisputeInquiry", "Pays, then the bank asks", last4="1976", outcome=INQUIRY),
    Card("pm_card_refundFail", "Pays; refunds fail days later", last4="5126", outcome=REFUND_FAILS),
    Card("pm_card_pendingRefund", "Pays; refunds take a while", last4="7726", outcome=REFUND_PENDING),
)
CARDS: dict[str, Card] = {card.token: card for card in _LIST}
