"""Why a payment failed, in the customer's own words, and what to do next. English and Swahili."""

from __future__ import annotations

from majuu_core.providers import Explanation

LANGUAGES = ("en", "sw")

_Both = dict[str, Explanation]


def explain(code: str, *, language: str) -> Explanation | None:
    """The explanation of one of PayPal's issues; English for a language we do not speak, None for an unknown code."""
    found = EXPLANATIONS.get(code)
    return found[language if language in LANGUAGES else "en"] if found else None


def _both(*, en: tuple[str, str], sw: tuple[str, str]) -> _Both:
    return {"en": Explanation(text=en[0], next_step=en[1]), "sw": Explanation(text=sw[0], next_step=sw[1])}


_DECLINED = _both(
    en=(
        "PayPal could not take the money from the card or account you chose.",
        "Pay again and choose another card or bank account at PayPal.",
    ),
    sw=(
        "PayPal haikuweza kuchukua pesa kutoka kwenye kadi au akaunti uliyochagua.",
        "Lipa tena na uchague kadi au akaunti nyingine ya benki kwenye PayPal.",
    ),
)
_REFUSED = _both(
    en=(
        "PayPal refused this payment. You have not been charged.",
        "Use another way to pay, or ask PayPal why.",
    ),
    sw=(
        "PayPal imekataa malipo haya. Hujatozwa pesa yoyote.",
        "Tumia njia nyingine ya kulipa, au uulize PayPal sababu.",
    ),
)
_ACCOUNT = _both(
    en=(
        "Your PayPal account cannot pay at the moment.",
        "Log in to PayPal to see what is missing, or use another way to pay.",
    ),
    sw=(
        "Akaunti yako ya PayPal haiwezi kulipa kwa sasa.",
        "Ingia kwenye PayPal uone kinachokosekana, au utumie njia nyingine ya kulipa.",
    ),
)
_LIMIT = _both(
    en=(
        "The payment is above a limit of your PayPal account.",
        "Pay a smaller amount, or use another way to pay.",
    ),
    sw=(
        "Malipo yamezidi kikomo cha akaunti yako ya PayPal.",
        "Lipa kiasi kidogo zaidi, au utumie njia nyingine ya kulipa.",
    ),
)
_SHOP_LIMIT = _both(
    en=(
        "The shop's PayPal account cannot take this payment. You have not been charged.",
        "Tell the shop, or use another way to pay.",
    ),
    sw=(
        "Akaunti ya PayPal ya duka hili haiwezi kupokea malipo haya. Hujatozwa pesa yoyote.",
        "Mjulishe muuzaji, au utumie njia nyingine ya kulipa.",
    ),
)
_EXPIRED = _both(
    en=(
        "The payment was not finished in time. You have not been charged.",
        "Start the payment again.",
    ),
    sw=(
        "Malipo hayakukamilishwa kwa wakati. Hujatozwa pesa yoyote.",
        "Anza malipo upya.",
    ),
)
_NO_MONEY = _both(
    en=(
        "There is not enough money on the card or account you chose.",
        "Add money, or choose another card or account at PayPal.",
    ),
    sw=(
        "Hakuna pesa za kutosha kwenye kadi au akaunti uliyochagua.",
        "Ongeza pesa, au uchague kadi au akaunti nyingine kwenye PayPal.",
    ),
)
_CARD = _both(
    en=(
        "The card has expired or cannot be used for this payment.",
        "Choose another card at PayPal.",
    ),
    sw=(
        "Kadi imeisha muda wake au haiwezi kutumika kwa malipo haya.",
        "Chagua kadi nyingine kwenye PayPal.",
    ),
)
_SECURITY = _both(
    en=(
        "The card's security code was wrong.",
        "Check the three or four digits on the card, and pay again.",
    ),
    sw=(
        "Namba ya usalama ya kadi si sahihi.",
        "Angalia tarakimu tatu au nne zilizo kwenye kadi, kisha ulipe tena.",
    ),
)
_RECEIVER = _both(
    en=(
        "The receiver's PayPal account cannot take money at the moment.",
        "Ask the receiver to confirm their account at PayPal, or send to another one.",
    ),
    sw=(
        "Akaunti ya PayPal ya mpokeaji haiwezi kupokea pesa kwa sasa.",
        "Mwombe mpokeaji athibitishe akaunti yake kwenye PayPal, au utume kwa akaunti nyingine.",
    ),
)

EXPLANATIONS: dict[str, _Both] = {
    **dict.fromkeys(
        ("INSTRUMENT_DECLINED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", "DECLINED", "FAILED", "DENIED"), _DECLINED
    ),
    **dict.fromkeys(
        (
            *("TRANSACTION_REFUSED", "TRANSACTION_BLOCKED_BY_PAYEE", "PAYEE_BLOCKED_TRANSACTION"),
            *("COMPLIANCE_VIOLATION", "DECLINED_DUE_TO_RELATED_TXN", "DOMESTIC_TRANSACTION_REQUIRED"),
            *("AUTHORIZATION_DENIED", "5500"),
        ),
        _REFUSED,
    ),
    **dict.fromkeys(("PAYER_CANNOT_PAY", "PAYER_ACCOUNT_LOCKED_OR_CLOSED", "PAYER_ACCOUNT_RESTRICTED"), _ACCOUNT),
    **dict.fromkeys(("TRANSACTION_LIMIT_EXCEEDED", "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED"), _LIMIT),
    "TRANSACTION_RECEIVING_LIMIT_EXCEEDED": _SHOP_LIMIT,
    **dict.fromkeys(("ORDER_EXPIRED", "AUTHORIZATION_EXPIRED", "AUTHORIZATION_VOIDED"), _EXPIRED),
    "5120": _NO_MONEY,
    **dict.fromkeys(("5400", "5180", "5150"), _CARD),
    "00N7": _SECURITY,
    **dict.fromkeys(
        (
            *("RECEIVER_UNREGISTERED", "RECEIVER_ACCOUNT_LOCKED", "RECEIVER_UNCONFIRMED", "RECEIVER_YOUTH_ACCOUNT"),
            *("RECEIVING_LIMIT_EXCEEDED", "RETURNED", "REFUNDED"),
        ),
        _RECEIVER,
    ),
}
