"""Why a card payment failed, in the customer's own words, and what to do next. English and Swahili.

A card that was reported lost or stolen, or is held for fraud, is declined like any other: whoever holds it need not
know that the bank knows.
"""

from __future__ import annotations

from majuu_core.providers import Explanation

LANGUAGES = ("en", "sw")

_Both = dict[str, Explanation]


def explain(code: str, *, language: str) -> Explanation | None:
    """The explanation of a decline code; English for a language we do not speak, None for a code we do not know."""
    found = EXPLANATIONS.get(code)
    return found[language if language in LANGUAGES else "en"] if found else None


def _both(*, en: tuple[str, str], sw: tuple[str, str]) -> _Both:
    return {
        "en": Explanation(text=en[0], next_step=en[1]),
        "sw": Explanation(text=sw[0], next_step=sw[1]),
    }


_DECLINED = _both(
    en=(
        "Your bank declined the card. You have not been charged.",
        "Ask your bank why, or pay with another card.",
    ),
    sw=(
        "Benki yako imekataa kadi hii. Hujatozwa pesa yoyote.",
        "Iulize benki yako sababu, au lipa kwa kadi nyingine.",
    ),
)
_NOT_ENOUGH = _both(
    en=(
        "There is not enough money on the card for this payment.",
        "Put money on the card or pay with another one.",
    ),
    sw=(
        "Salio la kadi halitoshi kwa malipo haya.",
        "Weka pesa kwenye kadi au lipa kwa kadi nyingine.",
    ),
)
_LIMIT = _both(
    en=(
        "The payment is above the limit of your card.",
        "Ask your bank to raise the limit, wait a day, or pay with another card.",
    ),
    sw=(
        "Malipo haya yamezidi kikomo cha kadi yako.",
        "Iombe benki yako iongeze kikomo, subiri siku moja, au lipa kwa kadi nyingine.",
    ),
)
_EXPIRED = _both(
    en=("The card has expired.", "Pay with a card that is still valid."),
    sw=("Muda wa kadi umekwisha.", "Lipa kwa kadi ambayo muda wake haujaisha."),
)
_WRONG_CVC = _both(
    en=("The security code of the card is wrong.", "Check the three or four digits on the card and enter them again."),
    sw=(
        "Nambari ya usalama ya kadi si sahihi.",
        "Angalia tarakimu tatu au nne zilizo kwenye kadi, kisha uziweke tena.",
    ),
)
_WRONG_NUMBER = _both(
    en=("The number of the card is wrong.", "Check the number and enter it again."),
    sw=("Nambari ya kadi si sahihi.", "Angalia nambari hiyo, kisha uiweke tena."),
)
_WRONG_DATE = _both(
    en=("The expiry date of the card is wrong.", "Check the month and year on the card and enter them again."),
    sw=("Tarehe ya mwisho ya kadi si sahihi.", "Angalia mwezi na mwaka ulio kwenye kadi, kisha uweke tena."),
)
_WRONG_ADDRESS = _both(
    en=("The address or postcode is not the one that your bank has.", "Check it and try again."),
    sw=("Anwani au msimbo wa posta haulingani na ule ulio kwenye benki yako.", "Uangalie, kisha ujaribu tena."),
)
_NOT_TAKEN = _both(
    en=("This card does not take this kind of payment.", "Ask your bank, or pay with another card."),
    sw=("Kadi hii haikubali malipo ya aina hii.", "Iulize benki yako, au lipa kwa kadi nyingine."),
)
_NOT_CONFIRMED = _both(
    en=(
        "Your bank wanted you to confirm the payment, and it was not confirmed.",
        "Try again and confirm it in your bank's app or with the code it sends you.",
    ),
    sw=(
        "Benki yako ilitaka uthibitishe malipo haya, lakini hayakuthibitishwa.",
        "Jaribu tena, na uthibitishe kwenye programu ya benki yako au kwa nambari itakayokutumia.",
    ),
)
_WRONG_PIN = _both(
    en=("The PIN of the card is wrong, or was entered too often.", "Pay with another card or ask your bank."),
    sw=("PIN ya kadi si sahihi, au imewekwa mara nyingi mno.", "Lipa kwa kadi nyingine au uulize benki yako."),
)
_TRY_AGAIN = _both(
    en=("Your bank could not be reached. You have not been charged.", "Wait a minute and try again."),
    sw=("Benki yako haikupatikana. Hujatozwa pesa yoyote.", "Subiri dakika moja, kisha ujaribu tena."),
)
_TWICE = _both(
    en=(
        "A payment with the same amount was made with this card just before.",
        "Look at your card's statement before you try again.",
    ),
    sw=(
        "Malipo ya kiasi hicho hicho yamefanywa kwa kadi hii muda mfupi uliopita.",
        "Angalia taarifa ya kadi yako kabla ya kujaribu tena.",
    ),
)
_TEST_CARD = _both(
    en=("This is a card for tests, or a real card in a test.", "Pay with a real card, or ask the shop."),
    sw=("Hii ni kadi ya majaribio, au kadi halisi katika majaribio.", "Lipa kwa kadi halisi, au muulize muuzaji."),
)

EXPLANATIONS: dict[str, _Both] = {
    **dict.fromkeys(
        (
            *("card_declined", "generic_decline", "do_not_honor", "do_not_try_again", "call_issuer", "no_action_taken"),
            *("fraudulent", "merchant_blacklist", "lost_card", "stolen_card", "pickup_card", "restricted_card"),
            *("revocation_of_all_authorizations", "revocation_of_authorization", "security_violation"),
            *("service_not_allowed", "stop_payment_order", "transaction_not_allowed", "not_permitted"),
            "payment_failed",
        ),
        _DECLINED,
    ),
    "insufficient_funds": _NOT_ENOUGH,
    **dict.fromkeys(("withdrawal_count_limit_exceeded", "card_velocity_exceeded", "invalid_amount"), _LIMIT),
    "expired_card": _EXPIRED,
    **dict.fromkeys(("incorrect_cvc", "invalid_cvc"), _WRONG_CVC),
    **dict.fromkeys(("incorrect_number", "invalid_number", "invalid_account"), _WRONG_NUMBER),
    **dict.fromkeys(("invalid_expiry_month", "invalid_expiry_year"), _WRONG_DATE),
    **dict.fromkeys(("incorrect_zip", "incorrect_address"), _WRONG_ADDRESS),
    **dict.fromkeys(("card_not_supported", "currency_not_supported", "new_account_information_available"), _NOT_TAKEN),
    **dict.fromkeys(
        ("authentication_required", "authentication_not_handled", "payment_intent_authentication_failure"),
        _NOT_CONFIRMED,
    ),
    **dict.fromkeys(
        ("incorrect_pin", "invalid_pin", "pin_try_exceeded", "offline_pin_required", "online_or_offline_pin_required"),
        _WRONG_PIN,
    ),
    **dict.fromkeys(
        ("processing_error", "issuer_not_available", "try_again_later", "reenter_transaction", "approve_with_id"),
        _TRY_AGAIN,
    ),
    "duplicate_transaction": _TWICE,
    **dict.fromkeys(("testmode_decline", "live_mode_test_card"), _TEST_CARD),
}
