"""Why a mock payment failed and what to do next, in English and in Swahili."""

from __future__ import annotations

from majuu_core.providers.types import FailureCode

# text and next step in English, then in Swahili
MESSAGES: dict[FailureCode, tuple[str, str, str, str]] = {
    FailureCode.INSUFFICIENT_FUNDS: (
        "There is not enough money in the account.",
        "Add money or pay another way.",
        "Hakuna pesa za kutosha kwenye akaunti.",
        "Ongeza pesa au lipa kwa njia nyingine.",
    ),
    FailureCode.DECLINED: (
        "The payment was declined.",
        "Try again or pay another way.",
        "Malipo yamekataliwa.",
        "Jaribu tena au lipa kwa njia nyingine.",
    ),
    FailureCode.CUSTOMER_CANCELED: (
        "You cancelled the payment.",
        "Start again when you are ready.",
        "Umeghairi malipo.",
        "Anza tena ukiwa tayari.",
    ),
    FailureCode.AUTHENTICATION_FAILED: (
        "The PIN was wrong.",
        "Try again with the right PIN.",
        "PIN si sahihi.",
        "Jaribu tena kwa PIN sahihi.",
    ),
    FailureCode.LIMIT_EXCEEDED: (
        "The amount is above your limit.",
        "Pay a smaller amount or another way.",
        "Kiasi kimezidi kikomo chako.",
        "Lipa kiasi kidogo au kwa njia nyingine.",
    ),
    FailureCode.INVALID_PAYMENT_METHOD: (
        "This way to pay cannot be used.",
        "Pay another way.",
        "Njia hii ya malipo haiwezi kutumika.",
        "Lipa kwa njia nyingine.",
    ),
    FailureCode.EXPIRED: (
        "There was no answer in time.",
        "Start again and answer the request.",
        "Hakukuwa na jibu kwa wakati.",
        "Anza tena na ujibu ombi.",
    ),
    FailureCode.PROCESSING_ERROR: (
        "The provider had an error. No money moved.",
        "Try again in a few minutes.",
        "Mtoa huduma alipata hitilafu. Hakuna pesa iliyohamishwa.",
        "Jaribu tena baada ya dakika chache.",
    ),
}
