"""Codes of results that come later (B2C, B2B, reversal), and which of them are a definite no.

A code that stands here settles a request as failed: Safaricom looked at it and refused to move money. Every other code
leaves it open until the transaction's status is known, because a payout that is called failed is paid again:

* 15 (duplicate id): the request that came first may well have been paid.
* 17 ("internal failure"), 19 (message sequencing), 26 (traffic blocking): nothing says on which side of the booking.
* R000001 (already reversed): the money is back, by another request than this one. A person has to look: the status of
  this request is "Failed", and who believes that pays the customer a second time.
* 1000000xx of the gateway, and whatever Safaricom invents next.
"""

from __future__ import annotations

from majuu_core.providers import Failure, FailureCode
from majuu_mpesa.text import plain_text

DUPLICATE = "15"
ALREADY_REVERSED = "R000001"
UNKNOWN_TRANSACTION = "R000002"

_F = FailureCode
_SETUP = "Nothing was sent."

OUTGOING_FAILURES: dict[str, tuple[FailureCode, str]] = {
    "1": (_F.INSUFFICIENT_FUNDS, "The organisation's account does not hold enough money. Top it up, then try again."),
    "2": (_F.LIMIT_EXCEEDED, "The amount is below the smallest that M-Pesa sends."),
    "3": (_F.LIMIT_EXCEEDED, "The amount is above the largest that M-Pesa sends at once."),
    "4": (_F.LIMIT_EXCEEDED, "The recipient has reached the M-Pesa limit of the day. Try again tomorrow."),
    "5": (_F.INSUFFICIENT_FUNDS, "The organisation's account would fall below its smallest balance."),
    "6": (_F.PROCESSING_ERROR, f"M-Pesa does not know the paying party. {_SETUP}"),
    "7": (_F.INVALID_PAYMENT_METHOD, "M-Pesa does not know the recipient. Check the number."),
    "8": (_F.LIMIT_EXCEEDED, "The recipient's M-Pesa account would hold more than it may. Try a smaller amount."),
    "11": (_F.PROCESSING_ERROR, "The organisation's shortcode is not active. Ask Safaricom."),
    "12": (_F.INVALID_PAYMENT_METHOD, "The recipient's account cannot take this payment."),
    "13": (_F.PROCESSING_ERROR, f"M-Pesa could not find the account to pay from. {_SETUP}"),
    "14": (_F.INVALID_PAYMENT_METHOD, "M-Pesa could not find the account to pay to."),
    "18": (_F.AUTHENTICATION_FAILED, f"M-Pesa did not accept the initiator's password. {_SETUP}"),
    "20": (_F.AUTHENTICATION_FAILED, f"M-Pesa does not know the initiator. {_SETUP}"),
    "21": (_F.AUTHENTICATION_FAILED, "The initiator lacks the role for this. Give it the API role in the portal."),
    "22": (_F.AUTHENTICATION_FAILED, "The initiator is not active. Activate it in the organisation's portal."),
    "24": (_F.PROCESSING_ERROR, f"M-Pesa misses a field in the request. {_SETUP}"),
    "25": (_F.PROCESSING_ERROR, f"M-Pesa finds a field of the request wrong. {_SETUP}"),
    "29": (_F.PROCESSING_ERROR, f"M-Pesa does not take this kind of request from the shortcode. {_SETUP}"),
    "2001": (
        _F.AUTHENTICATION_FAILED,
        "The initiator's name or password is wrong, or it was encrypted with the wrong or an old certificate. "
        "Correct it before trying again: a few failures lock the initiator.",
    ),
    "2006": (_F.PROCESSING_ERROR, "The state of the account does not allow this. Ask Safaricom."),
    "2028": (_F.PROCESSING_ERROR, "The shortcode has no permission for this. Ask Safaricom to switch it on."),
    "2040": (_F.INVALID_PAYMENT_METHOD, "The recipient is not registered for M-Pesa."),
    "8006": (_F.AUTHENTICATION_FAILED, "The initiator is locked. Unlock it in the portal, or set a new password."),
    "SFC_IC0003": (_F.INVALID_PAYMENT_METHOD, "The recipient's number is not on M-Pesa, or the shortcode is wrong."),
    "TP40153": (_F.AUTHENTICATION_FAILED, "The initiator has no permission for this API. Give it the role."),
}

# Only of a reversal: nobody knows the receipt, so nothing can have been reversed.
REVERSAL_FAILURES: dict[str, tuple[FailureCode, str]] = {
    UNKNOWN_TRANSACTION: (_F.PROCESSING_ERROR, "M-Pesa knows no payment with this receipt that could be reversed."),
}


# Only of a reversal: codes after which no question helps.
REVERSAL_DOUBTS: dict[str, str] = {
    ALREADY_REVERSED: "M-Pesa says that this payment was reversed before, by another request: look at the statement.",
}


def definite_failure(code: str, *, description: str = "", reversal: bool = False) -> Failure | None:
    """The failure for a code that is a definite no, with Safaricom's own words; None for every other code."""
    found = OUTGOING_FAILURES.get(code) or (REVERSAL_FAILURES.get(code) if reversal else None)
    if found is None:
        return None
    said = plain_text(description, limit=150)
    message = f"{found[1]} (M-Pesa: {said})" if said else found[1]
    return Failure(code=found[0], provider_code=code, message=message)
