"""Why something did not work, in the customer's language: a failed charge, and a form that cannot be accepted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType

from majuu_core.checkout.texts import Language
from majuu_core.common.problems import Invalid
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.models import Charge
from majuu_core.providers import ExplainsFailures, Explanation, FailureCode

logger = logging.getLogger("majuu.checkout")
_Pair = tuple[Explanation, Explanation]


def _both(english: str, english_step: str, swahili: str, swahili_step: str) -> _Pair:
    return Explanation(text=english, next_step=english_step), Explanation(text=swahili, next_step=swahili_step)


# What is said when the provider has no words of its own for a failure.
GENERAL: Mapping[str, _Pair] = MappingProxyType(
    {
        FailureCode.INSUFFICIENT_FUNDS: _both(
            "There was not enough money in the account.",
            "Add money, or pay another way.",
            "Hakukuwa na pesa za kutosha kwenye akaunti.",
            "Ongeza pesa, au lipa kwa njia nyingine.",
        ),
        FailureCode.DECLINED: _both(
            "The payment was declined.",
            "Try again, or pay another way.",
            "Malipo yamekataliwa.",
            "Jaribu tena, au lipa kwa njia nyingine.",
        ),
        FailureCode.CUSTOMER_CANCELED: _both(
            "The request was cancelled on the phone.",
            "Start again when you are ready.",
            "Ombi lilighairiwa kwenye simu.",
            "Anza tena ukiwa tayari.",
        ),
        FailureCode.AUTHENTICATION_FAILED: _both(
            "The PIN or confirmation was not right.",
            "Try again, and take care with the PIN.",
            "PIN au uthibitisho haukuwa sahihi.",
            "Jaribu tena, na uangalie PIN vizuri.",
        ),
        FailureCode.LIMIT_EXCEEDED: _both(
            "The amount is above a limit of your account.",
            "Ask your provider about the limit, or pay another way.",
            "Kiasi kimezidi kikomo cha akaunti yako.",
            "Uliza mtoa huduma wako kuhusu kikomo, au lipa kwa njia nyingine.",
        ),
        FailureCode.INVALID_PAYMENT_METHOD: _both(
            "This account or number cannot be used to pay.",
            "Check it, or pay another way.",
            "Akaunti au nambari hii haiwezi kutumika kulipa.",
            "Ikague, au lipa kwa njia nyingine.",
        ),
        FailureCode.EXPIRED: _both(
            "The request was not answered in time.",
            "Try again, and keep your phone at hand.",
            "Ombi halikujibiwa kwa wakati.",
            "Jaribu tena, na uwe na simu yako karibu.",
        ),
        FailureCode.PROCESSING_ERROR: _both(
            "The payment provider could not carry it out. No money moved.",
            "Try again in a few minutes, or pay another way.",
            "Mtoa huduma wa malipo hakuweza kuitekeleza. Hakuna pesa iliyotumwa.",
            "Jaribu tena baada ya dakika chache, au lipa kwa njia nyingine.",
        ),
    }
)
CANCELED: _Pair = _both(
    "The payment was cancelled before it was complete.",
    "Start again when you are ready.",
    "Malipo yalighairiwa kabla ya kukamilika.",
    "Anza tena ukiwa tayari.",
)

# Refusals of a form, by code: English, Swahili. English None: the text of whoever refused it is good enough.
REFUSALS: Mapping[str, tuple[str | None, str]] = MappingProxyType(
    {
        "phone_missing": (None, "Weka nambari ya simu ya kulipia, kwa mfano 0712 345 678."),
        "phone_foreign": (None, "Hii si nambari ya Kenya. Inatakiwa inayoanza na +254."),
        "phone_length": (None, "Nambari ya simu ya Kenya ina tarakimu 9 baada ya +254. Ikague tena."),
        "phone_invalid": (None, "Nambari ya simu si sahihi. Iandike kama 0712 345 678."),
        "field_required": ("Fill this in.", "Jaza hapa."),
        "field_too_long": ("This is too long.", "Hii ni ndefu mno."),
        "email_invalid": ("Enter an e-mail address such as name@example.com.", "Weka barua pepe sahihi."),
        "method_missing": ("Choose how you want to pay.", "Chagua jinsi ya kulipa."),
        "amount_not_whole": (
            "This way to pay takes whole amounts only. Choose another, or ask the shop.",
            "Njia hii hupokea kiasi kisicho na senti tu. Chagua nyingine, au uliza duka.",
        ),
        "amount_too_small": (
            "The amount is too small for this way to pay. Choose another, or ask the shop.",
            "Kiasi ni kidogo mno kwa njia hii. Chagua nyingine, au uliza duka.",
        ),
        "amount_too_large": (
            "The amount is too large for this way to pay. Choose another, or ask the shop.",
            "Kiasi ni kikubwa mno kwa njia hii. Chagua nyingine, au uliza duka.",
        ),
        "rate_limited": (
            "Too many payments were started from here. Wait a few minutes, then try again.",
            "Malipo mengi mno yameanzishwa kutoka hapa. Subiri dakika chache, kisha ujaribu tena.",
        ),
        "payment_method_unavailable": (
            "This way to pay is not available right now. Choose another, or tell the shop.",
            "Njia hii ya kulipa haipatikani kwa sasa. Chagua nyingine, au ijulishe duka.",
        ),
    }
)
_OTHER_REFUSAL = (
    "This could not be accepted. Check it and try again.",
    "Haikukubaliwa. Ikague kisha ujaribu tena.",
)


def explain_charge(charge: Charge, language: Language) -> Explanation:
    """Why a failed or canceled charge did not go through, and what to do: in the provider's words if it has any."""
    own = _provider_explanation(charge, language) if charge.provider_failure_code else None
    if own is not None:
        return own
    fallback = CANCELED if charge.status == Charge.Status.CANCELED else GENERAL[FailureCode.PROCESSING_ERROR]
    return GENERAL.get(charge.failure_code, fallback)[language == "sw"]


def explain_refusal(problem: Invalid, language: Language) -> str:
    """Why the customer's entry was not accepted."""
    english, swahili = REFUSALS.get(problem.code, (None, _OTHER_REFUSAL[1]))
    return swahili if language == "sw" else english or problem.message or _OTHER_REFUSAL[0]


def _provider_explanation(charge: Charge, language: Language) -> Explanation | None:
    try:
        provider = provider_for(charge.provider_account)
        if isinstance(provider, ExplainsFailures):
            return provider.explain_failure(charge.provider_failure_code, language=language)
    except Exception:
        # A provider that was removed, or whose credentials do not open, is no reason to show the customer nothing.
        logger.exception("no explanation for charge %s", charge.public_id)
    return None
